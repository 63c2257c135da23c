//go:build e2e

package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// pageShown is a page as somebody finds it.
type pageShown struct {
	name string
	// find leads the tab to the page.
	find func(t testing.TB, b *tab)
	// says is what the console shows of it.
	says []string
}

// pagesShown are all pages of a gateway with two ways to sign in, each from
// where the one before has ended.
func pagesShown(url string) []pageShown {
	open := func(place string) func(testing.TB, *tab) {
		return func(t testing.TB, b *tab) { b.open(t, url+place) }
	}
	signIn := func(user, place string) func(testing.TB, *tab) {
		return func(t testing.TB, b *tab) {
			b.open(t, url+"/auth/login/dev?next="+place)
			b.at(t, url+"/auth/login/dev/")
			b.click(t, user)
			b.atExactly(t, url+place)
		}
	}
	refused := []string{"status of 403"}
	return []pageShown{
		{name: "login", find: open("/storage/a-rather-long-name-of-a-report-without-any-blank-in-it")},
		{name: "chooser", find: func(t testing.TB, b *tab) {
			b.click(t, "dev")
			b.at(t, url+"/auth/login/dev/")
		}},
		{name: "denied", find: func(t testing.TB, b *tab) { b.click(t, "Refuse"); b.at(t, url+"/auth/oauth_callback") }, says: refused},
		{name: "403", find: signIn("Eve Smith", "/storage/report"), says: refused},
		{name: "continue", find: open("/auth/login?prompt=1&next=/me")},
		{name: "demo", find: signIn("Ada Lovelace", "/storage/report")},
		{name: "demo home", find: open("/")},
		{name: "account", find: open("/auth/account")},
		{name: "logout", find: open("/auth/logout?next=/me")},
		{name: "signed out", find: func(t testing.TB, b *tab) {
			b.open(t, url+"/auth/account")
			b.click(t, "Sign out")
			b.atExactly(t, url+"/auth/signed-out")
		}},
		{name: "not found", find: open("/auth/nothing"), says: []string{"status of 404"}},
	}
}

// Every page fits into 320 CSS pixels, which is also what a screen of 1280
// leaves at a zoom of 400 % (WCAG 2.2, 1.4.10), and none says anything to the
// console.
func TestPagesOnANarrowScreen(t *testing.T) {
	p := newProvider(t, nil) // nobody signs in there
	g := demonstration(t, p.login())
	g.Run(t)
	b := newChromium(t).tab(t)
	b.do(t, chromedp.EmulateViewport(320, 640))
	for _, page := range pagesShown(g.URL) {
		page.find(t, b)
		t.Run(page.name, func(t *testing.T) {
			if width := evaluate[int](t, b, `document.documentElement.scrollWidth`); width > 320 {
				t.Errorf("the page is %d px wide", width)
			}
			if language := evaluate[string](t, b, `document.documentElement.lang`); language == "" {
				t.Error("the page does not say its language")
			}
			b.quiet(t, page.says...)
		})
	}
}
