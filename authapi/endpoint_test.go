package authapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

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

// Ruling 31, contract 1.1.
func TestMethods(t *testing.T) {
	h := build(t)
	for path, allow := range map[string]string{
		"/auth/check": "GET, HEAD, OPTIONS", "/auth/authorize": "GET, HEAD, OPTIONS", "/auth/public-key": "GET, HEAD, OPTIONS",
		"/auth/login": "GET, HEAD, OPTIONS", "/auth/login/google": "GET, HEAD, OPTIONS", "/auth/oauth_callback": "GET, HEAD, OPTIONS",
		"/auth/account": "GET, HEAD, OPTIONS", "/auth/logout": "GET, HEAD, POST, OPTIONS", "/auth/update": "POST, OPTIONS",
		"/auth/resolve": "GET, HEAD, OPTIONS", "/auth/get_profile": "GET, HEAD, OPTIONS",
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
