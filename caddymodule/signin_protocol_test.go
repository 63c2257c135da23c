package caddymodule_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/providers/providertest/fakegithub"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

// S21 to S23: what a browser carries to a provider. Each sign-in has a state, a
// verifier and, at an OpenID provider, a nonce of its own, and the address that
// only this provider comes back to.
func TestAuthorizeRequests(t *testing.T) {
	a := newAccounts(t, nil, gatewaytest.Config{Auth: "login dev\nrate_limits off"})
	for provider, redirect := range map[string]string{
		"google": a.URL + "/auth/oauth_callback", "github": a.URL + "/auth/oauth_callback/github", "dev": a.URL + "/auth/oauth_callback",
	} {
		seen := map[string]bool{}
		for range 3 {
			answer := gatewaytest.NewBrowser(t).Navigate(a.URL + "/auth/login/" + provider + "?deliver=jwt&next=" + url.QueryEscape(application))
			query := queryOf(t, answer.Location)
			if query.Get("code_challenge_method") != "S256" || len(query.Get("code_challenge")) != 43 { // S22
				t.Errorf("%s: PKCE in %s", provider, answer.Location)
			}
			if query.Get("response_type") != "code" && provider != "github" || query.Get("redirect_uri") != redirect {
				t.Errorf("%s: %s", provider, answer.Location)
			}
			fresh := []string{"state", "code_challenge"}
			if provider != "github" {
				fresh = append(fresh, "nonce")
			}
			for _, name := range fresh {
				value := query.Get(name)
				if len(query[name]) != 1 || len(value) < 22 || seen[value] {
					t.Errorf("%s: %s is %q", provider, name, query[name])
				}
				seen[value] = true
			}
			// Nothing of ours goes there but the address to come back to (S20).
			for name := range query {
				if !strings.Contains(" client_id code_challenge code_challenge_method nonce redirect_uri response_type response_mode scope state ", " "+name+" ") {
					t.Errorf("%s: %s is sent along", provider, name)
				}
			}
			if strings.Contains(answer.Location, "3000") {
				t.Errorf("%s: the destination is told: %s", provider, answer.Location)
			}
		}
	}
}

// S23, mix-up: an answer of one provider is of no use at another one's address
// or in another one's sign-in, whatever it says of itself.
func TestMixUp(t *testing.T) {
	a := newAccounts(t, nil, gatewaytest.Config{Auth: "login dev\nrate_limits off"})
	ada := fakeidp.Person{Subject: "1", Email: "ada@example.com", EmailVerified: true}
	eve := fakegithub.Person{ID: 7, Login: "eve", Emails: []fakegithub.Email{{Email: "eve@example.com", Primary: true, Verified: true}}}
	google := func() (*gatewaytest.Browser, string) { a.google.Next(ada); return a.callback(t, "google") }
	github := func() (*gatewaytest.Browser, string) { a.github.Next(eve); return a.callback(t, "github") }
	for name, c := range map[string]struct {
		start  func() (*gatewaytest.Browser, string)
		change func(string) string
		status int
	}{
		"google's at github's address": {google, func(c string) string { return strings.Replace(c, "/oauth_callback?", "/oauth_callback/github?", 1) }, 400},
		"github's at google's address": {github, func(c string) string {
			return strings.Replace(c, "/oauth_callback/github?", "/oauth_callback/google?", 1)
		}, 400},
		"google's, no iss":       {google, func(c string) string { return edit(t, c, func(q url.Values) { q.Del("iss") }) }, 502},
		"google's, github's iss": {google, func(c string) string { return edit(t, c, func(q url.Values) { q.Set("iss", a.github.Issuer()) }) }, 502},
		"google's, iss of another case": {google, func(c string) string {
			return edit(t, c, func(q url.Values) { q.Set("iss", strings.ToUpper(q.Get("iss"))) })
		}, 502},
		"google's, iss with a slash": {google, func(c string) string { return edit(t, c, func(q url.Values) { q.Set("iss", q.Get("iss")+"/") }) }, 502},
		"google's, iss twice":        {google, func(c string) string { return c + "&iss=" + url.QueryEscape(a.google.Issuer()) }, 400},
		"google's, empty iss":        {google, func(c string) string { return edit(t, c, func(q url.Values) { q.Set("iss", "") }) }, 400},
		"github's, google's iss":     {github, func(c string) string { return edit(t, c, func(q url.Values) { q.Set("iss", a.google.Issuer()) }) }, 502},
		"github's code in google's": {google, func(c string) string {
			_, other := github()
			return edit(t, c, func(q url.Values) { q.Set("code", queryOf(t, other).Get("code")) })
		}, 502},
		"an id_token beside it": {google, func(c string) string { return c + "&code=second&id_token=x" }, 400},
		"code and error":        {google, func(c string) string { return c + "&error=access_denied" }, 400},
		"state in another case": {google, func(c string) string {
			return edit(t, c, func(q url.Values) { q.Set("state", strings.ToLower(q.Get("state"))) })
		}, 400},
		"state with a line break":          {google, func(c string) string { return edit(t, c, func(q url.Values) { q.Set("state", q.Get("state")+"\n") }) }, 400},
		"parameters in another case alone": {google, func(c string) string { return strings.NewReplacer("state=", "STATE=", "code=", "CODE=").Replace(c) }, 400},
	} {
		t.Run(name, func(t *testing.T) {
			b, callback := c.start()
			answer := b.Navigate(c.change(callback))
			if strings.Contains(answer.Location, "jwt=") || sessionCookie(t, b, a.Gateway) != "" {
				t.Fatalf("signed in: %d to %s", answer.Status, answer.Location)
			}
			// A provider's refusal goes back to the application that waits for it.
			if c.status == 502 && answer.Status == http.StatusFound && answer.Location == application {
				return
			}
			if answer.Status != c.status {
				t.Errorf("got %d to %s", answer.Status, answer.Location)
			}
		})
	}
}

// S25: what a provider, or whoever writes its answer, says of an error is not
// repeated: not on the page, not in a header, not in the log.
func TestProviderTextIsNotRepeated(t *testing.T) {
	a := newAccounts(t, nil, gatewaytest.Config{Auth: "login dev\nrate_limits off"})
	for _, text := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, "Call 0900-REFLECTED now", "javascript:REFLECTED", "REFLECTED\r\nSet-Cookie: x=1", "{{.REFLECTED}}", "\u202eREFLECTED",
	} {
		for _, accept := range []string{"text/html", "application/json", "*/*"} {
			b := gatewaytest.NewBrowser(t)
			started := b.Navigate(a.URL + "/auth/login/google?next=%2Fpage")
			state := queryOf(t, started.Location).Get("state")
			query := url.Values{"state": {state}, "error": {"access_denied"}, "error_description": {text}, "error_uri": {"https://REFLECTED.example/"}, "iss": {a.google.Issuer()}}
			for _, q := range []url.Values{query, {"state": {state}, "error": {text}, "iss": {a.google.Issuer()}}, {"error": {text}}, {"state": {text}, "code": {text}}} {
				answer := b.Do(http.MethodGet, a.URL+"/auth/oauth_callback?"+q.Encode(), nil, header("Accept", accept))
				all := answer.Body + answer.Location
				for name, values := range answer.Header {
					all += name + strings.Join(values, "")
				}
				if strings.Contains(all, "REFLECTED") || strings.Contains(all, "<script") || strings.Contains(all, "onerror") || answer.Status < 400 {
					t.Errorf("%q in %s: got %d\n%s", text, accept, answer.Status, all)
				}
				if policy := answer.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") {
					t.Errorf("%q in %s: the policy is %q", text, accept, policy)
				}
			}
		}
	}
	if strings.Contains(a.Output(), "REFLECTED") {
		t.Error("it is in the log")
	}
}

// S45: a provider's tokens are used and dropped: they are in no answer, no
// header of an upstream, no log and no file of ours.
func TestProviderTokensAreDropped(t *testing.T) {
	var (
		mu      sync.Mutex
		secrets []string
		idp     *fakeidp.IdP
	)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/token" {
			idp.ServeHTTP(w, r)
			return
		}
		recorded := httptest.NewRecorder()
		idp.ServeHTTP(recorded, r)
		var answer map[string]any
		_ = json.Unmarshal(recorded.Body.Bytes(), &answer)
		mu.Lock()
		for _, name := range []string{"access_token", "refresh_token", "id_token"} {
			if text, ok := answer[name].(string); ok {
				secrets = append(secrets, text)
			}
		}
		mu.Unlock()
		for name, values := range recorded.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(recorded.Code)
		_, _ = w.Write(recorded.Body.Bytes())
	}))
	t.Cleanup(server.Close)
	idp = fakeidp.New(fakeidp.Config{Issuer: server.URL, Clients: gatewayClients})
	idp.Always(fakeidp.Person{Subject: "1", Email: "ada@example.com", EmailVerified: true, Name: "Ada"})
	upstream := gatewaytest.NewUpstream(t)
	g := gatewaytest.Start(t, gatewaytest.Config{
		Auth: "rate_limits off\nlogin corp oidc {\nissuer " + server.URL + "\nclient_id gateway\nclient_secret hush\n}",
		Site: "auth_api\nrequire_login\nreverse_proxy " + upstream.Address(),
	})
	b := gatewaytest.NewBrowser(t)
	var said strings.Builder
	at := g.URL + "/page"
	for range maxRedirects {
		answer := b.Navigate(at)
		said.WriteString(answer.Body)
		for name, values := range answer.Header {
			said.WriteString(name + strings.Join(values, " "))
		}
		if answer.Location == "" {
			break
		}
		at = gatewaytest.Resolve(t, at, answer.Location)
	}
	said.WriteString(b.Navigate(g.URL+"/auth/account").Body + b.Fetch(g.URL+"/auth/check").Body)
	if len(upstream.Take()) != 1 || len(secrets) < 2 {
		t.Fatalf("the sign-in ended at %s, %d tokens were given out", at, len(secrets))
	}
	g.Stop(t)
	places := map[string][]byte{"the log": []byte(g.Output()), "an answer or an upstream's request": []byte(said.String())}
	err := filepath.WalkDir(g.State, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		places[path] = text
		return err
	})
	if err != nil || len(places) < 4 {
		t.Fatalf("looked at %d places: %v", len(places), err)
	}
	for _, secret := range secrets {
		for place, text := range places {
			if bytes.Contains(text, []byte(secret)) || bytes.Contains(text, []byte(url.QueryEscape(secret))) {
				t.Errorf("a token of the provider's is in %s", place)
			}
		}
	}
}
