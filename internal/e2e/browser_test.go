//go:build e2e

package e2e

import (
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// A person's way through the development sign-in and the gateway's pages.
func TestBrowserJourney(t *testing.T) {
	g := demonstration(t, "")
	g.Run(t)
	b := newChromium(t).tab(t)
	place := g.URL + "/storage/report?x=1&q=a%20b"

	b.open(t, place)
	b.at(t, g.URL+"/auth/login/dev/")
	b.shows(t, "Who do you want to be?")
	b.click(t, "Ada Lovelace")
	b.atExactly(t, place)
	b.shows(t, "Signed in as Ada Lovelace", "ada@example.com", "x=1&q=a%20b", "✓ verified")

	b.click(t, "Account")
	b.atExactly(t, g.URL+"/auth/account")
	b.shows(t, "Your account", "Ada Lovelace", "ada@example.com")
	b.click(t, "Sign out")
	b.atExactly(t, g.URL+"/auth/signed-out")
	b.shows(t, "You are signed out")

	b.open(t, place)
	b.at(t, g.URL+"/auth/login/dev/")
	b.quiet(t)
}

// Whoever is stopped on the way is told why, and finds the way on.
func TestBrowserIsRefused(t *testing.T) {
	g := demonstration(t, "")
	g.Run(t)
	b := newChromium(t).tab(t)
	place := g.URL + "/storage/report?x=1"

	b.open(t, place)
	b.at(t, g.URL+"/auth/login/dev/")
	b.click(t, "Refuse")
	b.at(t, g.URL+"/auth/oauth_callback")
	b.shows(t, "Sign-in was refused", "access_denied")
	b.quiet(t, "status of 403")

	b.click(t, "Try again")
	b.at(t, g.URL+"/auth/login/dev/")
	b.click(t, "Eve Smith")
	b.atExactly(t, place)
	b.shows(t, "You don’t have access to this page", "Eve Smith", "storage", "read", "permission_missing")
	b.quiet(t, "status of 403")

	// Eve asks Ada to the keyboard.
	b.open(t, g.URL+"/auth/login?prompt=1&next=%2Fstorage%2Fadmin")
	b.shows(t, "Eve Smith")
	b.click(t, "Sign in with")
	b.at(t, g.URL+"/auth/login/dev/")
	b.click(t, "Ada Lovelace")
	b.atExactly(t, g.URL+"/storage/admin")
	b.shows(t, "Signed in as Ada Lovelace")
	b.quiet(t)
}

// The console is listened to: a violation of a content security policy is
// heard.
func TestConsoleIsHeard(t *testing.T) {
	b := newChromium(t).tab(t)
	b.open(t, "http://"+application(t)+"/strict/")
	b.quiet(t, "Content Security Policy")
}

// Somebody who is none of the samples types an address. The form leads to a
// link, and the link signs in.
func TestBrowserTypesAPerson(t *testing.T) {
	g := demonstration(t, "")
	g.Run(t)
	b := newChromium(t).tab(t)
	b.open(t, g.URL+"/me?x=1")
	b.at(t, g.URL+"/auth/login/dev/")
	b.do(t,
		chromedp.SendKeys(chromedp.ID("email"), "zoe@example.org"),
		chromedp.SendKeys(chromedp.ID("name"), "Zoë O’Hara"))
	b.click(t, "Use this person")
	b.click(t, "Continue as Zoë O’Hara")
	b.atExactly(t, g.URL+"/me?x=1")
	b.shows(t, "Signed in as Zoë O’Hara", "zoe@example.org")
	b.quiet(t)
}

// Chromium applies form-action to every redirect behind a form, so a sign-out
// must not lead to an identity provider on another origin, however indirectly
// (pages section 2).
func TestBrowserSignsOutAndGoesOn(t *testing.T) {
	p := newProvider(t, nil)
	g := p.startGateway(t, gatewaytest.Config{
		Auth: storage, Site: "auth_api\nrequire_login\nreverse_proxy " + application(t),
	})
	b := newChromium(t).tab(t)
	b.open(t, g.URL+"/me")
	p.signInWith(t, b)
	b.atExactly(t, g.URL+"/me")
	for _, way := range []struct{ name, next, end string }{
		// By a link, that is: the provider knows Ada still, and sends her back.
		{"to a gated page", "/me", g.URL + "/me"},
		{"to another origin", p.issuer + "/", p.issuer + "/"},
	} {
		t.Run(way.name, func(t *testing.T) {
			b.open(t, g.URL+"/me")
			b.atExactly(t, g.URL+"/me")
			b.shows(t, "Hello ada@example.com")
			b.open(t, g.URL+"/auth/logout?next="+url.QueryEscape(way.next))
			b.forget() // what the provider's pages said

			b.click(t, "Sign out")
			b.at(t, g.URL+"/auth/signed-out")
			b.shows(t, "You are signed out")
			b.quiet(t)
			b.click(t, "Go on to")
			b.atExactly(t, way.end)
		})
	}
}

// signInWith goes through the provider's pages in a browser as Ada.
func (p *provider) signInWith(t testing.TB, b *tab) {
	t.Helper()
	b.at(t, p.issuer+"/")
	b.do(t,
		chromedp.SendKeys(chromedp.CSS("[name=login]"), "ada"),
		chromedp.SendKeys(chromedp.CSS("[name=password]"), "any"))
	b.click(t, "Sign-in")
	b.click(t, "Continue")
}
