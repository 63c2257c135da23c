package demo

import (
	"net/http"
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	for _, test := range []struct{ header, value, want string }{
		{"Cookie", "theme=dark; auth=a=b", "theme=… (4 characters); auth=… (3 characters)"},
		{"Cookie", "nameless", "… (8 characters)"},
		{"Authorization", "Bearer abc", "Bearer … (3 characters)"},
		{"Authorization", "abc", "… (3 characters)"},
		{"Proxy-Authorization", "Basic Og==", "Basic … (4 characters)"},
		{"Auth-Token", "ümlaut", "… (6 characters)"},
		{"Auth_token", "abc", "… (3 characters)"},
		{"X.auth.token", "abc", "… (3 characters)"},
		{"Accept", "text/plain; q=1", "text/plain; q=1"},
		{"X-Cookie", "a=b", "a=b"},
	} {
		if got := redact(test.header, []string{test.value}); len(got) != 1 || got[0] != test.want {
			t.Errorf("%s: %q became %q, want %q", test.header, test.value, got, test.want)
		}
	}
}

// The page is for showing around: a credential on it would be on every
// screenshot.
func TestNoAnswerHoldsACredential(t *testing.T) {
	g := newGateway(t)
	raw := g.sign(t, nil)
	for _, accept := range []string{browser, "*/*"} {
		w := ask(t, New(Config{PublicKeyURL: g.URL}), http.MethodGet, "/", "Accept", accept,
			"Cookie", "auth_session=hunter2", "Cookie", "hunter2", "Authorization", "Bearer hunter2", "Authorization", "hunter2",
			"Proxy-Authorization", "Basic hunter2", "Auth-Token", "hunter2", "auth_token", "hunter2", "X-Api-Key", "hunter2",
			tokenHeader, raw)
		body := w.Body.String()
		if strings.Contains(body, "hunter2") {
			t.Errorf("Accept %q: a credential is shown:\n%s", accept, body)
		}
		if signature := raw[strings.LastIndex(raw, ".")+1:]; strings.Contains(body, signature) {
			t.Errorf("Accept %q: the token can be copied from the answer", accept)
		}
		if !strings.Contains(body, "auth_session=… (7 characters)") {
			t.Errorf("Accept %q: the cookie's name is missing:\n%s", accept, body)
		}
	}
}
