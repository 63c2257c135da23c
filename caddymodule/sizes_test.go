package caddymodule_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// S38: what is too large is refused with the status that says so, by the
// endpoints and by the gates, whatever the server's own limits are; what just
// fits is not.
func TestSizes(t *testing.T) {
	g := gatewaytest.Start(t, gatewaytest.Config{
		Global: "servers {\nmax_header_size 1MiB\n}",
		Auth:   "login dev",
		Site:   "auth_api\nhandle /page* {\nrequire_login\nrespond welcome\n}\nhandle {\nidentify\nrespond open\n}",
	})
	host := "Host: " + strings.TrimPrefix(g.URL, "http://")
	get := func(path string, headers ...string) string {
		return lines(append([]string{"GET " + path + " HTTP/1.1", host, "Connection: close"}, headers...)...)
	}
	post := func(path, contentType, body string, headers ...string) string {
		return lines(append([]string{"POST " + path + " HTTP/1.1", host, "Connection: close", "Content-Type: " + contentType}, headers...)...) + body
	}
	const form = "application/x-www-form-urlencoded"
	length := func(n int) string { return fmt.Sprint("Content-Length: ", n) }
	chunked := func(body string) string { return fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body) }
	long := func(path string, n int) string { return path + strings.Repeat("x", n-len(path)) }
	many := func(n int) string { return strings.Repeat("a=1&", n-1) + "a=1" }
	cookies := func(n int) string { return "Cookie: " + strings.Repeat("a=1; ", n-1) + "a=1" }
	var parts bytes.Buffer
	w := multipart.NewWriter(&parts)
	for i := range 200 {
		_ = w.WriteField(fmt.Sprint("field", i), strings.Repeat("x", 400))
	}
	_ = w.Close()
	for _, test := range []struct {
		what, request string
		want          int
	}{
		{"address that fits", get(long("/auth/check?x=", 8192)), 200},
		{"address", get(long("/auth/check?x=", 8193)), 414},
		{"address of nothing", get(long("/auth/", 8193)), 414},
		{"address at a gate", get(long("/page?x=", 8193)), 414},
		{"address at an open gate", get(long("/?x=", 8193)), 414},
		{"address at an open gate that fits", get(long("/?x=", 8192)), 200},
		{"address of 100 KiB", get(long("/auth/check?x=", 100<<10)), 414},

		{"header that fits", get("/auth/check", long("X-Large: ", 15<<10)), 200},
		{"header", get("/auth/check", long("X-Large: ", 17<<10)), 431},
		{"headers", get("/auth/check", strings.TrimSuffix(strings.Repeat("X-Large: "+strings.Repeat("x", 100)+"\r\n", 160), "\r\n")), 431},
		{"header of 2 MiB", get("/page", long("X-Large: ", 2<<20)), 431},

		{"cookies that fit", get("/auth/check", cookies(100)), 200},
		{"cookies", get("/auth/check", cookies(101)), 400},
		{"cookie headers", get("/auth/check", strings.TrimSuffix(strings.Repeat("Cookie: a=1\r\n", 101), "\r\n")), 400},
		{"cookies that fit, and a semicolon", get("/auth/check", cookies(100)+"; "), 200},
		{"cookies at a gate", get("/page", cookies(101)), 400},
		{"cookies at an open gate", get("/", cookies(101)), 400},

		{"parameters that fit", get("/auth/check?" + many(100)), 200},
		{"parameters", get("/auth/check?" + many(101)), 400},
		{"parameters of a sign-in", get("/auth/login/dev?" + many(101)), 400},
		{"parameters of a callback", get("/auth/oauth_callback?" + many(101)), 400},

		{"body that fits", post("/auth/update", form, "jwt="+strings.Repeat("x", 65536-4), length(65536)), 200},
		{"body", post("/auth/update", form, "jwt="+strings.Repeat("x", 65537-4), length(65537)), 413},
		{"body, chunked", post("/auth/update", form, chunked("jwt="+strings.Repeat("x", 65537-4)), "Transfer-Encoding: chunked"), 413},
		{"body that is announced", post("/auth/update", form, "", length(1<<40)), 413},
		{"body of a logout", post("/auth/logout", form, chunked("a="+strings.Repeat("x", 70000)), "Transfer-Encoding: chunked"), 413},
		{"body of a form", post("/auth/update", w.FormDataContentType(), parts.String(), length(parts.Len())), 413},
		{"body where none belongs", post("/auth/check", form, strings.Repeat("x", 70000), length(70000)), 413},

		{"token", get("/auth/check", "Auth-Token: eyJ"+strings.Repeat("x", 8190)), 200},
		{"token at a gate", get("/page", "Auth-Token: eyJ"+strings.Repeat("x", 8190)), 401},
		{"token at an open gate", get("/", "Auth-Token: eyJ"+strings.Repeat("x", 8190)), 200},
		{"cookie of 15 KiB", get("/page", "Cookie: auth_session="+strings.Repeat("x", 15<<10)), 401},
	} {
		answer := raw(t, g, test.request)
		if answer.Status != test.want {
			t.Errorf("%s: got %d, want %d\n%.300s", test.what, answer.Status, test.want, answer.Body)
		}
		if strings.HasPrefix(test.what, "token") && strings.Contains(answer.Body, `"authenticated":true`) {
			t.Errorf("%s: %s", test.what, answer.Body)
		}
		if answer.Status >= 400 && answer.Status != 431 && (answer.Header.Get("Cache-Control") != "no-store" || answer.Header.Get("X-Content-Type-Options") != "nosniff") {
			t.Errorf("%s: the refusal's headers are %v", test.what, answer.Header) // S34, S35
		}
	}
	if answer := call(t, g, "/auth/check"); answer.Status != http.StatusOK {
		t.Errorf("after all that: %d", answer.Status)
	}
}

// S38: who sends slowly holds a connection, and not for long: the header as the
// server's configuration says, a body for our endpoints ten seconds, whatever
// that says.
func TestSlowRequests(t *testing.T) {
	t.Parallel() // it waits
	g := gatewaytest.Start(t, gatewaytest.Config{
		Global: "servers {\ntimeouts {\nread_header 1s\nread_body_idle 1h\n}\n}", Auth: "login dev", Site: "auth_api",
	})
	host := "Host: " + strings.TrimPrefix(g.URL, "http://")
	for what, begin := range map[string]string{
		"header": "GET /auth/check HTTP/1.1\r\n" + host + "\r\nX-Slow: ",
		"body":   lines("POST /auth/update HTTP/1.1", host, "Content-Type: application/x-www-form-urlencoded", "Content-Length: 60000"),
		"chunks": lines("POST /auth/logout HTTP/1.1", host, "Content-Type: application/x-www-form-urlencoded", "Transfer-Encoding: chunked") + "ea60\r\n",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			connection, err := net.Dial("tcp", g.Address)
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			began := time.Now()
			go func() {
				_, err := io.WriteString(connection, begin)
				for err == nil {
					time.Sleep(100 * time.Millisecond)
					_, err = io.WriteString(connection, "x")
				}
			}()
			_ = connection.SetReadDeadline(began.Add(60 * time.Second))
			answer, err := io.ReadAll(connection)
			if wait, ok := err.(net.Error); ok && wait.Timeout() {
				t.Fatalf("the connection is still there after %s", time.Since(began))
			}
			if strings.Contains(string(answer), " 500 ") {
				t.Errorf("the answer is %s", answer)
			}
		})
	}
}
