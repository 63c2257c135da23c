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
	for _, path := range []string{"/check", "/authorize", "/public-key", "/jwks.json", "/login", "/login/google", "/oauth_callback", "/logout", "/account", "/style.css", "/nope"} {
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

// Contract 1.1: no trailing slash, one doubled slash in front (ruling 18), 404
// else.
func TestPaths(t *testing.T) {
	h := build(t)
	for path, status := range map[string]int{
		"/auth/check":                 200,
		"//auth/check":                200,
		"//auth/login":                200,
		"///auth/check":               404,
		"/auth//check":                404,
		"/auth/check/":                404,
		"/auth":                       404,
		"/auth/":                      404,
		"//auth":                      404,
		"/auth/%63heck":               404,
		"/auth/CHECK":                 404,
		"/auth/x/../check":            404,
		"/auth/login/":                404,
		"/auth/login/nope":            404,
		"/auth/login/google/":         404,
		"/auth/login/google/x":        404,
		"/auth/oauth_callback/nope":   404,
		"/auth/oauth_callback/google": 303, // the fake takes anything
	} {
		if got := h.get(path).Code; got != status {
			t.Errorf("%s: %d, want %d", path, got, status)
		}
	}
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

// Ruling 31, contract 1.1.
func TestMethods(t *testing.T) {
	h := build(t)
	for path, allow := range map[string]string{
		"/auth/check": "GET, HEAD, OPTIONS", "/auth/authorize": "GET, HEAD, OPTIONS", "/auth/public-key": "GET, HEAD, OPTIONS",
		"/auth/login": "GET, HEAD, OPTIONS", "/auth/login/google": "GET, HEAD, OPTIONS", "/auth/oauth_callback": "GET, HEAD, OPTIONS",
		"/auth/account": "GET, HEAD, OPTIONS", "/auth/logout": "GET, HEAD, POST, OPTIONS",
	} {
		w := h.do(request(http.MethodOptions, path))
		want(t, w, http.StatusOK, "")
		if w.Header().Get("Allow") != allow || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || w.Body.Len() != 0 {
			t.Errorf("OPTIONS %s: %v %q", path, w.Header(), w.Body)
		}
		for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPost, "BREW"} {
			if method == http.MethodPost && strings.Contains(allow, method) {
				continue
			}
			w := h.do(request(method, path, "Accept: */*"))
			want(t, w, http.StatusMethodNotAllowed, "")
			wantBody(t, w, "405 Method Not Allowed", "<h1")
			if w.Header().Get("Allow") != allow {
				t.Errorf("%s %s: Allow %q", method, path, w.Header().Get("Allow"))
			}
		}
		w = h.do(request(http.MethodPut, path, "Accept: text/plain, application/json"))
		wantBody(t, w, "405 Method Not Allowed", `"code":"method_not_allowed"`)
		if w.Header().Get("Content-Type") != "application/problem+json" || w.Header().Get("Allow") != allow {
			t.Errorf("PUT %s as JSON: %v", path, w.Header())
		}
	}
	if len(h.authn.begun)+len(h.authn.completed) > 0 {
		t.Error("a refused method did something")
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
		for _, path := range []string{"/auth/check", "/auth/authorize?service=x", "/auth/public-key", "/auth/jwks.json", "/auth/logout"} {
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

// A provider's own pages get paths without the mount point, and nothing but
// their own.
func TestMountedPages(t *testing.T) {
	h := build(t, func(c *Config) {
		c.Logins = []Login{{Name: "google"}, {Name: "dev", Pages: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "%s %s %s ?%s", r.Method, r.URL.Path, r.URL.EscapedPath(), r.URL.RawQuery)
		})}}
	})
	for path, body := range map[string]string{
		"/auth/login/dev/":            "GET / / ?",
		"/auth/login/dev/pick?user=1": "GET /pick /pick ?user=1",
		"//auth/login/dev/pick":       "GET /pick /pick ?",
		"/auth/login/dev/a%20b/":      "GET /a b/ /a%20b/ ?",
	} {
		w := h.do(browse(path))
		if w.Body.String() != body {
			t.Errorf("%s: %q", path, w.Body)
		}
		if w.Header().Get("Content-Security-Policy") != contentSecurityPolicy || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", path, w.Header())
		}
	}
	for _, path := range []string{"/auth/login/dev//pick", "/auth/login/dev/../google", "/auth/login/dev/a%2fb", "/auth/login/devx/pick", "/auth/dev/pick"} {
		want(t, h.do(browse(path)), http.StatusNotFound, "")
	}
	want(t, h.do(browse("/auth/login/dev")), http.StatusFound, "https://idp.example.net/authorize?state=STATE-12345")
}

func TestMountedPagesAtAnAlias(t *testing.T) {
	h := build(t, func(c *Config) {
		c.Site = site(t, "http://localhost:8080")
		c.Logins = []Login{{Name: "dev", Pages: http.NotFoundHandler()}}
	})
	want(t, h.do(browse("http://127.0.0.1:8080/auth/login/dev/pick?a=b")), http.StatusSeeOther, "http://localhost:8080/auth/login/dev/pick?a=b")
}
