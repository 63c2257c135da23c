//go:build e2e

package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// storage is a gateway's service in which ada may read and bob nothing.
const storage = "service storage static {\n user ada@example.com read write\n}\n"

// gates is a site with one gate of each kind before an upstream.
func gates(upstream *gatewaytest.Upstream) string {
	return `auth_api
	handle /storage/* {
		require_permission storage read
		reverse_proxy ` + upstream.Address() + `
	}
	handle {
		require_login
		reverse_proxy ` + upstream.Address() + `
	}`
}

// The whole journey of a person at an OpenID provider that we did not write:
// sign-in through the login page, the API's protocol, and sign-out.
func TestSignInAtAnOpenIDProvider(t *testing.T) {
	for name, inIDToken := range map[string]bool{"claims from userinfo": false, "claims in the id_token": true} {
		t.Run(name, func(t *testing.T) {
			p := newProvider(t, map[string]any{"claims_in_id_token": inIDToken})
			upstream := gatewaytest.NewUpstream(t)
			// Two ways to sign in, so that there is a page to choose on.
			g := p.startGateway(t, gatewaytest.Config{Auth: "login dev\n" + storage, Site: gates(upstream)})
			b := gatewaytest.NewBrowser(t)
			id := signInFromPage(t, p, g, b)
			token := signInForToken(t, p, g, b, id)
			signOut(t, g, b, token)
		})
	}
}

// signInFromPage goes from a gated page to sign in and back to it, and returns
// the user's ID.
func signInFromPage(t *testing.T, p *provider, g *gatewaytest.Gateway, b *gatewaytest.Browser) (id string) {
	const place = "/storage/a%20b?x=1&y=%26"
	page, at := b.Follow(g.URL + place)
	if !strings.HasPrefix(at, g.URL+"/auth/login?") || page.Status != http.StatusOK {
		t.Fatalf("a gated page led to %s (%d), want the login page", at, page.Status)
	}
	callback := p.signIn(t, g, b, linkTo(t, page.Body, at, "/auth/login/corp"), "ada")
	query, err := url.Parse(callback)
	if err != nil {
		t.Fatal(err)
	}
	if query.Path != "/auth/oauth_callback" || query.Query().Get("iss") != p.issuer {
		t.Errorf("the callback is %s with iss %q", query.Path, query.Query().Get("iss"))
	}
	back := b.Navigate(callback)
	if got := gatewaytest.Resolve(t, callback, back.Location); got != g.URL+place {
		t.Fatalf("came back to %s (%d), want %s", got, back.Status, g.URL+place)
	}
	answer := b.Navigate(g.URL + place)
	if answer.Status != http.StatusOK {
		t.Fatalf("signed in: %d %s", answer.Status, answer.Body)
	}
	seen := gatewaytest.ParseSeen(t, answer.Body)
	for header, want := range map[string]string{
		"X-Auth-Email": "ada@example.com", "X-Auth-Name": "Ada%20Lovelace",
		"X-Auth-Service": "storage", "X-Auth-Permissions": `{"read":true,"write":true}`,
	} {
		if values := seen.Header[header]; len(values) != 1 || values[0] != want {
			t.Errorf("the upstream saw %s %q, want %q", header, values, want)
		}
	}
	if seen.Path+"?"+seen.Query != place {
		t.Errorf("the upstream saw %s?%s, want %s", seen.Path, seen.Query, place)
	}
	if cookies := seen.Header["Cookie"]; cookies != nil {
		t.Errorf("S9: the upstream saw cookies: %q", cookies)
	}
	id = seen.Header.Get("X-Auth-User-Id")
	if id == "" {
		t.Error("the upstream saw no X-Auth-User-Id")
	}
	return id
}

// signInForToken signs in again as an application does that wants a token
// (contract 1.2), and returns the session token.
func signInForToken(t *testing.T, p *provider, g *gatewaytest.Gateway, b *gatewaytest.Browser, id string) (token string) {
	stranger := gatewaytest.NewBrowser(t)
	const app = "http://localhost:3000/?from=cli"
	check := parseJSON(t, stranger.Fetch(g.URL+"/auth/check?next="+url.QueryEscape(app)).Body)
	if check["authenticated"] != false {
		t.Fatalf("check without a token: %v", check)
	}
	start := check["providers"].(map[string]any)["corp"].(map[string]any)["url"].(string)
	callback := p.signIn(t, g, b, start, "ada") // without a form: the provider remembers her
	location := b.Navigate(callback).Location
	token, found := strings.CutPrefix(location, app+"&jwt=")
	if !found || strings.Count(token, ".") != 2 {
		t.Fatalf("came back to %s..., want %s&jwt=<token>", location[:min(len(location), 40)], app)
	}
	check = parseJSON(t, withToken(stranger, g.URL+"/auth/check", token).Body)
	profile, _ := check["profile"].(map[string]any)
	if check["authenticated"] != true || profile["id"] != id || profile["email"] != "ada@example.com" || profile["name"] != "Ada Lovelace" {
		t.Errorf("check with the token: %v; the first session was %s's", check, id)
	}
	return token
}

// signOut ends the session of a browser and of its token.
func signOut(t *testing.T, g *gatewaytest.Gateway, b *gatewaytest.Browser, token string) {
	program := gatewaytest.NewBrowser(t)
	authorize := parseJSON(t, withToken(program, g.URL+"/auth/authorize?service=storage", token).Body)
	permission, _ := authorize["token"].(string)
	if permissions, _ := authorize["permissions"].(map[string]any); permissions["read"] != true || permission == "" {
		t.Fatalf("authorize: %v", authorize)
	}
	tokens := map[string]string{"session token": token, "permission token": permission}
	const place = "/storage/report"
	for name, token := range tokens { // all of them open the gate, so it can be seen to close
		if answer := withToken(program, g.URL+place, token); answer.Status != http.StatusOK {
			t.Fatalf("%s before the sign-out: %d %s", name, answer.Status, answer.Body)
		}
	}
	if answer := b.Fetch(g.URL + place); answer.Status != http.StatusOK {
		t.Fatalf("cookie before the sign-out: %d %s", answer.Status, answer.Body)
	}

	confirm, at := b.Follow(g.URL + "/auth/logout")
	answer := onlyForm(t, confirm.Body, at).submit(b)
	if answer.Status != http.StatusSeeOther || answer.Location != g.URL+"/auth/signed-out" {
		t.Fatalf("the sign-out form: %d to %q", answer.Status, answer.Location)
	}

	// S8: on the instance that did it, at once; the tokens that carry the
	// session's sid end with it at every gate.
	for name, token := range tokens {
		for _, place := range []string{place, "/me"} {
			if answer := withToken(program, g.URL+place, token); answer.Status != http.StatusUnauthorized {
				t.Errorf("S8: %s after the sign-out: %s gives %d", name, place, answer.Status)
			}
		}
	}
	if answer := b.Fetch(g.URL + place); answer.Status != http.StatusUnauthorized {
		t.Errorf("S8: the browser after the sign-out: %d", answer.Status)
	}
	if _, at := b.Follow(g.URL + place); !strings.HasPrefix(at, g.URL+"/auth/login?") {
		t.Errorf("after the sign-out the gated page leads to %s", at)
	}
	if check := parseJSON(t, withToken(program, g.URL+"/auth/check", token).Body); check["authenticated"] != false {
		t.Errorf("S8: check after the sign-out: %v", check)
	}
	// S7: nothing is minted for a session that has ended.
	if answer := withToken(program, g.URL+"/auth/authorize?service=storage", token); answer.Body != `{"permissions":{}}` {
		t.Errorf("S7: authorize after the sign-out: %s", answer.Body)
	}
}

// S8: the cookie itself has ended, not just been taken away. The attack: a copy
// of it, made before the sign-out.
func TestCopiedCookieEndsWithTheSignOut(t *testing.T) {
	p := newProvider(t, nil)
	upstream := gatewaytest.NewUpstream(t)
	g := p.startGateway(t, gatewaytest.Config{Site: "auth_api\nrequire_login\nreverse_proxy " + upstream.Address()})
	b, thief := gatewaytest.NewBrowser(t), gatewaytest.NewBrowser(t)
	b.Navigate(p.signIn(t, g, b, g.URL+"/", "ada"))
	site, err := url.Parse(g.URL)
	if err != nil {
		t.Fatal(err)
	}
	thief.Jar.SetCookies(site, b.Jar.Cookies(site))
	if answer := thief.Fetch(g.URL + "/"); answer.Status != http.StatusOK {
		t.Fatalf("the copy does not work at all: %d", answer.Status)
	}
	page, at := b.Follow(g.URL + "/auth/account")
	onlyForm(t, page.Body, at).submit(b)
	if answer := thief.Fetch(g.URL + "/"); answer.Status != http.StatusUnauthorized {
		t.Errorf("S8: the copied cookie still works: %d", answer.Status)
	}
	if _, at := thief.Follow(g.URL + "/auth/account"); strings.HasPrefix(at, g.URL+"/auth/account") {
		t.Error("S8: the copied cookie still shows the account")
	}
}

// What goes wrong at the provider is told by a code, and nobody is signed in.
func TestRefusedAtAnOpenIDProvider(t *testing.T) {
	for name, inIDToken := range map[string]bool{"claims from userinfo": false, "claims in the id_token": true} {
		t.Run(name, func(t *testing.T) {
			p := newProvider(t, map[string]any{"claims_in_id_token": inIDToken})
			upstream := gatewaytest.NewUpstream(t)
			g := p.startGateway(t, gatewaytest.Config{Site: "auth_api\nrequire_login\nreverse_proxy " + upstream.Address()})

			// Ada has an account. S27, the attack: eve's address at the provider is
			// ada's too, but nobody has checked that it is hers.
			ada := gatewaytest.NewBrowser(t)
			if answer := ada.Navigate(p.signIn(t, g, ada, g.URL+"/", "ada")); answer.Status != http.StatusSeeOther {
				t.Fatalf("ada: %d %s", answer.Status, answer.Body)
			}
			eve := gatewaytest.NewBrowser(t)
			refused(t, g, eve, p.signIn(t, g, eve, g.URL+"/page", "eve"), "email_unverified")

			bob := gatewaytest.NewBrowser(t)
			refused(t, g, bob, p.cancel(t, g, bob, g.URL+"/page"), "access_denied")

			// "Try again" leads back to where bob wanted to go.
			page := bob.Navigate(p.cancel(t, g, bob, g.URL+"/page?x=1"))
			again := linkTo(t, page.Body, g.URL+"/auth/oauth_callback", "/auth/login/corp")
			callback := p.signIn(t, g, bob, again, "bob")
			if back := gatewaytest.Resolve(t, callback, bob.Navigate(callback).Location); back != g.URL+"/page?x=1" {
				t.Errorf("the second try came back to %s", back)
			}
			if answer := bob.Fetch(g.URL + "/page"); answer.Status != http.StatusOK {
				t.Errorf("bob after the second try: %d", answer.Status)
			}
		})
	}
}

// refused visits a callback that must end in an error page with a code.
func refused(t *testing.T, g *gatewaytest.Gateway, b *gatewaytest.Browser, callback, code string) {
	t.Helper()
	answer := b.Navigate(callback)
	if answer.Status != http.StatusForbidden || !strings.Contains(answer.Body, "<code>"+code+"</code>") {
		t.Errorf("%d, want the page with the code %s:\n%s", answer.Status, code, answer.Body)
	}
	if answer := b.Fetch(g.URL + "/page"); answer.Status != http.StatusUnauthorized {
		t.Errorf("%s, and yet the gate gives %d", code, answer.Status)
	}
}

// linkTo finds the one link of a page to a path of the gateway.
func linkTo(t testing.TB, page, at, path string) string {
	t.Helper()
	var found []string
	for _, link := range gatewaytest.Links(page) {
		u, err := url.Parse(gatewaytest.Resolve(t, at, link))
		if err == nil && u.Path == path {
			found = append(found, u.String())
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d links to %s at %s, want one:\n%s", len(found), path, at, page)
	}
	return found[0]
}

// withToken is a request of a program that sends a token as Auth-Token.
func withToken(b *gatewaytest.Browser, address, token string) gatewaytest.Answer {
	return b.Do(http.MethodGet, address, nil, http.Header{"Auth-Token": {token}})
}
