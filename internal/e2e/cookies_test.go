//go:build e2e

package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/providers/providertest"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

// silentGateway has one way to sign in, at a provider that knows Ada and asks
// nothing: whatever goes round goes round by itself.
func silentGateway(t *testing.T) *gatewaytest.Gateway {
	t.Helper()
	idp := providertest.StartIdP(t, fakeidp.Config{Clients: []fakeidp.Client{{ID: "gateway", Secret: "hush", RedirectAllowed: func(string) bool { return true }}}})
	idp.Always(fakeidp.Person{Subject: "1", Email: "ada@example.com", EmailVerified: true, Name: "Ada Lovelace"})
	return gatewaytest.Start(t, gatewaytest.Config{
		Auth: "login corp oidc {\nissuer " + idp.Issuer() + "\nclient_id gateway\nclient_secret hush\n}",
		Site: "auth_api\nrequire_login\nreverse_proxy " + application(t),
	})
}

// withoutCookies is a browser whose owner blocks all cookies.
func withoutCookies(t *testing.T) *chromium {
	t.Helper()
	profile := t.TempDir()
	if err := os.MkdirAll(filepath.Join(profile, "Default"), 0o700); err != nil {
		t.Fatal(err)
	}
	const settings = `{"profile":{"default_content_setting_values":{"cookies":2}}}`
	if err := os.WriteFile(filepath.Join(profile, "Default", "Preferences"), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	return newChromium(t, chromedp.UserDataDir(profile))
}

// Fail closed, never loop: somebody who blocks cookies is told so, and not sent
// round until the browser gives up.
func TestBrowserWithoutCookies(t *testing.T) {
	g := silentGateway(t)
	b := withoutCookies(t).tab(t)
	b.open(t, g.URL+"/me?x=1")
	b.at(t, g.URL+"/auth/oauth_callback")
	b.shows(t, "Your browser did not send our cookie back", "blocks", "state_mismatch")
	b.quiet(t, "status of 400")
	// The way on keeps the destination, and ends here again.
	b.click(t, "Try again")
	b.at(t, g.URL+"/auth/oauth_callback")
	b.shows(t, "Your browser did not send our cookie back")
	b.quiet(t, "status of 400")
}

// strippingProxy is a proxy that a browser uses, and that removes what set
// cookies of a name.
func strippingProxy(t *testing.T, name string) (address string, requests *atomic.Int64) {
	t.Helper()
	requests = new(atomic.Int64)
	transport := &http.Transport{DisableKeepAlives: true, Proxy: nil}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !r.URL.IsAbs() {
			http.Error(w, "this is a proxy", http.StatusBadRequest)
			return
		}
		requests.Add(1)
		inner := r.Clone(r.Context())
		inner.RequestURI = ""
		inner.Header.Del("Proxy-Connection")
		answer, err := transport.RoundTrip(inner)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		for header, values := range answer.Header {
			for _, value := range values {
				if header != "Set-Cookie" || !strings.HasPrefix(value, name+"=") {
					w.Header().Add(header, value)
				}
			}
		}
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
	}))
	t.Cleanup(server.Close)
	return server.URL, requests
}

// A browser that signs in and whose session cookie gets lost would go gate,
// login, provider, callback, gate for ever: Chromium gives up after twenty
// redirects, with a page that helps nobody. Ours comes before.
func TestBrowserWhoseSessionCookieIsLost(t *testing.T) {
	g := silentGateway(t)
	proxy, requests := strippingProxy(t, "auth_session")
	b := newChromium(t, chromedp.ProxyServer(proxy), chromedp.Flag("proxy-bypass-list", "<-loopback>")).tab(t)
	for range 2 { // trying again is another try
		requests.Store(0)
		b.open(t, g.URL+"/me?x=1")
		b.at(t, g.URL+"/auth/login?next=")
		b.shows(t, "Your browser did not send our cookie back", "Allow cookies for this site", "cookie_lost", "Try again")
		if n := requests.Load(); n > 16 {
			t.Errorf("after %d requests", n)
		}
		b.quiet(t, "status of 400")
	}
	b.click(t, "Try again")
	b.atExactly(t, g.URL+"/auth/login?next=%2Fme%3Fx%3D1&prompt=1")
	b.shows(t, "Sign in with")
	eventually(t, "the log says so", func() bool { return strings.Contains(g.Output(), `"code":"cookie_lost"`) })
}

// Ruling 3: a program on another port of this machine plants a session cookie
// for a part of the site; the way out is one click.
func TestBrowserWithAPlantedCookie(t *testing.T) {
	g := silentGateway(t)
	attacker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "auth_session", Value: "planted", Path: "/app"})
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!doctype html><title>x</title><link rel="icon" href="data:,">planted`)
	}))
	t.Cleanup(attacker.Close)
	b := newChromium(t).tab(t)
	b.open(t, strings.Replace(attacker.URL, "127.0.0.1", "localhost", 1))
	b.open(t, g.URL+"/app/x")
	b.at(t, g.URL+"/auth/login?next=")
	b.click(t, "Continue as Ada Lovelace")
	b.atExactly(t, g.URL+"/app/x")
	b.shows(t, "Hello ada@example.com")
	b.quiet(t)
}
