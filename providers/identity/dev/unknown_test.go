package dev

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Ruling 26: what is not there is refused as elsewhere below the gateway's path:
// by a page to browsers, by application/problem+json to everything else.
// Ruling 31: a wrong method says so in words that clients look for.
func TestUnknownPaths(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		method, path string
		header       []string
		status       int
		code         string // "" is a page
	}{
		{"GET", "/x", nil, 404, "not_found"},
		{"GET", "/", nil, 404, "not_found"},
		{"GET", "/authorize/", nil, 404, "not_found"},
		{"POST", "/x", nil, 404, "not_found"},
		{"GET", "/x", []string{"Accept", "application/json"}, 404, "not_found"},
		{"GET", "/x", []string{"Accept", "text/html", "X-Requested-With", "XMLHttpRequest"}, 404, "not_found"},
		{"GET", "/x", []string{"Accept", "text/html", "Sec-Fetch-Mode", "cors"}, 404, "not_found"},
		{"GET", "/x", []string{"Accept", "text/html,*/*;q=0.8"}, 404, ""},
		{"GET", "/x/y/<script>", []string{"Accept", "*/*", "Sec-Fetch-Mode", "navigate"}, 404, ""},
		{"POST", "/authorize", nil, 405, "method_not_allowed"},
		{"GET", "/token", nil, 405, "method_not_allowed"},
		{"DELETE", "/jwks", []string{"Accept", "text/html"}, 405, ""},
	} {
		r := httptest.NewRequestWithContext(t.Context(), c.method, "/", http.NoBody)
		r.URL.Path, r.RemoteAddr, r.Host = c.path, "127.0.0.1:5000", "localhost"
		for i := 0; i < len(c.header); i += 2 {
			r.Header.Set(c.header[i], c.header[i+1])
		}
		answer := httptest.NewRecorder()
		w.Provider.ServeHTTP(answer, r)
		body, contentType := answer.Body.String(), answer.Header().Get("Content-Type")
		what := strings.Join(append([]string{c.method, c.path}, c.header...), " ")
		if answer.Code != c.status || answer.Header().Get("X-Content-Type-Options") != "nosniff" || answer.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", what, answer.Code, answer.Header())
		}
		if c.status == 405 && (answer.Header().Get("Allow") == "" || !strings.Contains(body, "405 Method Not Allowed")) {
			t.Errorf("%s: Allow %q\n%s", what, answer.Header().Get("Allow"), body)
		}
		if c.code == "" {
			if contentType != "text/html; charset=utf-8" || !strings.Contains(body, "<h1>") || !strings.Contains(body, w.base.String()+"/style.css") || strings.Contains(body, "script") {
				t.Errorf("%s: %s\n%s", what, contentType, body)
			}
			continue
		}
		var problem struct {
			Type, Title, Code, Detail string
			Status                    int
		}
		if err := json.Unmarshal([]byte(body), &problem); err != nil || contentType != "application/problem+json" {
			t.Fatalf("%s: %v %s\n%s", what, err, contentType, body)
		}
		if problem.Type != "about:blank" || problem.Title != http.StatusText(c.status) || problem.Status != c.status || problem.Code != c.code || problem.Detail == "" {
			t.Errorf("%s: %+v", what, problem)
		}
	}
}

// What the provider serves is not refused as unknown.
func TestEveryEndpointIsKnown(t *testing.T) {
	w := newWorld(t)
	page, _ := w.begin(t)
	for _, path := range []string{"/.well-known/openid-configuration", "/jwks", "/authorize?" + page.RawQuery, "/style.css"} {
		if status, _, body := get(t, w.base.String()+path, "Accept", "text/html"); status != http.StatusOK || strings.Contains(body, "nothing at this address") {
			t.Errorf("%.30s: %d %.200s", path, status, body)
		}
	}
	for method, path := range map[string]string{"POST": "/token", "GET": "/userinfo"} { // without credentials
		r, err := http.NewRequestWithContext(t.Context(), method, w.base.String()+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		answer := httptest.NewRecorder()
		r.URL.Path, r.RemoteAddr = path, "127.0.0.1:5000"
		w.Provider.ServeHTTP(answer, r)
		if answer.Code == http.StatusNotFound || answer.Code == http.StatusMethodNotAllowed {
			t.Errorf("%s: %d %s", path, answer.Code, answer.Body)
		}
	}
}
