//go:build e2e

package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// dgpAuth is a gateway's configuration in which ada may use the lists. The
// widget looks for a provider of this name.
const dgpAuth = "login google dev\nservice list-manager static {\n user ada@example.com read\n}\n"

// The npm package dgp-oauth2-ng 3.1.0, unmodified, signs in from a page on
// another origin, whose requests the browser lets through (contract 2a).
func TestDgpOauth2(t *testing.T) {
	g := gatewaytest.Start(t, gatewaytest.Config{Auth: dgpAuth, Site: lists(t)})
	port := elsewhere(t)
	browser := newChromium(t)
	for name, host := range map[string]string{"another port": "localhost", "another site": "127.0.0.1"} {
		t.Run(name, func(t *testing.T) {
			b := browser.tab(t)
			page := pageElsewhere(t, g, host, port)
			signInElsewhere(t, g, b, page)

			got := ask[permitted](t, b, permissionScript, "list-manager")
			if got.Service != "list-manager" || !got.Permissions.Read || got.Token == "" || got.UserID == "" {
				t.Errorf("permission: %+v", got)
			}
			// With that token the other application, budgetkey-app, calls its services,
			// in a header that browsers ask for first.
			var seen gatewaytest.Seen
			if answer := withTokenHeader(t, b, g.URL+"/lists/mine", got.Token); answer.Status == http.StatusOK {
				seen = gatewaytest.ParseSeen(t, answer.Text)
			}
			if seen.Path != "/lists/mine" || seen.Header.Get("X-Auth-User-Id") != got.UserID {
				t.Errorf("a request to the service: the upstream saw %+v", seen)
			}
			session := evaluate[string](t, b, `localStorage.getItem("jwt")`)
			check := withTokenHeader(t, b, g.URL+"/auth/check?next="+url.QueryEscape(page), session)
			if check.Status != http.StatusOK || parseJSON(t, check.Text)["authenticated"] != true {
				t.Errorf("check with the token in a header: %+v", check)
			}
			b.quiet(t)

			b.open(t, page)
			greets(t, b, "Ada Lovelace") // the token is kept
			after := ask[map[string]any](t, b, logoutScript, page)
			if after["authenticated"] != false || after["providers"] == nil {
				t.Errorf("logout: %v", after)
			}
			b.open(t, page)
			greets(t, b, "stranger")
			b.quiet(t)
		})
	}
}

// S32, the attack: a page of an origin that is not on the list asks who is
// signed in, and for tokens. The browser refuses it the answers, even if it
// knows the user's token; the page of an origin that is listed gets them.
func TestDgpOauth2FromAnOriginThatIsNotAllowed(t *testing.T) {
	port := elsewhere(t)
	g := gatewaytest.Start(t, gatewaytest.Config{
		Auth: dgpAuth + "loopback_next off\nallow_next http://127.0.0.1:" + port, Site: lists(t),
	})
	browser := newChromium(t)

	listed := browser.tab(t)
	signInElsewhere(t, g, listed, pageElsewhere(t, g, "127.0.0.1", port))
	if got := ask[permitted](t, listed, permissionScript, "list-manager"); got.Token == "" {
		t.Errorf("permission for a listed origin: %+v", got)
	}
	session := evaluate[string](t, listed, `localStorage.getItem("jwt")`)
	listed.quiet(t)

	other := browser.tab(t)
	other.open(t, pageElsewhere(t, g, "localhost", port))
	const blocked = "has been blocked by CORS policy"
	eventually(t, "S32: the widget's request to be blocked", func() bool { return other.heard(blocked) })
	evaluate[any](t, other, `auth.setToken("`+session+`")`)
	for name, script := range map[string]string{"check": checkScript, "permission": permissionScript} {
		if got := ask[permitted](t, other, script, "list-manager"); got != (permitted{Failed: "HttpErrorResponse"}) {
			t.Errorf("S32: %s: %+v", name, got)
		}
	}
	for _, place := range []string{"/auth/check", "/auth/authorize?service=list-manager", "/lists/mine"} {
		if got := withTokenHeader(t, other, g.URL+place, session); got != (answered{Text: "TypeError: Failed to fetch"}) {
			t.Errorf("S32: %s: %+v", place, got)
		}
	}
	eventually(t, "the browser to tell of six blocked requests", func() bool {
		return strings.Count(strings.Join(other.said(), "\n"), blocked) == 6
	})
	other.quiet(t, blocked, "net::ERR_FAILED", "HttpErrorResponse")
}

// permitted is what the package's service makes of an answer.
type permitted struct {
	Authenticated bool   `json:"authenticated"`
	Permissions   rights `json:"permissions"`
	Service       string `json:"service"`
	Token         string `json:"token"`
	UserID        string `json:"userid"`
	// Failed is the name of the error instead.
	Failed string `json:"failed"`
}

type rights struct {
	Read bool `json:"read"`
}

// The package's service answers with observables.
const (
	checkScript      = `new Promise(done => auth.check(ADDRESS).subscribe({next: done, error: error => done({failed: error.name})}))`
	logoutScript     = `new Promise(done => auth.logout(ADDRESS).subscribe({next: done, error: error => done({failed: error.name})}))`
	permissionScript = `new Promise(done => auth.permission(ADDRESS).subscribe({next: done, error: error => done({failed: error.name}), complete: () => done({failed: "no token"})}))`
)

// signInElsewhere signs in as ada from an application's page.
func signInElsewhere(t testing.TB, g *gatewaytest.Gateway, b *tab, page string) {
	t.Helper()
	b.open(t, page+"?lang=he#/lists")
	greets(t, b, "stranger")
	b.quiet(t)
	b.do(t, chromedp.Click(chromedp.CSS(".login")))
	b.at(t, g.URL+"/auth/login/google/")
	b.click(t, "Ada Lovelace")
	b.atExactly(t, page+"?lang=he") // from which the package has taken the token, and more
	greets(t, b, "Ada Lovelace")
}

// greets waits until the application says who is there.
func greets(t testing.TB, b *tab, name string) {
	t.Helper()
	b.await(t, "the application to greet "+name, func(string) bool { return strings.Contains(b.text(t), "Hello "+name) })
}

// answered is an answer as a page's script reads it, or the error.
type answered struct {
	Status int    `json:"status"`
	Text   string `json:"text"`
}

// withTokenHeader asks from a page's script, with a token in a header.
func withTokenHeader(t testing.TB, b *tab, address, token string) answered {
	t.Helper()
	return ask[answered](t, b, `fetch(ADDRESS, {headers: {"auth-token": "`+token+`"}}).then(
		async answer => ({status: answer.status, text: await answer.text()}), error => ({text: String(error)}))`, address)
}

// lists is a site with a service that lets every page read its answers, as
// those do that budgetkey-app calls.
func lists(t testing.TB) (site string) {
	t.Helper()
	return `auth_api
	handle /lists/* {
		require_permission list-manager read
		reverse_proxy ` + gatewaytest.NewUpstream(t).Address() + ` {
			header_down Access-Control-Allow-Origin *
		}
	}`
}

// elsewhere runs a server for the application in npm/dgp.html, on a port of its
// own, with the packages as they were installed. pageElsewhere is where to find
// it.
func elsewhere(t testing.TB) (port string) {
	t.Helper()
	text, err := os.ReadFile("npm/dgp.html")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("npm/node_modules/dgp-oauth2-ng/package.json"); err != nil {
		t.Fatalf("%v; %s", err, install)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /gateway/{port}/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(strings.Replace(string(text), "GATEWAY'", "http://localhost:"+r.PathValue("port")+"'", 1)))
	})
	files := http.FileServer(http.Dir("npm"))
	mux.HandleFunc("GET /node_modules/", func(w http.ResponseWriter, r *http.Request) {
		if path.Ext(r.URL.Path) == "" { // so RxJS imports its modules, written for bundlers
			r.URL.Path += ".js"
		}
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		files.ServeHTTP(w, r)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://127.0.0.1:")
}

// pageElsewhere is the address of the application for a gateway, by a name of
// its host.
func pageElsewhere(t testing.TB, g *gatewaytest.Gateway, host, port string) (address string) {
	t.Helper()
	site, err := url.Parse(g.URL)
	if err != nil {
		t.Fatal(err)
	}
	return "http://" + host + ":" + port + "/gateway/" + site.Port() + "/"
}
