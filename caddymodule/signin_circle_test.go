package caddymodule_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/providers/providertest"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

// maxRedirects is how many redirects the most impatient browser follows.
const maxRedirects = 16

// silentGateway has one way to sign in, at a provider that knows Ada and asks
// nothing: whatever the gateway does wrong goes on by itself.
func silentGateway(t *testing.T, upstream *gatewaytest.Upstream) *gatewaytest.Gateway {
	t.Helper()
	idp := providertest.StartIdP(t, fakeidp.Config{Clients: gatewayClients})
	idp.Always(fakeidp.Person{Subject: "1", Email: "ada@example.com", EmailVerified: true, Name: "Ada Lovelace"})
	return gatewaytest.Start(t, gatewaytest.Config{
		Auth: "rate_limits off\nlogin corp oidc {\nissuer " + idp.Issuer() + "\nclient_id gateway\nclient_secret hush\n}",
		Site: "auth_api\nrequire_login\nreverse_proxy " + upstream.Address(),
	})
}

// lossyJar is a browser, or what stands before it, that does something to the
// cookies that it is given.
type lossyJar struct {
	*cookiejar.Jar
	change func(*http.Cookie) *http.Cookie // nil drops it
}

func (j lossyJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	var kept []*http.Cookie
	for _, c := range cookies {
		if c = j.change(c); c != nil {
			kept = append(kept, c)
		}
	}
	j.Jar.SetCookies(u, kept)
}

// walk goes to a page as a browser does, and returns where it ended and on which
// way.
func walk(t *testing.T, b *gatewaytest.Browser, address string) (answer gatewaytest.Answer, way []string) {
	t.Helper()
	for range maxRedirects + 1 {
		way = append(way, address)
		if answer = b.Navigate(address); answer.Location == "" {
			return answer, way
		}
		address = gatewaytest.Resolve(t, address, answer.Location)
	}
	t.Fatalf("it goes round and round:\n%s", strings.Join(way, "\n"))
	return
}

// Fail closed, never loop: whatever becomes of the cookies, a person ends on a
// page that names the cause, and no redirect leads on from there.
func TestSignInNeverGoesRound(t *testing.T) {
	upstream := gatewaytest.NewUpstream(t)
	g := silentGateway(t, upstream)
	for name, c := range map[string]struct {
		change func(*http.Cookie) *http.Cookie
		code   string
		says   string
	}{
		"cookies blocked": {func(*http.Cookie) *http.Cookie { return nil }, "state_mismatch", "cookie"},
		"session cookie removed": {func(c *http.Cookie) *http.Cookie {
			if c.Name == "auth_session" {
				return nil
			}
			return c
		}, "cookie_lost", "Allow cookies"},
		"session cookie damaged": {func(c *http.Cookie) *http.Cookie {
			if c.Name == "auth_session" && c.Value != "" {
				c.Value = "damaged"
			}
			return c
		}, "cookie_lost", "cookie"},
		"sign-in cookies removed": {func(c *http.Cookie) *http.Cookie {
			if strings.HasPrefix(c.Name, "login-") {
				return nil
			}
			return c
		}, "state_mismatch", "cookie"},
	} {
		t.Run(name, func(t *testing.T) {
			b := gatewaytest.NewBrowser(t)
			b.Jar = lossyJar{b.Jar.(*cookiejar.Jar), c.change}
			upstream.Take()
			for _, start := range []string{"/page?x=1", "/auth/account", "/auth/login/corp?next=%2Fpage%3Fx%3D1"} {
				answer, way := walk(t, b, g.URL+start)
				if answer.Status != http.StatusBadRequest || !strings.Contains(answer.Body, c.code) || !strings.Contains(answer.Body, c.says) {
					t.Errorf("%s ended with %d after %d requests:\n%s\n%s", start, answer.Status, len(way), strings.Join(way, "\n"), answer.Body)
				}
				// There is a way on, by hand, and it keeps the destination.
				again := ""
				for _, link := range gatewaytest.Links(answer.Body) {
					if u, err := url.Parse(link); err == nil && strings.HasPrefix(u.Path, "/auth/login") {
						again = link
						if next := u.Query().Get("next"); strings.Contains(start, "page") && !strings.HasSuffix(next, "/page?x=1") {
							t.Errorf("%s: trying again leads to %q", start, next)
						}
						break
					}
				}
				if again == "" {
					t.Errorf("%s: no link to try again:\n%s", start, answer.Body)
				}
			}
			wantUnseen(t, upstream)
		})
	}
}

// Ruling 3: a program on another port plants a session cookie for a part of the
// site. The browser sends two there and is signed out; signing in again brings
// no third one, so that it would stay so. The way out is one click.
func TestPlantedCookieIsOvercome(t *testing.T) {
	upstream := gatewaytest.NewUpstream(t)
	g := silentGateway(t, upstream)
	site, err := url.Parse(g.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/page", "/page/", "/page/x"} {
		t.Run(path, func(t *testing.T) {
			b := gatewaytest.NewBrowser(t)
			b.Jar.SetCookies(site, []*http.Cookie{{Name: "auth_session", Value: "planted", Path: path}})
			answer, way := walk(t, b, g.URL+"/page/x")
			if answer.Status != http.StatusOK || !strings.Contains(answer.Body, "Continue as") {
				t.Fatalf("ended with %d after\n%s\n%s", answer.Status, strings.Join(way, "\n"), answer.Body)
			}
			i := slices.IndexFunc(gatewaytest.Links(answer.Body), func(link string) bool { return strings.HasSuffix(link, "/page/x") })
			if i < 0 {
				t.Fatalf("no link to go on:\n%s", answer.Body)
			}
			if answer := b.Navigate(gatewaytest.Links(answer.Body)[i]); answer.Status != http.StatusOK {
				t.Errorf("going on: %d to %s", answer.Status, answer.Location)
			}
		})
	}
}

// A proxy in front that removes Set-Cookie, as caches do.
func TestSignInBehindAProxyWithoutCookies(t *testing.T) {
	upstream := gatewaytest.NewUpstream(t)
	g := silentGateway(t, upstream)
	transport := &http.Transport{DisableKeepAlives: true}
	requests := 0
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		inner := r.Clone(r.Context())
		inner.RequestURI, inner.URL.Scheme, inner.URL.Host = "", "http", g.Address
		inner.Host = strings.TrimPrefix(g.URL, "http://")
		answer, err := transport.RoundTrip(inner)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		answer.Header.Del("Set-Cookie")
		for name, values := range answer.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
	}))
	defer proxy.Close()
	b := gatewaytest.NewBrowser(t)
	b.Transport = &http.Transport{DisableKeepAlives: true, Proxy: func(r *http.Request) (*url.URL, error) {
		if r.URL.Host != strings.TrimPrefix(g.URL, "http://") {
			return nil, nil
		}
		return url.Parse(proxy.URL)
	}}
	answer, way := walk(t, b, g.URL+"/page")
	if answer.Status != http.StatusBadRequest || !strings.Contains(answer.Body, "state_mismatch") || requests == 0 || requests > 5 {
		t.Errorf("ended with %d after %d requests:\n%s\n%s", answer.Status, requests, strings.Join(way, "\n"), answer.Body)
	}
}

// A cookie of a session that is over: one sign-in, and all is well again.
func TestStaleCookie(t *testing.T) {
	upstream := gatewaytest.NewUpstream(t)
	g := silentGateway(t, upstream)
	b := gatewaytest.NewBrowser(t)
	if answer, _ := walk(t, b, g.URL+"/page"); answer.Status != http.StatusOK {
		t.Fatalf("signing in ended with %d %s", answer.Status, answer.Body)
	}
	stale := sessionCookie(t, b, g)
	program := gatewaytest.NewBrowser(t)
	copied, _ := url.Parse(g.URL)
	program.Jar.SetCookies(copied, b.Jar.Cookies(copied))
	if answer := post(program, g, form(t, program, g.URL+"/auth/logout"), "Sec-Fetch-Site", "same-origin"); answer.Status != http.StatusSeeOther {
		t.Fatalf("signing out: %d", answer.Status)
	}
	gate := b.Navigate(g.URL + "/page")
	login := b.Navigate(gate.Location)
	if gate.Status != http.StatusFound || login.Status != http.StatusSeeOther || sessionCookie(t, b, g) != "" {
		t.Errorf("the gate: %d, the login page: %d with %v", gate.Status, login.Status, login.Header["Set-Cookie"])
	}
	answer, way := walk(t, b, login.Location)
	if answer.Status != http.StatusOK || len(way) != 4 || sessionCookie(t, b, g) == stale {
		t.Errorf("ended with %d after\n%s", answer.Status, strings.Join(way, "\n"))
	}
}
