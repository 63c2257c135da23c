package caddymodule_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// S39, S44: whoever panics, nothing is let through, the client learns nothing,
// the log where it was, once, and the next request is served.
func TestFailClosedPanics(t *testing.T) {
	t.Parallel()
	identities := moodFile(t, "fine")
	upstream := gatewaytest.NewUpstream(t)
	g := gatewaytest.New(t, gatewaytest.Config{
		Panics: true,
		Auth:   fmt.Sprintf("login dev\nlogin guest test_identities %s\nrate_limits off\nservice storage static {\neveryone read\n}", identities),
		Site: strings.ReplaceAll(`auth_api
			handle /before/* {
				route {
					test_panic
					require_permission storage {test.permission} read
					reverse_proxy UPSTREAM
				}
			}
			handle /open/* {
				route {
					test_panic
					identify
					reverse_proxy UPSTREAM
				}
			}
			handle /behind/* {
				route {
					require_login
					test_panic
					reverse_proxy UPSTREAM
				}
			}`, "UPSTREAM", upstream.Address()),
	})
	g.Run(t)
	ada := signIn(t, g, "ada")
	upstream.Take()
	logged := func(text string) int { return strings.Count(g.Output(), text) }
	want500 := func(what string, answer gatewaytest.Answer, secret string) {
		t.Helper()
		if answer.Status != http.StatusInternalServerError || inner.MatchString(answer.Body) || strings.Contains(answer.Body, "secret-of") {
			t.Errorf("%s: %d %s", what, answer.Status, answer.Body)
		}
		if len(answer.Header["Set-Cookie"]) > 0 || answer.Location != "" || answer.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", what, answer.Header)
		}
		eventually(t, what+" is in the log", func() bool { return logged(secret) > 0 })
		if got := logged(secret); got != 1 {
			t.Errorf("%s: %d lines in the log, want 1", what, got)
		}
		wantUnseen(t, upstream)
	}
	// A placeholder at a gate.
	want500("placeholder", call(t, g, "/before/x", "Auth-Token", ada.Token, "X-Panic", "placeholder"), "secret-of-the-placeholder")
	// A page of an identity provider's.
	want500("page", ada.Fetch(g.URL+"/auth/login/guest/panic"), "secret-of-the-page")

	// Behind a gate, others' panics stay theirs: Caddy and net/http end the
	// connection, which is how a proxy says that an answer is not whole.
	for how, lines := range map[string]int{"abort": 0, "upstream": 1} {
		request, err := http.NewRequest(http.MethodGet, g.URL+"/behind/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header = header("Auth-Token", ada.Token, "X-Panic", how)
		if answer, err := http.DefaultTransport.RoundTrip(request); err == nil {
			answer.Body.Close()
			t.Errorf("%s: got an answer, %d", how, answer.StatusCode)
		}
		wantUnseen(t, upstream)
		if how == "upstream" {
			eventually(t, "it is in the log", func() bool { return logged("secret-of-the-upstream") == lines })
		}
	}
	for _, path := range []string{"abort", "late"} {
		if answer, err := http.Get(g.URL + "/auth/login/guest/" + path); err == nil {
			answer.Body.Close()
			if answer.ContentLength >= 0 {
				t.Errorf("page %s: got a whole answer, %d", path, answer.StatusCode)
			}
		}
	}

	// It serves on.
	if answer := ada.Fetch(g.URL + "/behind/x"); answer.Status != http.StatusOK {
		t.Errorf("afterwards: %d %s", answer.Status, answer.Body)
	}
	if answer := ada.Fetch(g.URL + "/auth/login/guest/"); answer.Body != "a page" {
		t.Errorf("the page afterwards: %d %s", answer.Status, answer.Body)
	}
}

// S26, S39: an identity provider that panics, fails after all, or brings
// somebody who is nobody: a page, and neither a user, a session nor a circle.
func TestFailClosedIdentityGuest(t *testing.T) {
	t.Parallel()
	file := moodFile(t, "fine")
	g := gatewaytest.Start(t, gatewaytest.Config{
		Panics: true,
		Auth:   fmt.Sprintf("login guest test_identities %s\nrate_limits off", file),
		Site:   "auth_api\nrequire_login\nrespond welcome",
	})
	database := openDatabase(t, g)
	for word, want := range map[string]struct {
		status int
		code   string
	}{
		"panic at the start": {502, "provider_error"}, "relative": {502, "provider_error"}, "script": {502, "provider_error"},
		"nothing": {502, "provider_error"}, "much to keep": {502, "provider_error"}, "fail at the start": {502, "provider_error"},
		"gone at the start": {502, "provider_unavailable"},
		"panic":             {502, "provider_error"}, "nil map": {502, "provider_error"}, "grace and fail": {502, "provider_error"},
		"gone": {502, "provider_unavailable"}, "nobody": {502, "provider_error"}, "no subject": {502, "provider_error"},
		"no issuer": {502, "provider_error"}, "unverified": {403, "email_unverified"}, "no address": {403, "email_unverified"},
		"two addresses": {403, "email_unverified"},
	} {
		setMood(t, file, word)
		b := gatewaytest.NewBrowser(t)
		answer, at := b.Follow(g.URL + "/page") // fails the test if it goes round
		wantFailure(t, g, b, answer, want.status, want.code)
		if inner.MatchString(answer.Body) || strings.Contains(answer.Body, "secret-of") || strings.Contains(answer.Body, "broken") {
			t.Errorf("%s: the page at %s tells %s", word, at, answer.Body)
		}
	}
	wantRows(t, database, "users", 0)
	wantRows(t, database, "auth_sessions", 0)
	setMood(t, file, "fine")
	b := gatewaytest.NewBrowser(t)
	if answer, at := b.Follow(g.URL + "/page?x=1"); answer.Body != "welcome" || at != g.URL+"/page?x=1" {
		t.Errorf("afterwards: %d at %s", answer.Status, at)
	}
	for _, secret := range []string{"secret-of-the-start", "secret-of-the-callback"} {
		eventually(t, secret+" is in the log once", func() bool { return strings.Count(g.Output(), secret) == 1 })
	}
}
