package wire

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
)

// allowedOrigins and foreignOrigins are for a policy with frontend.example.com
// and example.com/app.
var (
	allowedOrigins = []string{
		"https://app.example.com", "https://frontend.example.com", "https://example.com",
		"http://localhost", "http://localhost:3000", "http://127.0.0.1:8001", "http://[::1]:3000",
	}
	foreignOrigins = []string{
		"null", "*", "https://evil.com", "https://frontend.example.com.evil.com", "https://evil-frontend.example.com", "https://sub.frontend.example.com",
		"http://frontend.example.com", "https://frontend.example.com:8443", "https://frontend.example.com:443", "https://FRONTEND.example.com", "HTTPS://frontend.example.com",
		"https://frontend.example.com/", "https://frontend.example.com.", "https://user@frontend.example.com", "https://frontend.example.com#", "https://frontend.example.com\\",
		"https://frontend.example.com, https://evil.com", "https://frontend.example.com https://evil.com", " https://frontend.example.com", "frontend.example.com", "//frontend.example.com",
		"https://example.com/app", "https://", "file://", "https://localhost", "http://localhost.evil.com", "http://127.1", "http://127.0.0.2:3000", "http://0x7f.1", "http://localhost:*", "http://[::]",
		"chrome-extension://frontend.example.com", "ws://frontend.example.com", "https://frontend.example.com\x00", "https://frontend%2eexample.com",
	}
)

// S32: an exact list, never null, never a wildcard.
func TestAllowOrigin(t *testing.T) {
	policy := newPolicy(t, "https://frontend.example.com", "https://example.com/app")
	for _, origin := range allowedOrigins {
		h := http.Header{"Vary": {"Cookie"}}
		if !policy.AllowOrigin(h, newRequest("GET", "/", "Origin: "+origin)) {
			t.Errorf("%q is refused", origin)
		}
		if got := h["Access-Control-Allow-Origin"]; len(got) != 1 || got[0] != origin {
			t.Errorf("%q: Access-Control-Allow-Origin is %q", origin, got)
		}
		// Old clients send withCredentials.
		if got := h.Get("Access-Control-Allow-Credentials"); got != "true" {
			t.Errorf("%q: Access-Control-Allow-Credentials is %q", origin, got)
		}
		if !slices.Equal(h["Vary"], []string{"Cookie", "Origin"}) {
			t.Errorf("%q: Vary is %q", origin, h["Vary"])
		}
	}
	refused := func(name string, origins ...string) {
		t.Helper()
		r, h := newRequest("GET", "/"), http.Header{}
		r.Header["Origin"] = origins
		if policy.AllowOrigin(h, r) || h.Get("Access-Control-Allow-Origin") != "" || h.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s is allowed: %v", name, h)
		}
		if varies := h.Get("Vary") == "Origin"; varies != (len(origins) > 0) {
			t.Errorf("%s: Vary is %q", name, h["Vary"])
		}
	}
	for _, origin := range foreignOrigins {
		refused(origin, origin)
	}
	refused("no Origin")
	refused("an empty Origin", "")
	refused("a repeated Origin", "https://frontend.example.com", "https://frontend.example.com")
	refused("Origin and another", "https://frontend.example.com", "https://evil.com")
}

// Ruling 20: with loopback_next off, programs on this machine get nothing.
func TestAllowOriginWithoutLoopback(t *testing.T) {
	policy, err := NewNextPolicy(newSite(t, "https://app.example.com"), false, "http://localhost:*")
	if err != nil {
		t.Fatal(err)
	}
	for origin, allowed := range map[string]bool{"http://localhost:3000": true, "http://127.0.0.1:3000": false, "https://app.example.com": true} {
		if policy.AllowsOrigin(origin) != allowed {
			t.Errorf("%q: %t", origin, !allowed)
		}
	}
}

func TestIsPreflight(t *testing.T) {
	const origin, method = "Origin: https://frontend.example.com", "Access-Control-Request-Method: GET"
	for _, tt := range []struct {
		method  string
		headers []string
		want    bool
	}{
		{"OPTIONS", []string{origin, method}, true},
		{"OPTIONS", []string{"Origin: null", method}, true},
		{"OPTIONS", []string{origin}, false},
		{"OPTIONS", []string{method}, false},
		{"OPTIONS", []string{"Origin: ", method}, false},
		{"OPTIONS", nil, false},
		{"GET", []string{origin, method}, false},
		{"options", []string{origin, method}, false},
	} {
		if got := IsPreflight(newRequest(tt.method, "/", tt.headers...)); got != tt.want {
			t.Errorf("%s %q: %t", tt.method, tt.headers, got)
		}
	}
}

// Contract 1.1 and ruling 28.
func TestAnswerPreflight(t *testing.T) {
	policy := newPolicy(t, "https://frontend.example.com")
	for origin, status := range map[string]int{"https://frontend.example.com": 200, "http://localhost:3000": 200, "https://evil.com": 403, "null": 403} {
		w := httptest.NewRecorder()
		policy.AnswerPreflight(w, newRequest("OPTIONS", "/", "Origin: "+origin, "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: x-evil, auth-token"))
		if w.Code != status || w.Body.Len() > 0 {
			t.Errorf("%s: status %d, body %q", origin, w.Code, w.Body)
		}
		want := map[string]string{"Vary": "Origin", "Cache-Control": "no-store", "Content-Length": "0"}
		for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Allow-Headers", "Access-Control-Allow-Methods", "Access-Control-Max-Age"} {
			want[name] = ""
		}
		if status == 200 {
			want["Access-Control-Allow-Origin"] = origin
			want["Access-Control-Allow-Credentials"] = "true"
			want["Access-Control-Allow-Headers"] = "Auth-Token, Authorization, Content-Type, X-Requested-With"
			want["Access-Control-Allow-Methods"] = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
		}
		for name, value := range want {
			if got := w.Header().Get(name); got != value {
				t.Errorf("%s: %s is %q; expected %q", origin, name, got, value)
			}
		}
	}
}
