package authapi

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// S37: who asks too often is told so, and when to come again.
func TestRateLimits(t *testing.T) {
	tests := []struct {
		event, path string
		browser     bool
	}{
		{"login", "/auth/login/google?next=%2Fa", false},
		{"login", "/auth/login/google?next=%2Fa", true},
		{"callback", "/auth/oauth_callback?state=a&code=b", false},
		{"callback", "/auth/oauth_callback/google?state=a&code=b", true},
		{"profile", "/auth/resolve?username=ada", false},
		{"profile", "/auth/get_profile?username=ada", false},
		{"bad_token", "/auth/check?jwt=forged", false},
		{"bad_token", "/auth/authorize?service=storage&jwt=forged", false},
	}
	for _, test := range tests {
		h := build(t, func(c *Config) {
			c.Limit = func(_ *http.Request, event, account string) (time.Duration, bool) {
				return 1500 * time.Millisecond, event != test.event || account != ""
			}
		})
		r := request(http.MethodGet, test.path)
		if test.browser {
			r = browse(test.path)
		}
		w := h.do(r)
		if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "2" || !strings.Contains(w.Body.String(), "rate_limited") {
			t.Errorf("%s: %d, Retry-After %q: %s", test.path, w.Code, w.Header().Get("Retry-After"), w.Body)
		}
		if len(h.authn.begun)+len(h.authn.completed) > 0 {
			t.Errorf("%s: something was begun or ended", test.path)
		}
	}
}

// A good token, or none, is no bad token; and what is read is not updated.
func TestRateLimitsLeaveOthersAlone(t *testing.T) {
	h := build(t, func(c *Config) {
		c.Limit = func(_ *http.Request, event, _ string) (time.Duration, bool) { return time.Minute, event != "bad_token" }
	})
	for _, path := range []string{
		"/auth/check", "/auth/check?jwt=" + adasToken, "/auth/check?jwt=ended", "/auth/public-key",
		// Contract 2a: datahq/frontend and datahub-client have none.
		"/auth/check?jwt=undefined", "/auth/authorize?service=frontend&jwt=undefined",
	} {
		want(t, h.do(request(http.MethodGet, path)), http.StatusOK, "")
	}
}

// S37: a foreign page full of images that are sign-ins does not lock its visitors
// out of signing in, and starts and ends none.
func TestForeignPagesUseNoLimitUp(t *testing.T) {
	counted := 0
	h := build(t, func(c *Config) {
		c.Limit = func(*http.Request, string, string) (time.Duration, bool) { counted++; return 0, true }
	})
	for _, path := range []string{"/auth/login/google", "/auth/oauth_callback?state=STATE-12345&code=b", "/auth/oauth_callback/google?state=STATE-12345&code=b"} {
		for _, headers := range [][]string{
			{"Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image", "Sec-Fetch-Site: cross-site"},
			{"Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty", "Sec-Fetch-Site: same-site", "Origin: https://evil.example.com"},
		} {
			w := h.do(request(http.MethodGet, path, headers...))
			if w.Code != http.StatusForbidden || w.Header()["Set-Cookie"] != nil {
				t.Errorf("%s by %q: %d, %v", path, headers[0], w.Code, w.Header())
			}
		}
	}
	if counted+len(h.authn.begun)+len(h.authn.completed) > 0 {
		t.Errorf("counted %d, begun %d, completed %d", counted, len(h.authn.begun), len(h.authn.completed))
	}
	// Programs, some of which say how they fetch and not from where, are let in.
	want(t, h.do(request(http.MethodGet, "/auth/login/google", "Sec-Fetch-Mode: cors")), http.StatusFound, "https://idp.example.net/authorize?state=STATE-12345")
	if counted != 1 {
		t.Errorf("a sign-in is counted %d times", counted)
	}
}

// S37: choosing names is limited by account, which no address hides.
func TestRateLimitOfUpdate(t *testing.T) {
	var accounts []string
	h := build(t, func(c *Config) {
		c.Limit = func(_ *http.Request, event, account string) (time.Duration, bool) {
			if event == "update" {
				accounts = append(accounts, account)
			}
			return time.Minute, event != "update"
		}
	})
	w := h.do(request(http.MethodPost, "/auth/update?username=new&jwt="+adasToken))
	if w.Code != http.StatusTooManyRequests || len(accounts) != 1 || accounts[0] != ada().ID {
		t.Errorf("%d, accounts %v: %s", w.Code, accounts, w.Body)
	}
	// Nothing is chosen, nothing is counted.
	want(t, h.do(request(http.MethodPost, "/auth/update?jwt="+adasToken)), http.StatusOK, "")
}
