package caddymodule_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// application is where sign-ins with deliver=jwt end: a command-line tool's
// address. Nothing listens there.
const application = "http://localhost:3000/"

// person is somebody who has signed in, with a browser and with a token of the
// same session.
type person struct {
	*gatewaytest.Browser
	ID, Token, Cookie string
}

// signIn signs one of the sample users in.
func signIn(t *testing.T, g *gatewaytest.Gateway, user string) person {
	t.Helper()
	p := person{Browser: gatewaytest.NewBrowser(t)}
	_, at := p.SignIn(g.URL+"/auth/login/dev?deliver=jwt&next="+url.QueryEscape(application), user)
	p.Token = delivered(t, at)
	p.Cookie = sessionCookie(t, p.Browser, g)
	var check struct {
		Profile struct {
			ID string `json:"id"`
		} `json:"profile"`
	}
	parse(t, call(t, g, "/auth/check", "Auth-Token", p.Token), &check)
	if p.ID = check.Profile.ID; p.ID == "" {
		t.Fatalf("%s has no user ID", user)
	}
	return p
}

// delivered is the token in the URL of an application.
func delivered(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil || u.Query().Get("jwt") == "" {
		t.Fatalf("there is no token in %s", address)
	}
	return u.Query().Get("jwt")
}

// sessionCookie is the value of the browser's session cookie; "" if it has
// none.
func sessionCookie(t *testing.T, b *gatewaytest.Browser, g *gatewaytest.Gateway) string {
	t.Helper()
	u, err := url.Parse(g.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.Jar.Cookies(u) {
		if c.Name == "auth_session" {
			return c.Value
		}
	}
	return ""
}

// permissionToken asks for a permission token as an application does.
func permissionToken(t *testing.T, g *gatewaytest.Gateway, session, service string) string {
	t.Helper()
	var answer struct {
		Token string `json:"token"`
	}
	parse(t, call(t, g, "/auth/authorize?service="+service, "Auth-Token", session), &answer)
	if answer.Token == "" {
		t.Fatalf("no permission token for %s", service)
	}
	return answer.Token
}

// call sends a GET request without cookies. headers are names and values in
// turn.
func call(t *testing.T, g *gatewaytest.Gateway, path string, headers ...string) gatewaytest.Answer {
	t.Helper()
	return gatewaytest.NewBrowser(t).Do(http.MethodGet, g.URL+path, nil, header(headers...))
}

func header(pairs ...string) http.Header {
	h := make(http.Header)
	for i := 0; i+1 < len(pairs); i += 2 {
		h[pairs[i]] = append(h[pairs[i]], pairs[i+1])
	}
	return h
}

func parse(t *testing.T, answer gatewaytest.Answer, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(answer.Body), into); err != nil {
		t.Fatalf("%d, and no JSON: %v\n%s", answer.Status, err, answer.Body)
	}
}

// problem is a refusal for programs (RFC 9457).
type problem struct {
	Type, Title, Code, Detail string
	Status                    int
	Service                   string
	Missing                   []string
	RequestID                 string `json:"request_id"`
	LoginURL                  string `json:"login_url"`
}

// wantProblem checks a refusal for programs and returns it.
func wantProblem(t *testing.T, answer gatewaytest.Answer, status int, code string) (p problem) {
	t.Helper()
	if answer.Status != status || answer.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("got %d %s, expected %d %s:\n%s", answer.Status, answer.Header.Get("Content-Type"), status, code, answer.Body)
		return p
	}
	parse(t, answer, &p)
	if p.Code != code || p.Status != status {
		t.Errorf("got %d with the code %s, expected %d with %s", p.Status, p.Code, status, code)
	}
	if cache := answer.Header.Get("Cache-Control"); cache != "no-store" { // S34
		t.Errorf("the refusal has Cache-Control %q", cache)
	}
	return p
}

// wantSeen returns the one request that reached the upstream since the last
// look.
func wantSeen(t *testing.T, upstream *gatewaytest.Upstream) gatewaytest.Seen {
	t.Helper()
	seen := upstream.Take()
	if len(seen) != 1 {
		t.Fatalf("%d requests reached the upstream, expected 1: %+v", len(seen), seen)
	}
	return seen[0]
}

// wantUnseen checks that nothing has reached the upstream.
func wantUnseen(t *testing.T, upstream *gatewaytest.Upstream) {
	t.Helper()
	for _, seen := range upstream.Take() {
		t.Errorf("the upstream saw %s %s with %v", seen.Method, seen.Path, seen.Header)
	}
}

// lines joins the lines of a request's head and ends it. The body follows.
func lines(head ...string) string { return strings.Join(head, "\r\n") + "\r\n\r\n" }

// raw sends bytes over a connection of its own and returns the first answer,
// without one if the server just hung up.
func raw(t *testing.T, g *gatewaytest.Gateway, request string) gatewaytest.Answer {
	t.Helper()
	answers := rawAll(t, g, request, 1)
	if len(answers) == 0 {
		return gatewaytest.Answer{}
	}
	return answers[0]
}

// rawAll returns up to limit answers. The first may take its time, the others
// not.
func rawAll(t *testing.T, g *gatewaytest.Gateway, request string, limit int) (answers []gatewaytest.Answer) {
	t.Helper()
	connection, err := net.Dial("tcp", g.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	deadline := time.Now().Add(20 * time.Second)
	if err := connection.SetDeadline(deadline); err != nil {
		t.Fatal(err)
	}
	// A server that refuses need not read to the end.
	_, _ = io.WriteString(connection, request)
	reader := bufio.NewReader(connection)
	method, _, _ := strings.Cut(request, " ")
	for len(answers) < limit {
		response, err := http.ReadResponse(reader, &http.Request{Method: method})
		if err != nil {
			if len(answers) == 0 && time.Now().After(deadline) {
				t.Fatalf("no answer to\n%s", request)
			}
			return answers
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		answers = append(answers, gatewaytest.Answer{
			Status: response.StatusCode, Header: response.Header, Body: string(body), Location: response.Header.Get("Location"),
		})
		_ = connection.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	}
	return answers
}

// fold is a header's name as the most careless upstream reads it.
func fold(name string) string {
	return strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(name))
}

// identity is what an upstream saw of the gateway's own headers, by folded
// name, in headers and trailers together.
func identity(seen gatewaytest.Seen, reserved ...string) map[string][]string {
	found := make(map[string][]string)
	for _, group := range []http.Header{seen.Header, seen.Trailer} {
		for name, values := range group {
			name = fold(name)
			if strings.HasPrefix(name, "x-auth-") || name == "auth-token" || slices.Contains(reserved, name) {
				found[name] = append(found[name], values...)
			}
		}
	}
	return found
}
