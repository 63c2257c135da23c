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
	for _, path := range []string{"/auth/check", "/auth/check?jwt=" + adasToken, "/auth/check?jwt=ended", "/auth/public-key"} {
		want(t, h.do(request(http.MethodGet, path)), http.StatusOK, "")
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
