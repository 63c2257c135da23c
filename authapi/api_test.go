package authapi

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// S16: links, cookies and redirects come from the configuration; a request for
// another host gets none of it.
func TestForeignHost(t *testing.T) {
	for _, path := range []string{"/check", "/authorize", "/update", "/resolve", "/get_profile", "/login", "/login/google", "/oauth_callback", "/logout", "/account", "/style.css", "/nope"} {
		h := build(t)
		r := request(http.MethodGet, "https://evil.example/auth"+path, adasCookieLine)
		w := h.do(r)
		want(t, w, http.StatusMisdirectedRequest, "")
		wantBody(t, w, `"code":"wrong_host"`, "!ada")
		if len(h.authn.begun)+len(h.authn.completed) > 0 || len(w.Result().Cookies()) > 0 {
			t.Errorf("%s: something happened", path)
		}
		r = browse("https://evil.example/auth" + path)
		w = h.do(r)
		want(t, w, http.StatusMisdirectedRequest, "")
		wantBody(t, w, "<h1", "!evil.example")
	}
	// Services inside a network fetch the key by another name (contract 2a).
	for _, path := range []string{"/public-key", "/jwks.json"} {
		want(t, build(t).do(request(http.MethodGet, "http://auth:8000/auth"+path)), http.StatusOK, "")
	}
	for _, host := range []string{"APP.example.com", "app.example.com:443"} {
		r := request(http.MethodGet, "/auth/check")
		r.Host = host
		want(t, build(t).do(r), http.StatusOK, "")
	}
}

// Ruling 17: the cookies of a loopback site live at one name; browsers that
// come by another are sent there, programs may stay.
func TestLoopbackAlias(t *testing.T) {
	h := build(t, func(c *Config) { c.Site = site(t, "http://localhost:8080") })
	const alias, own = "http://127.0.0.1:8080/auth", "http://localhost:8080/auth"
	for _, path := range []string{"/login?next=%2Fa&deliver=jwt", "/login/google?next=%2Fa", "/oauth_callback?state=a&code=b", "/logout", "/account", "/signed-out"} {
		want(t, h.do(browse(alias+path)), http.StatusSeeOther, own+path)
	}
	if len(h.authn.begun)+len(h.authn.completed) > 0 {
		t.Error("something was begun or ended before the redirect")
	}
	for _, path := range []string{"/check", "/public-key", "/style.css"} {
		want(t, h.do(request(http.MethodGet, alias+path)), http.StatusOK, "")
	}
	want(t, h.do(request(http.MethodGet, "http://127.0.0.1:9090/auth/check")), http.StatusMisdirectedRequest, "")
}

// pages section 5: also a 404 is a real page, and a problem for programs.
func TestNotFound(t *testing.T) {
	h := build(t)
	w := h.do(browse("/auth/nope%22%3E%3Cscript%3E"))
	want(t, w, http.StatusNotFound, "")
	wantBody(t, w, "Page not found", "404 Not Found", "not_found", "req-1", "!script")
	w = h.get("/auth/nope")
	wantBody(t, w, `"code":"not_found"`)
	if w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("headers %v", w.Header())
	}
}

// S32: the origins of the allow-list, exactly; never null, never a wildcard.
func TestCORS(t *testing.T) {
	h := build(t)
	for value, allowed := range map[string]bool{
		"https://frontend.example.com":          true,
		"https://shared.example.com":            true,
		"http://localhost:4200":                 true,
		origin:                                  true,
		"null":                                  false,
		"https://evil.example":                  false,
		"http://frontend.example.com":           false,
		"https://frontend.example.com.evil.com": false,
	} {
		for _, path := range []string{
			"/auth/check", "/auth/authorize?service=x", "/auth/public-key", "/auth/jwks.json", "/auth/logout",
			"/auth/update", "/auth/resolve?username=ada", "/auth/get_profile?username=ada",
		} {
			for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodOptions} {
				got := h.do(request(method, path, "Origin: "+value)).Header()
				if (got.Get("Access-Control-Allow-Origin") == value) != allowed || !slices.Contains(got["Vary"], "Origin") {
					t.Errorf("%s %s from %s: %v", method, path, value, got)
				}
				if !allowed && (got.Get("Access-Control-Allow-Origin") != "" || got.Get("Access-Control-Allow-Credentials") != "") {
					t.Errorf("%s %s from %s: %v", method, path, value, got)
				}
			}
			w := h.do(request(http.MethodOptions, path, "Origin: "+value, "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: auth-token"))
			if status := map[bool]int{true: 200, false: 403}[allowed]; w.Code != status {
				t.Errorf("preflight for %s from %s: %d", path, value, w.Code)
			}
			if allows := strings.Contains(w.Header().Get("Access-Control-Allow-Headers"), "Auth-Token"); allows != allowed {
				t.Errorf("preflight for %s from %s: %v", path, value, w.Header())
			}
		}
		// Pages are not for the scripts of others.
		if got := h.do(request(http.MethodGet, "/auth/account", "Origin: "+value)).Header().Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("account page from %s: %q", value, got)
		}
	}
}

// S38.
func TestLimits(t *testing.T) {
	h := build(t)
	many := func(n int) string { return "?" + strings.Repeat("a=b&", n-1) + "jwt=" + adasToken }
	wantBody(t, h.get("/auth/check"+many(100)), `"authenticated":true`)
	w := h.get("/auth/check" + many(101))
	want(t, w, http.StatusBadRequest, "")
	wantBody(t, w, `"code":"bad_request"`)

	form := func(size int) string { return "jwt=" + adasToken + "&x=" + strings.Repeat("a", size) }
	w = h.do(withForm(request(http.MethodPost, "/auth/logout"), form(60<<10)))
	want(t, w, http.StatusOK, "")
	w = h.do(withForm(request(http.MethodPost, "/auth/logout"), form(64<<10)))
	want(t, w, http.StatusRequestEntityTooLarge, "")
	hidden := withForm(request(http.MethodPost, "/auth/logout"), form(64<<10))
	hidden.ContentLength = -1 // chunked
	want(t, h.do(hidden), http.StatusRequestEntityTooLarge, "")
	hidden = withForm(request(http.MethodGet, "/auth/check"), form(64<<10))
	hidden.ContentLength = -1
	want(t, h.do(hidden), http.StatusRequestEntityTooLarge, "")
	big := httptest.NewRequest(http.MethodGet, origin+"/auth/check?jwt="+adasToken, strings.NewReader(strings.Repeat("a", 64<<10+1)))
	want(t, h.do(big), http.StatusRequestEntityTooLarge, "") // also of a kind that nobody reads
	if len(h.authn.ended) != 1 {
		t.Errorf("ended %v", h.authn.ended)
	}
}

// What a recorder cannot show: HEAD without a body, the path of a real request
// line.
func TestOverTheWire(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	h := build(t, func(c *Config) { c.Site = site(t, "http://"+address) })
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: h}}
	server.Start()
	defer server.Close()
	for line, status := range map[string]int{
		"HEAD /auth/check":                           200,
		"HEAD /auth/public-key":                      200,
		"HEAD //auth/check":                          200,
		"HEAD /auth/login":                           200,
		"HEAD /auth/nope":                            404,
		"HEAD /auth/oauth_callback?state=s&code=c":   200,
		"HEAD http://evil.example/auth/check":        421,
		"HEAD http://" + address + "/auth/check?a=b": 200,
	} {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", line, address)
		response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: http.MethodHead})
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != status || status == 200 && !strings.Contains(line, "oauth_callback") && response.ContentLength < 20 {
			t.Errorf("%s: %d, %d bytes", line, response.StatusCode, response.ContentLength)
		}
		_ = response.Body.Close()
		_ = conn.Close()
	}
	if len(h.authn.completed) > 0 {
		t.Error("a HEAD has used up the sign-in")
	}
}
