package caddymodule_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// moodyGateway has a service whose permission provider behaves as the file says.
func moodyGateway(t *testing.T, file, auth string) (*gatewaytest.Gateway, *gatewaytest.Upstream) {
	t.Helper()
	upstream := gatewaytest.NewUpstream(t)
	return gatewaytest.Start(t, gatewaytest.Config{
		Panics: true,
		Auth:   fmt.Sprintf("login dev\nrate_limits off\nservice storage test_permissions %s\n%s", file, auth),
		Site: strings.ReplaceAll(`auth_api
			handle /login/* {
				require_login
				reverse_proxy UPSTREAM
			}
			handle /storage/* {
				require_permission storage read {
					forward_token
				}
				reverse_proxy UPSTREAM
			}
			handle {
				identify
				reverse_proxy UPSTREAM
			}`, "UPSTREAM", upstream.Address()),
	}), upstream
}

// S39, ruling 1: a permission provider that cannot answer has neither granted
// nor denied. Only what a permission token says for itself holds on.
func TestFailClosedPermissionProvider(t *testing.T) {
	t.Parallel() // it waits
	file := moodFile(t, "grant")
	g, upstream := moodyGateway(t, file, "stale_if_error off")
	ada := signIn(t, g, "ada")
	for _, word := range []string{"fail", "panic", "grant and fail", "hang", "stuck"} {
		setMood(t, file, "grant")
		bob := visit(t, g, "bob")
		token := permissionToken(t, g, ada.Token, "storage") // not seen by a gate yet
		setMood(t, file, word)
		upstream.Take()
		cookie := []string{"Cookie", "auth_session=" + bob.cookie}
		probes{
			word + ": cookie at the gate": func() gatewaytest.Answer { return call(t, g, "/storage/x", cookie...) },
			word + ": token at the gate":  func() gatewaytest.Answer { return call(t, g, "/storage/x", "Auth-Token", bob.token) },
			word + ": page":               func() gatewaytest.Answer { return bob.Navigate(g.URL + "/storage/x") },
			word + ": authorize": func() gatewaytest.Answer {
				return call(t, g, "/auth/authorize?service=storage", "Auth-Token", bob.token)
			},
		}.wantClosed(t)
		wantUnseen(t, upstream)
		// Who he is can be told, and what concerns no permission goes on.
		for _, path := range []string{"/login/x", "/open", "/auth/check", "/auth/account"} {
			if answer := bob.Fetch(g.URL + path); answer.Status != http.StatusOK {
				t.Errorf("%s: %s: %d %s", word, path, answer.Status, answer.Body)
			}
		}
		answer := call(t, g, "/storage/x", "Auth-Token", token)
		if answer.Status != http.StatusOK {
			t.Errorf("%s: the token's own permissions do not hold: %d %s", word, answer.Status, answer.Body)
		} else if seen := gatewaytest.ParseSeen(t, answer.Body); seen.Header.Get("X-Auth-Permissions") != `{"read":true}` || seen.Header.Get("X-Auth-User-Id") != ada.ID {
			t.Errorf("%s: with the token's own permissions the upstream saw %v", word, identity(seen))
		}
		// Back at once, without a restart; and a "no" is a "no" again.
		setMood(t, file, "grant")
		if answer := call(t, g, "/storage/x", cookie...); answer.Status != http.StatusOK {
			t.Errorf("%s: afterwards: %d %s", word, answer.Status, answer.Body)
		}
	}
	if output := g.Output(); !strings.Contains(output, "failclosed_guest_test.go") || !strings.Contains(output, "cannot stand") {
		t.Error("the log does not tell where the provider has panicked")
	}
}

// S39, S13: nonsense grants nothing that is not JSON true, and reaches no
// upstream as a header.
func TestFailClosedPermissionNonsense(t *testing.T) {
	t.Parallel()
	file := moodFile(t, "grant")
	g, _ := moodyGateway(t, file, "stale_if_error off")
	for word, want := range map[string]int{
		"nil": http.StatusForbidden, "none": http.StatusForbidden, "words": http.StatusForbidden, "number": http.StatusForbidden,
		"list": http.StatusForbidden, "spelling": http.StatusForbidden,
		// These grant it, and say besides what fits into no token.
		"function": http.StatusServiceUnavailable, "not a number": http.StatusServiceUnavailable, "endless": http.StatusServiceUnavailable,
		"line breaks": http.StatusOK, "in the past": http.StatusOK, "huge": http.StatusServiceUnavailable,
	} {
		setMood(t, file, word)
		bob := visit(t, g, "bob")
		answer := bob.Fetch(g.URL + "/storage/x")
		if answer.Status != want {
			t.Errorf("%s: %d, want %d: %.300s", word, answer.Status, want, answer.Body)
		}
		if want == http.StatusOK && answer.Status == http.StatusOK {
			seen := gatewaytest.ParseSeen(t, answer.Body)
			for name, values := range identity(seen) {
				if len(values) != 1 || strings.ContainsFunc(values[0], func(r rune) bool { return r < 0x20 || r > 0x7e }) || values[0] == "root" {
					t.Errorf("%s: the upstream saw %s: %q", word, name, values)
				}
			}
		}
		authorize := call(t, g, "/auth/authorize?service=storage", "Auth-Token", bob.token)
		if authorize.Status >= 500 && authorize.Status != http.StatusServiceUnavailable || inner.MatchString(jwts.ReplaceAllString(authorize.Body, "")) {
			t.Errorf("%s: authorize: %d %.300s", word, authorize.Status, authorize.Body)
		}
	}
	setMood(t, file, "grant")
	if answer := visit(t, g, "eve").Fetch(g.URL + "/storage/x"); answer.Status != http.StatusOK {
		t.Errorf("afterwards: %d %s", answer.Status, answer.Body)
	}
}

// Ruling 2: stale_if_error is how long an answer serves that is no longer fresh,
// and not longer; what comes after it is 503 and no "no".
func TestFailClosedStaleIfError(t *testing.T) {
	t.Parallel()
	file := moodFile(t, "grant")
	g, _ := moodyGateway(t, file, "stale_if_error 4s")
	ada := visit(t, g, "ada")
	ask := func() int { return ada.Fetch(g.URL + "/storage/x").Status }
	for name, begin := range map[string]func() (end func()){
		"permission provider": func() func() {
			setMood(t, file, "fail")
			return func() { setMood(t, file, "grant") }
		},
		"database": func() func() { return hideTables(t, databaseFile(g)) },
	} {
		if got := ask(); got != http.StatusOK {
			t.Fatalf("%s: before: %d", name, got)
		}
		end := begin()
		if got := ask(); got != http.StatusOK {
			t.Errorf("%s: just afterwards: %d", name, got)
		}
		statuses := make(map[int]bool)
		eventually(t, "the end of stale_if_error", func() bool {
			got := ask()
			statuses[got] = true
			return got == http.StatusServiceUnavailable
		})
		for range 5 {
			statuses[ask()] = true
		}
		delete(statuses, http.StatusOK)
		delete(statuses, http.StatusServiceUnavailable)
		if len(statuses) > 0 {
			t.Errorf("%s: answers %v", name, statuses)
		}
		end()
		if got := ask(); got != http.StatusOK {
			t.Errorf("%s: as soon as it is back: %d", name, got)
		}
	}
}
