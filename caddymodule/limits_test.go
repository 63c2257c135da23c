package caddymodule_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// limited are requests that count against one address, by the limit's name.
// Each is refused as good or bad as it is, but not for its number.
var limited = map[string]func(n int) (path string, headers []string){
	"login": func(int) (string, []string) { return "/auth/login/dev?next=%2Fpage", nil },
	"callback": func(n int) (string, []string) {
		return fmt.Sprintf("/auth/oauth_callback/dev?state=guess%d&code=x", n), nil
	},
	"bad_token": func(n int) (string, []string) {
		return "/auth/check", []string{"Auth-Token", fmt.Sprintf("eyJhbGciOiJub25lIn0.e30.%d", n)}
	},
	"profile": func(n int) (string, []string) { return fmt.Sprintf("/auth/resolve?username=user%d", n), nil },
}

// smallLimits are of 3 requests each, with the next one in a minute.
func smallLimits(more string) string {
	return "rate_limits {\nlogin 3 1\ncallback 3 1\nbad_token 3 1\nprofile 3 1\n" + more + "\n}"
}

func limitsGateway(t *testing.T, limits, global string) *gatewaytest.Gateway {
	t.Helper()
	return gatewaytest.Start(t, gatewaytest.Config{
		Auth: "login dev\nservice storage static {\neveryone read\n}\n" + limits, Global: global,
		Site: "auth_api\nhandle /page* {\nrequire_login\nrespond welcome\n}",
	})
}

// wantLimited checks that an answer is a refusal for its number (S37).
func wantLimited(t *testing.T, what string, answer gatewaytest.Answer) {
	t.Helper()
	p := wantProblem(t, answer, http.StatusTooManyRequests, "rate_limited")
	seconds, err := strconv.Atoi(answer.Header.Get("Retry-After"))
	if err != nil || seconds < 1 || seconds > 60 || p.Code == "" || answer.Location != "" {
		t.Errorf("%s: Retry-After is %q, Location %q", what, answer.Header.Get("Retry-After"), answer.Location)
	}
}

// allowed counts how many of limit's requests come through until one is
// refused; at most most.
func allowed(t *testing.T, g *gatewaytest.Gateway, limit string, most int, headers ...string) int {
	t.Helper()
	for n := range most {
		path, own := limited[limit](n)
		answer := call(t, g, path, append(own, headers...)...)
		if answer.Status == http.StatusTooManyRequests {
			wantLimited(t, limit, answer)
			return n
		}
		if answer.Status >= 500 {
			t.Errorf("%s: %d %s", limit, answer.Status, answer.Body)
		}
	}
	return most
}

// S37: sign-ins that start, callbacks, bad tokens and look-ups, each counted
// by itself.
func TestRateLimits(t *testing.T) {
	g := limitsGateway(t, smallLimits(""), "")
	ada := signIn(t, g, "ada") // one login, one callback
	for limit, want := range map[string]int{"login": 2, "callback": 2, "bad_token": 3, "profile": 3} {
		if got := allowed(t, g, limit, 10); got != want {
			t.Errorf("%s: %d came through, want %d", limit, got, want)
		}
	}
	for what, request := range map[string]func() gatewaytest.Answer{
		"get_profile": func() gatewaytest.Answer { return call(t, g, "/auth/get_profile?username=ada") },
		"a bad token at authorize": func() gatewaytest.Answer {
			return call(t, g, "/auth/authorize?service=storage&jwt=eyJhbGciOiJub25lIn0.e30.x")
		},
		"a bad token at update": func() gatewaytest.Answer {
			return gatewaytest.NewBrowser(t).Do(http.MethodPost, g.URL+"/auth/update?username=x", nil, header("Auth-Token", "eyJhbGciOiJub25lIn0.e30.y"))
		},
		"a bad token at a gate": func() gatewaytest.Answer {
			return call(t, g, "/page", "Auth-Token", "eyJhbGciOiJub25lIn0.e30.z")
		},
		"a login with another destination": func() gatewaytest.Answer {
			return call(t, g, "/auth/login/dev?deliver=jwt&next="+url.QueryEscape(application))
		},
		// The attack: other addresses, as a client may claim to have them. Nobody
		// said that clients are to be believed.
		"X-Forwarded-For": func() gatewaytest.Answer {
			return call(t, g, "/auth/resolve?username=a", "X-Forwarded-For", "192.0.2.7")
		},
		"X-Forwarded-For, two": func() gatewaytest.Answer {
			return call(t, g, "/auth/resolve?username=a", "X-Forwarded-For", "192.0.2.8, 127.0.0.1")
		},
		"X-Real-Ip": func() gatewaytest.Answer { return call(t, g, "/auth/resolve?username=a", "X-Real-Ip", "192.0.2.7") },
		"Forwarded": func() gatewaytest.Answer { return call(t, g, "/auth/resolve?username=a", "Forwarded", "for=192.0.2.7") },
		"True-Client-Ip": func() gatewaytest.Answer {
			return call(t, g, "/auth/resolve?username=a", "True-Client-Ip", "192.0.2.7")
		},
		"Cf-Connecting-Ip": func() gatewaytest.Answer {
			return call(t, g, "/auth/resolve?username=a", "Cf-Connecting-Ip", "192.0.2.7")
		},
	} {
		wantLimited(t, what, request())
	}
	// A browser gets a page, and no sign-in.
	page := gatewaytest.NewBrowser(t).Navigate(g.URL + "/auth/login/dev")
	if page.Status != http.StatusTooManyRequests || page.Header.Get("Retry-After") == "" || !strings.Contains(page.Body, "rate_limited") ||
		!strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") || len(page.Header["Set-Cookie"]) > 0 {
		t.Errorf("the page: %d %v", page.Status, page.Header)
	}
	// Good tokens, no token and public keys are not limited.
	for range 5 {
		if answer := call(t, g, "/auth/check", "Auth-Token", ada.Token); answer.Status != http.StatusOK || !strings.Contains(answer.Body, ada.ID) {
			t.Errorf("a good token: %d %s", answer.Status, answer.Body)
		}
		permissionToken(t, g, ada.Token, "storage")
		if answer := call(t, g, "/page", "Auth-Token", ada.Token); answer.Body != "welcome" {
			t.Errorf("a good token at the gate: %d %s", answer.Status, answer.Body)
		}
		wantProblem(t, call(t, g, "/page"), http.StatusUnauthorized, "not_signed_in")
		for _, path := range []string{"/auth/check", "/auth/public-key"} {
			if answer := call(t, g, path); answer.Status != http.StatusOK {
				t.Errorf("%s: %d", path, answer.Status)
			}
		}
	}
}

// S37: behind a proxy that is trusted, clients count by their own address.
func TestRateLimitsBehindProxy(t *testing.T) {
	g := limitsGateway(t, smallLimits("exempt 198.51.100.0/24"), "servers {\ntrusted_proxies static 127.0.0.1/32\n}")
	for limit := range limited {
		for _, c := range []struct {
			client string
			want   int
		}{
			{"192.0.2.7", 3},
			{"192.0.2.7", 0},
			{"192.0.2.8", 3},
			{"198.51.100.9", 10},        // exempt
			{"2001:db8:1:2::1", 3},      //
			{"2001:db8:1:2:ffff::1", 0}, // of the same network
			{"2001:db8:1:3::1", 3},      //
			{"::ffff:192.0.2.7", 0},     // the first one in another spelling
			{"127.0.0.1", 3},            // the proxy itself
		} {
			if got := allowed(t, g, limit, 10, "X-Forwarded-For", c.client); got != c.want {
				t.Errorf("%s from %s: %d came through, want %d", limit, c.client, got, c.want)
			}
		}
	}
}

// The attack behind a trusted proxy: it appends the address that it saw to
// whatever the client had claimed, and a client that claims another address each
// time must still be one client. Caddy reads from the right only with
// trusted_proxies_strict.
func TestRateLimitsForgedForwarding(t *testing.T) {
	g := limitsGateway(t, smallLimits(""), "servers {\ntrusted_proxies static 127.0.0.1/32\ntrusted_proxies_strict\n}")
	through := 0
	for n := range 10 {
		answer := call(t, g, "/auth/resolve?username=a", "X-Forwarded-For", fmt.Sprintf("203.0.113.%d, 192.0.2.7", n))
		if answer.Status == http.StatusOK {
			through++
			continue
		}
		wantLimited(t, "forged", answer)
	}
	if through != 3 {
		t.Errorf("%d came through, want 3", through)
	}
}

func TestRateLimitsOff(t *testing.T) {
	for name, limits := range map[string]string{"off": "rate_limits off", "exempt": smallLimits("exempt 10.0.0.1 127.0.0.1")} {
		t.Run(name, func(t *testing.T) {
			g := limitsGateway(t, limits, "")
			for limit := range limited {
				if got := allowed(t, g, limit, 110); got != 110 {
					t.Errorf("%s: %d came through, want all", limit, got)
				}
			}
		})
	}
}

// A reload forgives nobody (S37), but other limits count anew.
func TestRateLimitsReload(t *testing.T) {
	config := func(limits, more string) gatewaytest.Config {
		return gatewaytest.Config{Auth: "login dev\n" + limits, Site: "auth_api\n" + more}
	}
	g := gatewaytest.Start(t, config(smallLimits(""), ""))
	for limit := range limited {
		if got := allowed(t, g, limit, 10); got != 3 {
			t.Errorf("%s: %d came through, want 3", limit, got)
		}
	}
	for range 3 {
		g.Reload(t, config(smallLimits(""), "header X-Changed yes"))
		for limit := range limited {
			if got := allowed(t, g, limit, 10); got != 0 {
				t.Errorf("%s after a reload: %d came through", limit, got)
			}
		}
	}
	if answer := call(t, g, "/auth/check"); answer.Header.Get("X-Changed") != "yes" {
		t.Error("the reload has changed nothing")
	}
	g.Reload(t, config("rate_limits off", ""))
	for limit := range limited {
		if got := allowed(t, g, limit, 10); got != 10 {
			t.Errorf("%s, switched off: %d came through", limit, got)
		}
	}
}

// Without a word in the configuration there are limits: a program that guesses
// comes to an end.
func TestRateLimitsDefault(t *testing.T) {
	g := limitsGateway(t, "", "")
	for limit, burst := range map[string]int{"profile": 200, "bad_token": 1000} {
		// Some more come through than at once: time goes on, 5 a second at most.
		if got := allowed(t, g, limit, 3*burst); got < burst || got > burst+burst/2 {
			t.Errorf("%s: %d came through, want about %d", limit, got, burst)
		}
	}
}
