package caddymodule_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// badCookie is a cookie's value that has the form of ours; n makes it another.
func badCookie(n int) string {
	return base64.RawURLEncoding.EncodeToString([]byte(fmt.Sprintf("%032d", n)))
}

// S37: tokens and cookies that are none count alike, at gates and endpoints:
// whoever tries them out comes to an end, also with cookies, and also at a gate
// that turns nobody away, where the tries count and the visitor stays anonymous
// (ruling 7). Nobody who has a good one is kept out.
func TestBadCredentialsCount(t *testing.T) {
	config := gatewaytest.Config{
		Auth: "login dev\nservice storage static {\neveryone read\n}\n" + smallLimits(""),
		Site: "auth_api\nhandle /page* {\nrequire_login\nrespond welcome\n}\nhandle /storage* {\nrequire_permission storage read\nrespond welcome\n}\n" +
			"handle {\nidentify\nrespond \"open to {http.auth.user.username}\"\n}",
	}
	token := func(n int) []string { return []string{"Auth-Token", fmt.Sprintf("eyJhbGciOiJub25lIn0.e30.%d", n)} }
	cookie := func(n int) []string { return []string{"Cookie", "auth_session=" + badCookie(n)} }
	nonsense := func(n int) []string { return []string{"Cookie", fmt.Sprintf("auth_session=nonsense%d", n)} }
	for _, test := range []struct {
		name, path string
		headers    func(n int) []string
	}{
		{"cookies at a gate", "/page", cookie},
		{"cookies at a permission gate", "/storage", cookie},
		{"nonsense as cookies at a gate", "/page", nonsense},
		{"tokens at a gate", "/page", token},
		{"cookies at check", "/auth/check", cookie},
		{"nonsense as cookies at check", "/auth/check", nonsense},
		{"cookies at authorize", "/auth/authorize?service=storage", cookie},
		{"cookies on the account page", "/auth/account", func(n int) []string {
			return append(cookie(n), "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document")
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := gatewaytest.Start(t, config)
			ada := signIn(t, g, "ada")
			for n := range 6 {
				answer := call(t, g, test.path, test.headers(n)...)
				if limited := answer.Status == http.StatusTooManyRequests; limited != (n >= 3) || limited && answer.Header.Get("Retry-After") == "" {
					t.Errorf("number %d: %d %v", n, answer.Status, answer.Header)
				}
			}
			// By whatever way they come now.
			for n, path := range map[int]string{100: "/page", 200: "/auth/check"} {
				wantLimited(t, path, call(t, g, path, token(n)...))
				wantLimited(t, path, call(t, g, path, append(cookie(n), "X-Forwarded-For", "192.0.2.1")...))
				if answer := call(t, g, path, "Cookie", "auth_session="+ada.Cookie); answer.Status != http.StatusOK {
					t.Errorf("ada at %s: %d %s", path, answer.Status, answer.Body)
				}
			}
			if answer := call(t, g, "/", cookie(101)...); answer.Body != "open to " {
				t.Errorf("at the open gate: %d %s", answer.Status, answer.Body)
			}
			wantProblem(t, call(t, g, "/page"), http.StatusUnauthorized, "not_signed_in")
		})
	}
	t.Run("at an open gate", func(t *testing.T) {
		t.Parallel()
		g := gatewaytest.Start(t, config)
		for n := range 6 {
			for _, headers := range [][]string{token(n), cookie(n)} {
				if answer := call(t, g, "/", headers...); answer.Status != http.StatusOK || answer.Body != "open to " {
					t.Errorf("%d %s", answer.Status, answer.Body)
				}
			}
		}
		wantLimited(t, "afterwards", call(t, g, "/page", cookie(100)...))
	})
	// A browser that still has the cookie of a session that has ended sends it with
	// every picture of a page.
	t.Run("one dead cookie", func(t *testing.T) {
		t.Parallel()
		g := gatewaytest.Start(t, config)
		limited := 0
		for range 30 {
			if answer := call(t, g, "/page", cookie(1)...); answer.Status == http.StatusTooManyRequests {
				limited++
			}
		}
		if limited > 0 {
			t.Errorf("%d of 30 requests were limited", limited)
		}
		if answer := call(t, g, "/page", append(cookie(1), "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document")...); !strings.HasPrefix(answer.Location, g.URL+"/auth/login") {
			t.Errorf("the browser is not sent to sign in: %d to %s", answer.Status, answer.Location)
		}
	})
}
