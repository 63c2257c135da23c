package caddymodule_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// signInGateway offers two ways to sign in, both for development.
func signInGateway(t *testing.T) *gatewaytest.Gateway {
	t.Helper()
	return gatewaytest.Start(t, gatewaytest.Config{
		Auth: "login dev\nlogin second dev\nrate_limits off\nallow_next https://app.example.com/area",
		Site: "auth_api\nrequire_login\nrespond welcome",
	})
}

// start begins a sign-in and returns the callback that would end it.
func start(b *gatewaytest.Browser, g *gatewaytest.Gateway, query string) string {
	return b.Callback(g.URL+"/auth/login/dev?"+query, "ada")
}

// edit changes the query of an address.
func edit(t *testing.T, address string, change func(url.Values)) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	change(query)
	u.RawQuery = query.Encode()
	return u.String()
}

// wantFailure checks that a sign-in failed with a page and a code, and gave
// nobody a session.
func wantFailure(t *testing.T, g *gatewaytest.Gateway, b *gatewaytest.Browser, answer gatewaytest.Answer, status int, code string) {
	t.Helper()
	if answer.Status != status || !strings.Contains(answer.Body, code) || !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") {
		t.Errorf("got %d, expected a page with %d and %s:\n%s", answer.Status, status, code, answer.Body)
	}
	if policy := answer.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") { // S25, S35
		t.Errorf("the page has the policy %q", policy)
	}
	wantNoSession(t, g, b, answer)
}

func wantNoSession(t *testing.T, g *gatewaytest.Gateway, b *gatewaytest.Browser, answer gatewaytest.Answer) {
	t.Helper()
	if strings.Contains(answer.Location, "jwt=") || strings.Contains(answer.Body, "jwt=") {
		t.Errorf("there is a token in %q or\n%s", answer.Location, answer.Body)
	}
	if cookie := sessionCookie(t, b, g); cookie != "" {
		t.Error("the browser has a session cookie")
	}
	if check := b.Fetch(g.URL + "/auth/check"); !strings.Contains(check.Body, `"authenticated":false`) {
		t.Errorf("the browser is signed in: %s", check.Body)
	}
}

// S21, S23: what an attacker does with a callback's URL, and with his own.
func TestCallbackAttacks(t *testing.T) {
	g := signInGateway(t)
	victim := func() *gatewaytest.Browser { return gatewaytest.NewBrowser(t) }
	cases := []struct {
		name   string
		change func(url.Values) // of the victim's own callback
		code   string
	}{
		{"unknown state", func(q url.Values) { q.Set("state", strings.Repeat("A", 43)) }, "state_unknown"},
		{"state of another form", func(q url.Values) { q.Set("state", "../../etc/passwd") }, "state_unknown"},
		{"state changed", func(q url.Values) { q.Set("state", q.Get("state")[:42]+flip(q.Get("state")[42])) }, "state_unknown"},
		{"state cut", func(q url.Values) { q.Set("state", q.Get("state")[:42]) }, "state_unknown"},
		{"two states", func(q url.Values) { q.Add("state", q.Get("state")) }, "state_missing"},
		{"two codes", func(q url.Values) { q.Add("code", "other") }, "state_missing"},
		{"two issuers", func(q url.Values) { q.Add("iss", q.Get("iss")) }, "state_missing"},
		{"code and error", func(q url.Values) { q.Set("error", "access_denied") }, "state_missing"},
		{"neither", func(q url.Values) { q.Del("code") }, "state_missing"},
		{"no state", func(q url.Values) { q.Del("state") }, "state_missing"},
		{"empty state", func(q url.Values) { q.Set("state", "") }, "state_missing"},
		{"empty code", func(q url.Values) { q.Set("code", "") }, "state_missing"},
		{"forged code", func(q url.Values) { q.Set("code", "forged") }, "provider_error"},
		{"no issuer", func(q url.Values) { q.Del("iss") }, "provider_error"},
		{"another issuer", func(q url.Values) { q.Set("iss", "https://evil.example") }, "provider_error"},
		{"issuer with a slash", func(q url.Values) { q.Set("iss", q.Get("iss")+"/") }, "provider_error"},
		{"issuer of the other provider", func(q url.Values) { q.Set("iss", g.URL+"/auth/login/second") }, "provider_error"},
		{"an error of no standard", func(q url.Values) { q.Del("code"); q.Set("error", "<script>alert(1)</script>") }, "provider_error"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := victim()
			status := http.StatusBadRequest
			if c.code == "provider_error" {
				status = http.StatusBadGateway
			}
			callback := start(b, g, "")
			answer := b.Navigate(edit(t, callback, c.change))
			wantFailure(t, g, b, answer, status, c.code)
			if strings.Contains(answer.Body, "<script") || strings.Contains(answer.Body, "etc/passwd") || strings.Contains(answer.Body, "evil.example") { // S25
				t.Errorf("the page repeats the request:\n%s", answer.Body)
			}
			// What was tried with the right state has used it up: one try (S21).
			if c.code == "provider_error" {
				wantFailure(t, g, b, b.Navigate(callback), http.StatusBadRequest, "state_used")
			}
		})
	}
	t.Run("broken escapes", func(t *testing.T) {
		b := victim()
		wantFailure(t, g, b, b.Navigate(start(b, g, "")+"&x=%zz"), http.StatusBadRequest, "state_missing")
	})
	t.Run("on another provider's address", func(t *testing.T) {
		b := victim()
		callback := strings.Replace(start(b, g, ""), "/auth/oauth_callback?", "/auth/oauth_callback/second?", 1)
		wantFailure(t, g, b, b.Navigate(callback), http.StatusBadRequest, "state_mismatch")
	})
	t.Run("on an address of nobody's", func(t *testing.T) {
		b := victim()
		callback := strings.Replace(start(b, g, ""), "/auth/oauth_callback?", "/auth/oauth_callback/third?", 1)
		wantFailure(t, g, b, b.Navigate(callback), http.StatusNotFound, "not_found")
	})
	// Login CSRF: the attacker's callback in the victim's browser, which did not
	// start it, or started another one.
	t.Run("in another browser", func(t *testing.T) {
		attacker, b := victim(), victim()
		callback := start(attacker, g, "")
		wantFailure(t, g, b, b.Navigate(callback), http.StatusBadRequest, "state_mismatch")
		wantFailure(t, g, attacker, attacker.Navigate(callback), http.StatusBadRequest, "state_used")
	})
	t.Run("in a browser with a sign-in of its own", func(t *testing.T) {
		attacker, b := victim(), victim()
		callback := start(attacker, g, "")
		start(b, g, "")
		wantFailure(t, g, b, b.Navigate(callback), http.StatusBadRequest, "state_mismatch")
	})
	// The cookie's name tells the attempt; its value must be that attempt's.
	for name, value := range map[string]string{"wrong cookie": "9999999999." + strings.Repeat("A", 43), "empty cookie": "9999999999.", "odd cookie": "."} {
		t.Run(name, func(t *testing.T) {
			attacker, b := victim(), victim()
			callback := start(attacker, g, "")
			state := callback[strings.Index(callback, "state=")+len("state="):]
			answer := b.Do(http.MethodGet, callback, nil, header("Accept", "text/html", "Cookie", "login-"+state[:8]+"="+value))
			wantFailure(t, g, b, answer, http.StatusBadRequest, "state_mismatch")
		})
	}
	// S22: the victim's code in an attempt of the attacker's, whose verifier does
	// not fit it, and the other way round.
	t.Run("stolen code", func(t *testing.T) {
		attacker, b := victim(), victim()
		stolen, own := start(b, g, ""), start(attacker, g, "")
		code := func(q url.Values) { q.Set("code", queryOf(t, stolen).Get("code")) }
		wantFailure(t, g, attacker, attacker.Navigate(edit(t, own, code)), http.StatusBadGateway, "provider_error")
	})
}

func flip(c byte) string {
	if c == 'A' {
		return "E"
	}
	return "A"
}

func queryOf(t *testing.T, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

// S21: a state is good once.
func TestStateIsUsedOnce(t *testing.T) {
	g := signInGateway(t)
	t.Run("in parallel", func(t *testing.T) {
		b := gatewaytest.NewBrowser(t)
		callback := start(b, g, "deliver=jwt&next="+url.QueryEscape(application))
		answers := make([]gatewaytest.Answer, 12)
		var all sync.WaitGroup
		for i := range answers {
			all.Add(1)
			go func() {
				defer all.Done()
				// A jar of its own, with the same cookies: the winner's session must not
				// help the others.
				twin := gatewaytest.NewBrowser(t)
				u, _ := url.Parse(g.URL)
				twin.Jar.SetCookies(u, b.Jar.Cookies(u))
				answers[i] = twin.Navigate(callback)
			}()
		}
		all.Wait()
		won := 0
		for _, answer := range answers {
			if strings.Contains(answer.Location, "jwt=") {
				won++
			} else if answer.Status != http.StatusBadRequest || !strings.Contains(answer.Body, "state_used") {
				t.Errorf("got %d %s", answer.Status, answer.Body)
			}
		}
		if won != 1 {
			t.Errorf("%d of %d callbacks succeeded", won, len(answers))
		}
	})
	// The back button, which sends the used state again: whoever is signed in just
	// goes on (pages section 5), without another token.
	t.Run("back button", func(t *testing.T) {
		b := gatewaytest.NewBrowser(t)
		next := g.URL + "/page?x=1"
		callback := start(b, g, "next="+url.QueryEscape(next))
		first := b.Navigate(callback)
		if first.Status != http.StatusSeeOther || first.Location != next {
			t.Fatalf("got %d to %s", first.Status, first.Location)
		}
		cookie := sessionCookie(t, b, g)
		if again := b.Navigate(callback); again.Status != http.StatusSeeOther || again.Location != next || len(again.Header["Set-Cookie"]) > 0 && sessionCookie(t, b, g) != cookie {
			t.Errorf("the back button: got %d to %s with %v", again.Status, again.Location, again.Header["Set-Cookie"])
		}
		stranger := gatewaytest.NewBrowser(t)
		wantFailure(t, g, stranger, stranger.Navigate(callback), http.StatusBadRequest, "state_used")
	})
	t.Run("back button, with a token", func(t *testing.T) {
		b := gatewaytest.NewBrowser(t)
		callback := start(b, g, "deliver=jwt&next="+url.QueryEscape(application))
		token := delivered(t, b.Navigate(callback).Location)
		if again := b.Navigate(callback); strings.Contains(fmt.Sprint(again), token) || strings.Contains(again.Location, "jwt=") { // S20: once
			t.Errorf("the back button: got %d to %s", again.Status, again.Location)
		}
	})
	// Somebody who only looks (a link preview) does not use it up.
	t.Run("HEAD", func(t *testing.T) {
		b := gatewaytest.NewBrowser(t)
		callback := start(b, g, "")
		if answer := b.Do(http.MethodHead, callback, nil, nil); answer.Location != "" {
			t.Errorf("HEAD: got %d to %s", answer.Status, answer.Location)
		}
		if answer := b.Navigate(callback); answer.Status != http.StatusSeeOther {
			t.Errorf("after HEAD: got %d %s", answer.Status, answer.Body)
		}
	})
	// Several tabs of one browser sign in at the same time.
	t.Run("tabs", func(t *testing.T) {
		b := gatewaytest.NewBrowser(t)
		var callbacks []string
		for i := range 5 {
			callbacks = append(callbacks, start(b, g, "next="+url.QueryEscape(fmt.Sprintf("/tab/%d", i))))
		}
		for i := len(callbacks) - 1; i >= 0; i-- {
			if answer, want := b.Navigate(callbacks[i]), fmt.Sprintf("%s/tab/%d", g.URL, i); answer.Location != want {
				t.Errorf("tab %d: got %d to %s", i, answer.Status, answer.Location)
			}
		}
		// Five at a time; a sixth takes the place of the oldest.
		callbacks = nil
		b = gatewaytest.NewBrowser(t)
		for range 6 {
			callbacks = append(callbacks, start(b, g, ""))
		}
		failed := 0
		for _, callback := range callbacks {
			if answer := b.Navigate(callback); answer.Status != http.StatusSeeOther {
				failed++
			}
		}
		if failed != 1 {
			t.Errorf("of six sign-ins at the same time %d failed", failed)
		}
	})
}
