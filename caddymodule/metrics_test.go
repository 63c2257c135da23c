package caddymodule_test

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

var observedConfig = gatewaytest.Config{
	Auth: `login dev
		service storage static {
			user ada@example.com read
		}`,
	Site: `auth_api
	handle /storage/* {
		require_permission storage read
		respond "inside"
	}
	handle {
		identify
		respond "open"
	}`,
	Global: "metrics",
}

// The metrics appear on Caddy's own endpoint, go on across reloads, and hold
// nothing of users, paths or addresses (S41).
func TestMetrics(t *testing.T) {
	g := gatewaytest.Start(t, observedConfig)
	ada := signIn(t, g, "ada")
	bob := signIn(t, g, "bob")
	expect := func(answer gatewaytest.Answer, status int) {
		t.Helper()
		if answer.Status != status {
			t.Fatalf("got %d: %s", answer.Status, answer.Body)
		}
	}
	expect(ada.Fetch(g.URL+"/storage/secret-path"), http.StatusOK)
	expect(ada.Fetch(g.URL+"/storage/secret-path"), http.StatusOK)
	expect(bob.Fetch(g.URL+"/storage/x"), http.StatusForbidden)
	expect(call(t, g, "/storage/x"), http.StatusUnauthorized)
	expect(call(t, g, "/anything"), http.StatusOK)
	forged := "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIifQ.c2ln"
	expect(call(t, g, "/storage/x", "Auth-Token", forged), http.StatusUnauthorized)
	permission := permissionToken(t, g, ada.Token, "storage")
	expect(call(t, g, "/storage/x", "Auth-Token", permission), http.StatusOK)

	before := readMetrics(t, g)
	for name, least := range map[string]float64{
		`caddy_auth_decisions_total{outcome="allowed",reason="signed_in"}`:          3,
		`caddy_auth_decisions_total{outcome="allowed",reason="anonymous"}`:          1,
		`caddy_auth_decisions_total{outcome="refused",reason="permission_missing"}`: 1,
		`caddy_auth_decisions_total{outcome="refused",reason="not_signed_in"}`:      1,
		`caddy_auth_decisions_total{outcome="refused",reason="token_invalid"}`:      1,
		`caddy_auth_logins_total{provider="dev",result="success"}`:                  2,
		`caddy_auth_token_verifications_total{kind="permission",result="valid"}`:    1,
		`caddy_auth_database_seconds_count{operation="session_by_cookie"}`:          2,
		`caddy_auth_database_seconds_count{operation="create_session"}`:             2,
		`caddy_auth_cache_requests_total{layer="near",result="hit"}`:                1,
		`caddy_auth_cache_requests_total{layer="near",result="miss"}`:               2,
	} {
		if got, found := before[name]; !found || got < least {
			t.Errorf("%s is %v, want at least %v", name, got, least)
		}
	}
	for name := range before {
		for _, private := range []string{ada.ID, bob.ID, "example.com", "secret-path", "127.0.0.1", "eyJ"} {
			if strings.HasPrefix(name, "caddy_auth") && strings.Contains(name, private) {
				t.Errorf("%s holds %q", name, private)
			}
		}
	}

	g.Reload(t, observedConfig)
	expect(ada.Fetch(g.URL+"/storage/x"), http.StatusOK)
	const allowed = `caddy_auth_decisions_total{outcome="allowed",reason="signed_in"}`
	if after := readMetrics(t, g)[allowed]; after != before[allowed]+1 {
		t.Errorf("%s is %v after a reload and one request, was %v", allowed, after, before[allowed])
	}
}

var sample = regexp.MustCompile(`(?m)^([^#\s][^\s]*) ([^\s]+)$`)

// readMetrics reads Caddy's metrics endpoint.
func readMetrics(t *testing.T, g *gatewaytest.Gateway) map[string]float64 {
	t.Helper()
	answer := gatewaytest.NewBrowser(t).Do(http.MethodGet, g.Admin()+"/metrics", nil, nil)
	found := make(map[string]float64)
	for _, match := range sample.FindAllStringSubmatch(answer.Body, -1) {
		value, err := strconv.ParseFloat(match[2], 64)
		if err != nil {
			t.Fatalf("%s: %v", match[0], err)
		}
		found[match[1]] = value
	}
	if len(found) == 0 {
		t.Fatalf("no metrics (%d):\n%s", answer.Status, answer.Body)
	}
	return found
}
