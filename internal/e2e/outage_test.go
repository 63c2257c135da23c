//go:build e2e

package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// An OpenID provider that dies takes nothing with it but signing in: whoever is
// signed in stays so, and the gateway need not be restarted when it is back.
func TestProviderDies(t *testing.T) {
	p := newProvider(t, nil)
	upstream := gatewaytest.NewUpstream(t)
	g := p.startGateway(t, gatewaytest.Config{Auth: storage, Site: gates(upstream)})
	ada, bob := gatewaytest.NewBrowser(t), gatewaytest.NewBrowser(t)
	ada.Navigate(p.signIn(t, g, ada, g.URL+"/me", "ada"))
	callback := p.signIn(t, g, bob, g.URL+"/me?x=1", "bob")
	p.kill(t)

	answer := bob.Navigate(callback)
	if answer.Status != http.StatusBadGateway || !strings.Contains(answer.Body, "<code>provider_unavailable</code>") {
		t.Errorf("S39: a sign-in whose provider has died: %d\n%s", answer.Status, answer.Body)
	}
	if answer.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	for range 3 {
		if answer := ada.Fetch(g.URL + "/storage/report"); answer.Status != http.StatusOK {
			t.Errorf("a session while the provider is dead: %d %s", answer.Status, answer.Body)
		}
	}
	if answer := ada.Navigate(g.URL + "/auth/account"); answer.Status != http.StatusOK {
		t.Errorf("the account page while the provider is dead: %d", answer.Status)
	}

	p.run(t) // with another signing key, and no memory of anybody
	again := linkTo(t, answer.Body, callback, "/auth/login/corp")
	callback = p.signIn(t, g, bob, again, "bob")
	if back := bob.Navigate(callback); gatewaytest.Resolve(t, callback, back.Location) != g.URL+"/me?x=1" {
		t.Errorf("\"try again\" with the provider back: %d to %q\n%s", back.Status, back.Location, back.Body)
	}
}

// A gateway starts while its OpenID provider is down, knows the sessions that
// there are, and signs people in as soon as the provider is up.
func TestGatewayStartsWithoutProvider(t *testing.T) {
	p := newProvider(t, nil)
	upstream := gatewaytest.NewUpstream(t)
	g := p.startGateway(t, gatewaytest.Config{Site: gates(upstream), Auth: storage})
	ada := gatewaytest.NewBrowser(t)
	ada.Navigate(p.signIn(t, g, ada, g.URL+"/me", "ada"))
	g.Stop(t)
	p.kill(t)
	g.Run(t)

	if answer := ada.Fetch(g.URL + "/storage/report"); answer.Status != http.StatusOK {
		t.Errorf("a session of before: %d %s", answer.Status, answer.Body)
	}
	bob := gatewaytest.NewBrowser(t)
	page, at := bob.Follow(g.URL + "/me")
	if page.Status != http.StatusBadGateway || !strings.Contains(page.Body, "<code>provider_unavailable</code>") {
		t.Errorf("S39: signing in without a provider ends at %s: %d\n%s", at, page.Status, page.Body)
	}
	program := bob.Fetch(g.URL + "/auth/login/corp?next=/me")
	if program.Status != http.StatusServiceUnavailable || parseJSON(t, program.Body)["code"] != "provider_unavailable" || program.Header.Get("Retry-After") == "" {
		t.Errorf("a program that wants to sign in: %d %q %s", program.Status, program.Header.Get("Retry-After"), program.Body)
	}

	p.run(t)
	eventually(t, "the gateway to notice that the provider is up", func() bool {
		return bob.Navigate(g.URL+"/auth/login/corp?next=/me").Status == http.StatusFound
	})
	bob.Navigate(p.signIn(t, g, bob, g.URL+"/me", "bob"))
	if answer := bob.Fetch(g.URL + "/me"); answer.Status != http.StatusOK {
		t.Errorf("bob, with the provider up: %d %s", answer.Status, answer.Body)
	}
}
