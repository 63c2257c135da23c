// Package examples holds one folder per story. Its tests adapt, validate and
// drive each of them, and every Caddyfile that the documentation shows.
package examples

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

func TestMain(m *testing.M) { gatewaytest.Main(m) }

var (
	ada = fakeidp.Person{Subject: "1001", Email: "ada@example.com", EmailVerified: true, Name: "Ada Lovelace"}
	bob = fakeidp.Person{Subject: "1002", Email: "bob@example.com", EmailVerified: true, Name: "Bob"}
)

// story is an example that runs, with an identity provider and an upstream.
type story struct {
	*gatewaytest.Gateway
	idp      *fakeidp.IdP
	upstream *gatewaytest.Upstream
}

// run starts an example as its Caddyfile stands, with what its environment
// variables name replaced.
func run(t *testing.T, folder string) story {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "Caddyfile"))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	issuer := "http://" + server.Listener.Addr().String()
	port := gatewaytest.FreePort(t)
	origin := "http://localhost:" + port
	idp := fakeidp.New(fakeidp.Config{Issuer: issuer, Clients: []fakeidp.Client{
		{ID: "client", Secret: "secret", RedirectURIs: []string{origin + "/auth/oauth_callback"}},
	}})
	server.Config.Handler = idp
	server.Start()
	t.Cleanup(server.Close)
	upstream := gatewaytest.NewUpstream(t)
	g := gatewaytest.New(t, gatewaytest.Config{Env: []string{
		"CADDY_ADMIN=127.0.0.1:" + gatewaytest.FreePort(t), "EXTERNAL_ADDRESS=" + origin, "UPSTREAM=" + upstream.Address(),
		"GOOGLE_ISSUER=" + issuer, "GOOGLE_KEY=client", "GOOGLE_SECRET=secret",
		"OIDC_ISSUER=" + issuer, "OIDC_CLIENT_ID=client", "OIDC_CLIENT_SECRET=secret",
	}})
	t.Cleanup(func() {
		// After the gateway has stopped: S41.
		if strings.Contains(g.Output(), "logs may show") {
			t.Errorf("the example is warned of its own logs:\n%s", g.Output())
		}
	})
	g.URL, g.Address = origin, "127.0.0.1:"+port
	g.RunFile(t, string(text), g.Address)
	return story{g, idp, upstream}
}

// signIn follows every redirect from address and returns the page at its end.
func (s story) signIn(t *testing.T, b *gatewaytest.Browser, address string, person fakeidp.Person) (gatewaytest.Answer, string) {
	t.Helper()
	s.idp.Next(person)
	return b.Follow(address)
}

func TestAPIBehindAPermission(t *testing.T) {
	s := run(t, "api-behind-a-permission")
	anonymous := gatewaytest.NewBrowser(t)

	refused := anonymous.Fetch(s.URL + "/measurements/1")
	if refused.Status != http.StatusUnauthorized || !strings.Contains(refused.Body, `"code":"not_signed_in"`) {
		t.Fatalf("without a token: %d %s", refused.Status, refused.Body)
	}
	if nothing := anonymous.Fetch(s.URL + "/"); nothing.Status != http.StatusNotFound {
		t.Errorf("what is not listed answers %d", nothing.Status)
	}

	// The API's protocol: check gives the address to sign in at, which comes back
	// to the program with a session token.
	check := anonymous.Fetch(s.URL + "/auth/check?next=" + url.QueryEscape("http://localhost:3000"))
	var answer struct {
		Providers map[string]struct{ URL string }
	}
	if err := json.Unmarshal([]byte(check.Body), &answer); err != nil {
		t.Fatal(err)
	}
	tokens := make(map[string]string)
	for name, person := range map[string]fakeidp.Person{"ada": ada, "bob": bob} {
		s.idp.Next(person)
		tokens[name] = sessionToken(t, gatewaytest.NewBrowser(t), answer.Providers["google"].URL)
	}

	// A session token gets a permission token for one service.
	program := gatewaytest.NewBrowser(t)
	permission := make(map[string]string)
	for name, token := range tokens {
		got := program.Do("GET", s.URL+"/auth/authorize?service=measurements", nil, http.Header{"Auth-Token": {token}})
		var body struct {
			Token       string
			Permissions map[string]any
		}
		if err := json.Unmarshal([]byte(got.Body), &body); err != nil || body.Token == "" || body.Permissions["read"] != true {
			t.Fatalf("authorize for %s: %v %s", name, err, got.Body)
		}
		permission[name] = body.Token
	}
	for _, test := range []struct {
		who, method string
		want        int
	}{
		{"ada", "GET", 200}, {"ada", "POST", 200}, {"bob", "GET", 200}, {"bob", "POST", 403}, {"bob", "DELETE", 403},
	} {
		got := program.Do(test.method, s.URL+"/measurements/1", nil, http.Header{"Authorization": {"Bearer " + permission[test.who]}})
		if got.Status != test.want {
			t.Errorf("%s %s: %d, want %d: %s", test.who, test.method, got.Status, test.want, got.Body)
		}
	}
	for _, seen := range s.upstream.Take() {
		if seen.Header.Get("X-Auth-Email") == "" || seen.Header.Get("X-Auth-Service") != "measurements" || seen.Header.Get("X-Auth-Token") == "" {
			t.Errorf("the upstream saw %v", seen.Header)
		}
		if seen.Header.Get("Authorization") != "" {
			t.Error("the upstream saw the client's token")
		}
	}
}

// sessionToken goes through a sign-in and catches the token on its way to the
// program.
func sessionToken(t *testing.T, b *gatewaytest.Browser, address string) string {
	t.Helper()
	for range 10 {
		answer := b.Navigate(address)
		if token, found := strings.CutPrefix(answer.Location, "http://localhost:3000?jwt="); found {
			return token
		}
		if answer.Location == "" {
			t.Fatalf("%s: %d %s", address, answer.Status, answer.Body)
		}
		address = gatewaytest.Resolve(t, address, answer.Location)
	}
	t.Fatal("the sign-in did not come back")
	return ""
}

func TestSiteWithLogin(t *testing.T) {
	s := run(t, "site-with-login")
	b := gatewaytest.NewBrowser(t)

	open := b.Do("GET", s.URL+"/", nil, http.Header{"X-Auth-User-Id": {"somebody"}})
	if open.Status != http.StatusOK || gatewaytest.ParseSeen(t, open.Body).Header.Get("X-Auth-User-Id") != "" {
		t.Fatalf("the open page: %d %s", open.Status, open.Body)
	}

	page, at := s.signIn(t, b, s.URL+"/members/list?page=2", ada)
	if at != s.URL+"/members/list?page=2" || page.Status != http.StatusOK {
		t.Fatalf("signed in at %s: %d %s", at, page.Status, page.Body)
	}
	if name := gatewaytest.ParseSeen(t, page.Body).Header.Get("X-Auth-Name"); name != "Ada%20Lovelace" {
		t.Errorf("the upstream saw the name %q", name)
	}
	if home := b.Navigate(s.URL + "/"); gatewaytest.ParseSeen(t, home.Body).Header.Get("X-Auth-Email") != "ada@example.com" {
		t.Errorf("the open page does not know who is signed in: %s", home.Body)
	}

	confirm := b.Navigate(s.URL + "/auth/logout")
	form := url.Values{}
	for _, field := range regexp.MustCompile(`name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(confirm.Body, -1) {
		form.Set(field[1], field[2])
	}
	out := b.Do("POST", s.URL+"/auth/logout", strings.NewReader(form.Encode()), http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "Origin": {s.URL}, "Sec-Fetch-Site": {"same-origin"}, "Accept": {"text/html"},
	})
	if out.Status != http.StatusSeeOther {
		t.Fatalf("signing out: %d %s", out.Status, out.Body)
	}
	if again := b.Navigate(s.URL + "/members/list"); again.Status != http.StatusFound || !strings.Contains(again.Location, "/auth/login?next=%2Fmembers%2Flist") {
		t.Errorf("after signing out: %d %s", again.Status, again.Location)
	}
}

// Every Caddyfile in the repository, and every one that its documentation
// shows, is one that the gateway accepts.
func TestEveryCaddyfileIsValid(t *testing.T) {
	texts := make(map[string]string)
	files, err := filepath.Glob("*/*Caddyfile")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, "../Caddyfile") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[file] = string(text)
	}
	documents, err := filepath.Glob("*/README.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("(?s)```caddyfile\n(.*?)```")
	for _, file := range append(documents, "../README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, match := range shown.FindAllStringSubmatch(string(text), -1) {
			texts[file+" #"+string(rune('1'+i))] = match[1]
		}
	}
	if len(texts) < 4 {
		t.Fatalf("only %d Caddyfiles were found", len(texts))
	}
	secrets := writeSecrets(t)
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			g := gatewaytest.New(t, gatewaytest.Config{Env: []string{
				"GOOGLE_KEY=client", "GOOGLE_SECRET=secret", "OIDC_CLIENT_ID=client", "OIDC_CLIENT_SECRET=secret",
				"SECRETS=" + secrets,
			}})
			file := filepath.Join(g.State, "Caddyfile")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, verb := range [][]string{{"adapt", "--config", file, "--validate"}, {"fmt", "--diff", file}} {
				output, err := g.Command(verb...)
				if err != nil {
					t.Errorf("%v: %v\n%s", verb, err, output)
				}
			}
		})
	}
}
