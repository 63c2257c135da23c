package caddymodule_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/providers/providertest/fakegithub"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

// S26, S39: each endpoint of a provider fails in each of its ways in the middle
// of a sign-in: a page that says so, and neither a user, a session nor a circle;
// and the next sign-in works.
func TestFailClosedProviderMidway(t *testing.T) {
	t.Parallel() // it waits
	a := newAccounts(t, nil, gatewaytest.Config{Auth: "rate_limits off", Site: "auth_api\nrequire_login\nrespond welcome"})
	database := openDatabase(t, a.Gateway)
	type step struct {
		provider, name string
		set            func(on bool)
	}
	var steps []step
	for _, endpoint := range []fakeidp.Endpoint{fakeidp.JWKS, fakeidp.Token, fakeidp.Userinfo} {
		for _, fault := range []fakeidp.Fault{fakeidp.Down, fakeidp.HTMLInsteadOfJSON, fakeidp.HugeAnswer, fakeidp.RedirectingToken} {
			steps = append(steps, step{"google", string(endpoint) + " " + string(fault), func(on bool) {
				if on && endpoint == fakeidp.JWKS {
					a.google.RotateKey() // so that the new one is asked for
				}
				a.google.Break(endpoint, map[bool]fakeidp.Fault{true: fault}[on])
			}})
		}
	}
	for _, endpoint := range []fakegithub.Endpoint{fakegithub.AccessToken, fakegithub.User, fakegithub.Emails} {
		for _, failure := range fakegithub.Failures() {
			if failure == fakegithub.Slow {
				continue // below
			}
			steps = append(steps, step{"github", string(endpoint) + " " + string(failure), func(on bool) {
				a.github.Break(endpoint, map[bool]fakegithub.Failure{true: failure}[on])
			}})
		}
	}
	steps = append(steps,
		step{"google", "slow token", func(on bool) { a.google.Break(fakeidp.Token, map[bool]fakeidp.Fault{true: fakeidp.Slow}[on]) }},
		step{"github", "slow user", func(on bool) {
			a.github.Break(fakegithub.User, map[bool]fakegithub.Failure{true: fakegithub.Slow}[on])
		}})
	for _, s := range steps {
		// The address comes with userinfo alone, so that it is asked for.
		a.google.Next(fakeidp.Person{Subject: "1", Email: "grace@example.com", EmailVerified: true}, fakeidp.EmailInUserinfo)
		a.github.Next(fakegithub.Person{ID: 1, Login: "grace", Emails: fakegithub.Verified("grace@example.com")})
		b := gatewaytest.NewBrowser(t)
		begin := b.Navigate(a.URL + "/auth/login/" + s.provider + "?next=%2Fpage")
		back := b.Navigate(begin.Location)
		s.set(true)
		answer := b.Navigate(back.Location)
		s.set(false)
		if answer.Status != http.StatusBadGateway || !strings.Contains(answer.Body, "<code>provider_") || answer.Location != "" {
			t.Errorf("%s, %s: %d to %q\n%s", s.provider, s.name, answer.Status, answer.Location, answer.Body)
		}
		for _, bad := range []string{"Unicorn", "alert(1)", "grace"} { // S25
			if strings.Contains(answer.Body, bad) {
				t.Errorf("%s, %s: the page has %q", s.provider, s.name, bad)
			}
		}
		if cookie := sessionCookie(t, b, a.Gateway); cookie != "" {
			t.Errorf("%s, %s: there is a session", s.provider, s.name)
		}
		// Asking again with the same callback begins no second try (S21).
		if again := b.Navigate(back.Location); again.Status != http.StatusBadRequest {
			t.Errorf("%s, %s: the same callback again: %d", s.provider, s.name, again.Status)
		}
	}
	wantRows(t, database, "users", 0)
	wantRows(t, database, "auth_sessions", 0)
	if user := a.byGoogle(t, fakeidp.Person{Subject: "1", Email: "grace@example.com", EmailVerified: true}); user.Email != "grace@example.com" {
		t.Errorf("afterwards: %+v", user)
	}
	if user := a.byGitHub(t, fakegithub.Person{ID: 1, Login: "grace", Emails: fakegithub.Verified("grace@example.com")}); user.Email != "grace@example.com" {
		t.Errorf("afterwards: %+v", user)
	}
}
