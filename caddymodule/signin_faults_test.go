package caddymodule_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

// S23 to S27: everything that can go wrong at an identity provider ends on a
// page that says so, with a link to try again, and never in a session.
func TestProviderFaults(t *testing.T) {
	t.Parallel() // it waits
	g := signInGateway(t)
	tryAgain := "/auth/login/dev?next=" + url.QueryEscape(g.URL+"/page?x=1")
	type outcome struct {
		status int
		code   string
	}
	refused := outcome{http.StatusBadGateway, "provider_error"}
	skew := outcome{http.StatusBadGateway, "clock_skew"}
	unverified := outcome{http.StatusForbidden, "email_unverified"}
	down := outcome{http.StatusBadGateway, "provider_unavailable"}
	works := outcome{status: http.StatusSeeOther}
	want := map[fakeidp.Fault]outcome{
		fakeidp.AccessDenied: {http.StatusForbidden, "access_denied"},
		fakeidp.NoState:      {http.StatusBadRequest, "state_missing"},

		fakeidp.WrongIssParameter: refused, fakeidp.MissingIssParameter: refused,
		fakeidp.ExpiredCode: refused, fakeidp.UsedCode: refused,
		fakeidp.NoIDToken: refused, fakeidp.WrongNonce: refused, fakeidp.NoNonce: refused, fakeidp.WrongIssuer: refused,
		fakeidp.WrongAudience: refused, fakeidp.ManyAudiences: refused, fakeidp.WrongAzp: refused,
		fakeidp.BadSignature: refused, fakeidp.UnknownKey: refused, fakeidp.AlgNone: refused, fakeidp.HS256WithSecret: refused,
		fakeidp.UserinfoOtherSubject: refused,

		fakeidp.ExpiredIDToken: skew, fakeidp.FutureIDToken: skew, fakeidp.OldIDToken: skew,

		fakeidp.NoEmail: unverified, fakeidp.UnverifiedEmail: unverified, fakeidp.EmailVerifiedAsString: unverified,

		fakeidp.Slow: down, fakeidp.Down: down, fakeidp.HTMLInsteadOfJSON: down, fakeidp.HugeAnswer: down, fakeidp.RedirectingToken: down,

		fakeidp.EmailInUserinfo: works, fakeidp.KeyRotation: works,
	}
	t.Run("each", func(t *testing.T) {
		for _, fault := range fakeidp.Faults() {
			t.Run(string(fault), func(t *testing.T) {
				outcome, known := want[fault]
				if !known {
					t.Fatal("this test does not know what is to become of it")
				}
				if fault == fakeidp.Slow {
					t.Parallel()
				}
				b := gatewaytest.NewBrowser(t)
				callback := faulty(t, b, g, "/auth/login/dev?next="+url.QueryEscape("/page?x=1"), fault)
				before := time.Now()
				answer := b.Navigate(callback)
				if took := time.Since(before); took > 11*time.Second { // S26
					t.Errorf("the gateway waited for %s", took)
				}
				if outcome == works {
					if answer.Status != outcome.status || answer.Location != g.URL+"/page?x=1" {
						t.Errorf("got %d to %s:\n%s", answer.Status, answer.Location, answer.Body)
					}
					return
				}
				wantFailure(t, g, b, answer, outcome.status, outcome.code)
				if fault != fakeidp.NoState && !strings.Contains(answer.Body, g.URL+tryAgain) {
					t.Errorf("the page has no link to try again:\n%s", answer.Body)
				}
				if retry := answer.Header.Get("Retry-After"); (outcome == down) != (retry != "") {
					t.Errorf("Retry-After is %q", retry)
				}
				// S25: nothing that the provider wrote is on the page.
				for _, bad := range []string{"The person said no", "attacker.example", "ada@example.com"} {
					if strings.Contains(answer.Body, bad) {
						t.Errorf("the page has %q:\n%s", bad, answer.Body)
					}
				}
				if _, at := b.SignIn(g.URL+tryAgain, "ada"); at != g.URL+"/page?x=1" {
					t.Errorf("trying again ended at %s", at)
				}
			})
		}
	})
	// An application that asked for a token waits for its page to be called again:
	// it is, without one (contract 1.2). A sign-in that nobody at the provider has
	// ended says nothing about where to go.
	for fault, back := range map[fakeidp.Fault]bool{
		fakeidp.AccessDenied: true, fakeidp.BadSignature: true, fakeidp.Down: true, fakeidp.UnverifiedEmail: false, fakeidp.NoState: false,
	} {
		t.Run("application, "+string(fault), func(t *testing.T) {
			b := gatewaytest.NewBrowser(t)
			answer := b.Navigate(faulty(t, b, g, "/auth/login/dev?deliver=jwt&next="+url.QueryEscape(application+"?a=1"), fault))
			if back && (answer.Status != http.StatusFound || answer.Location != application+"?a=1") || !back && answer.Location != "" {
				t.Errorf("got %d to %s", answer.Status, answer.Location)
			}
			wantNoSession(t, g, b, answer)
		})
	}
	// A program gets a problem document instead of a page.
	b := gatewaytest.NewBrowser(t)
	p := wantProblem(t, b.Fetch(faulty(t, b, g, "/auth/login/dev?next=%2Fpage", fakeidp.AccessDenied)), http.StatusForbidden, "access_denied")
	if queryOf(t, p.LoginURL).Get("next") != g.URL+"/page" || !strings.HasPrefix(p.LoginURL, g.URL+"/auth/login/dev?") {
		t.Errorf("the login URL is %s", p.LoginURL)
	}
	wantNoSession(t, g, b, gatewaytest.Answer{})
}

// faulty goes through a sign-in that breaks, and returns the callback.
func faulty(t *testing.T, b *gatewaytest.Browser, g *gatewaytest.Gateway, login string, fault fakeidp.Fault) string {
	t.Helper()
	page, at := b.Follow(g.URL + login)
	for _, link := range gatewaytest.Links(page.Body) {
		if queryOf(t, link).Get("dev_fault") == string(fault) {
			return gatewaytest.Resolve(t, at, b.Navigate(gatewaytest.Resolve(t, at, link)).Location)
		}
	}
	t.Fatalf("no link for %s at %s", fault, at)
	return ""
}
