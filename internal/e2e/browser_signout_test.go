//go:build e2e

package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// back is the back button.
func (b *tab) back(t testing.TB) {
	t.Helper()
	evaluate[any](t, b, `setTimeout(() => history.back()); null`)
}

// S8: one button ends every session; the other browser is out at its next click.
func TestBrowserSignsOutEverywhere(t *testing.T) {
	g := demonstration(t, "")
	g.Run(t)
	here, there := newChromium(t).tab(t), newChromium(t).tab(t)
	for _, b := range []*tab{here, there} {
		b.open(t, g.URL+"/me")
		b.at(t, g.URL+"/auth/login/dev/")
		b.click(t, "Ada Lovelace")
		b.atExactly(t, g.URL+"/me")
	}
	here.open(t, g.URL+"/auth/account")
	here.click(t, "Sign out everywhere")
	here.atExactly(t, g.URL+"/auth/signed-out?all=1")
	here.shows(t, "You are signed out", "All sessions of your account")
	here.quiet(t)
	there.open(t, g.URL+"/me")
	there.at(t, g.URL+"/auth/login/dev/")
	there.quiet(t)
}

// The back button, several times, after a sign-in: through the callback, the
// provider's page and the login page. It ends signed in, and nothing goes round.
func TestBrowserGoesBack(t *testing.T) {
	g := demonstration(t, "")
	g.Run(t)
	// A page that comes out of memory as it was says nothing of us, and loses the
	// debugger.
	b := newChromium(t, chromedp.Flag("disable-features", "BackForwardCache")).tab(t)
	b.open(t, g.URL+"/")
	b.open(t, g.URL+"/me")
	b.at(t, g.URL+"/auth/login/dev/")
	b.click(t, "Ada Lovelace")
	b.atExactly(t, g.URL+"/me")
	b.back(t)
	b.at(t, g.URL+"/auth/login/dev/")
	// The sign-in that this page belongs to is over, and she is signed in.
	b.click(t, "Ada Lovelace")
	b.atExactly(t, g.URL+"/me")
	b.shows(t, "Ada Lovelace")
	b.back(t)
	b.at(t, g.URL+"/auth/login/dev/")
	b.back(t)
	b.atExactly(t, g.URL+"/")
	b.quiet(t)

	// As somebody else, after signing out: the old page of the provider leads to a
	// page that says so, and to a new sign-in.
	b.open(t, g.URL+"/me")
	b.open(t, g.URL+"/auth/logout")
	b.click(t, "Sign out")
	b.atExactly(t, g.URL+"/auth/signed-out")
	b.open(t, g.URL+"/me")
	b.at(t, g.URL+"/auth/login/dev/")
	b.click(t, "Refuse")
	b.at(t, g.URL+"/auth/oauth_callback")
	b.shows(t, "Sign-in was refused")
	b.back(t)
	b.at(t, g.URL+"/auth/login/dev/")
	b.forget()
	b.click(t, "Ada Lovelace")
	b.at(t, g.URL+"/auth/oauth_callback")
	b.shows(t, "This sign-in has been used", "state_used")
	b.click(t, "Try again")
	b.at(t, g.URL+"/auth/login/dev/")
	b.click(t, "Ada Lovelace")
	b.atExactly(t, g.URL+"/me")
}
