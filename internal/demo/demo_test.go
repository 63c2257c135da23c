package demo

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/datahq/auth-gateway/internal/token"
)

const issuer = "http://localhost:8080"

// gateway is a stand-in that publishes a key and can sign with it.
type gateway struct {
	*token.Ring
	*httptest.Server
	fetches atomic.Int32
}

func newGateway(t *testing.T) *gateway {
	t.Helper()
	g := &gateway{Ring: newRing(t)}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		g.fetches.Add(1)
		_, _ = w.Write(g.PublicKeyPEM())
	}))
	t.Cleanup(g.Close)
	return g
}

func newRing(t *testing.T) *token.Ring {
	t.Helper()
	signing, err := token.GenerateSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	session, err := token.GenerateSessionKey()
	if err != nil {
		t.Fatal(err)
	}
	return token.NewRing(issuer, session, signing)
}

// ask sends the demo a request with the headers given as name, value, ….
func ask(t *testing.T, demo http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header[headers[i]] = append(r.Header[headers[i]], headers[i+1])
	}
	w := httptest.NewRecorder()
	demo.ServeHTTP(w, r)
	return w
}

// httpRequest is a browser's.
func httpRequest(t *testing.T, path string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://gateway.test"+path, nil)
	r.Header.Set("Accept", browser)
	return r
}

func serve(demo http.Handler, r *http.Request) string {
	w := httptest.NewRecorder()
	demo.ServeHTTP(w, r)
	return w.Body.String()
}

// browser is what one sends as Accept.
const browser = "text/html,application/xhtml+xml,*/*;q=0.8"

func TestEveryAnswerIsUncachedAndLockedDown(t *testing.T) {
	demo := New(Config{})
	for _, accept := range []string{browser, "*/*"} {
		h := ask(t, demo, http.MethodGet, "/any", "Accept", accept).Header()
		for name, want := range map[string]string{
			"Cache-Control":           "no-store",
			"X-Content-Type-Options":  "nosniff",
			"Referrer-Policy":         "no-referrer",
			"Vary":                    "Accept",
			"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("Accept %q: %s is %q, want %q", accept, name, got, want)
			}
		}
	}
}

func TestFormFollowsAccept(t *testing.T) {
	demo := New(Config{})
	const html, json = "text/html; charset=utf-8", "application/json"
	for _, test := range []struct{ method, path, accept, want string }{
		{"GET", "/", browser, html},
		{"GET", "/", "Text/HTML", html},
		{"POST", "/deep/er", browser, html},
		{"GET", "/", "*/*", json},
		{"GET", "/", "", json},
		{"DELETE", "/x", "application/json", json},
		{"POST", "/events", "*/*", json},
		{"POST", "/demo.css", "*/*", json},
	} {
		w := ask(t, demo, test.method, test.path, "Accept", test.accept)
		if got := w.Header().Get("Content-Type"); w.Code != http.StatusOK || got != test.want {
			t.Errorf("%s %s with Accept %q: %d %q, want 200 %q", test.method, test.path, test.accept, w.Code, got, test.want)
		}
	}
}
