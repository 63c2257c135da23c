package caddymodule_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// loginCookies are the names of the sign-ins that a browser has under way.
func loginCookies(t *testing.T, b *gatewaytest.Browser, g *gatewaytest.Gateway) (names []string) {
	t.Helper()
	u, err := url.Parse(g.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.Jar.Cookies(u) {
		if strings.HasPrefix(c.Name, "login-") {
			names = append(names, c.Name)
		}
	}
	return names
}

// S21, S31: however many tabs sign in, a browser has five sign-ins under way and
// the newest are good; each goes where its tab was to go, and takes its cookie
// away.
func TestManyTabs(t *testing.T) {
	g := signInGateway(t)
	b := gatewaytest.NewBrowser(t)
	var callbacks []string
	for i := range 9 {
		callbacks = append(callbacks, start(b, g, "next="+url.QueryEscape(fmt.Sprintf("/tab/%d", i))))
		if n := len(loginCookies(t, b, g)); n != min(i+1, 5) {
			t.Errorf("after %d tabs there are %d cookies", i+1, n)
		}
	}
	good := 0
	for i, callback := range callbacks {
		answer := b.Navigate(callback)
		if want := fmt.Sprintf("%s/tab/%d", g.URL, i); answer.Location == want {
			good++
		} else if answer.Status != http.StatusBadRequest || !strings.Contains(answer.Body, "state_mismatch") {
			t.Errorf("tab %d: got %d to %s", i, answer.Status, answer.Location)
		}
	}
	if good != 5 || len(loginCookies(t, b, g)) != 0 {
		t.Errorf("%d tabs were signed in, cookies left: %q", good, loginCookies(t, b, g))
	}
}

// S21: two sign-ins of one browser do not help each other: the state of one, the
// cookie of the other.
func TestTwoStatesOfOneBrowser(t *testing.T) {
	g := signInGateway(t)
	b := gatewaytest.NewBrowser(t)
	first, second := start(b, g, ""), start(b, g, "")
	names := loginCookies(t, b, g)
	u, _ := url.Parse(g.URL)
	values := map[string]string{}
	for _, c := range b.Jar.Cookies(u) {
		values[c.Name] = c.Value
	}
	if len(names) != 2 {
		t.Fatalf("cookies: %q", names)
	}
	for _, callback := range []string{first, second} {
		own := "login-" + queryOf(t, callback).Get("state")[:8]
		other := names[0]
		if other == own {
			other = names[1]
		}
		stranger := gatewaytest.NewBrowser(t)
		answer := stranger.Do(http.MethodGet, callback, nil, header("Accept", "text/html", "Cookie", own+"="+values[other]))
		wantFailure(t, g, stranger, answer, http.StatusBadRequest, "state_mismatch")
	}
}

// Pages section 3: whoever takes longer than ten minutes is told so, and one
// link begins anew and keeps the destination.
func TestSlowSignIn(t *testing.T) {
	g := signInGateway(t)
	for _, deliver := range []string{"", "deliver=jwt&"} {
		b := gatewaytest.NewBrowser(t)
		next := "https://app.example.com/area?x=1&y=%26#z"
		callback := start(b, g, deliver+"next="+url.QueryEscape(next))
		// Ten minutes, or eleven.
		if _, err := ownDatabase(t, g).Exec(
			`UPDATE auth_attempts SET value = CAST(json_set(CAST(value AS TEXT), '$.expires', '2020-01-01T00:00:00Z') AS BLOB)`); err != nil {
			t.Fatal(err)
		}
		answer := b.Navigate(callback)
		wantFailure(t, g, b, answer, http.StatusBadRequest, "state_expired")
		again := ""
		for _, link := range gatewaytest.Links(answer.Body) {
			if strings.HasPrefix(link, g.URL+"/auth/login/dev?") {
				again = link
			}
		}
		if query := queryOf(t, again); query.Get("next") != next || query.Has("deliver") != (deliver != "") {
			t.Fatalf("the link to start again is %q", again)
		}
		_, at := b.SignIn(again, "ada")
		if deliver != "" {
			at = strings.Replace(at, "&jwt="+delivered(t, at), "", 1)
		}
		if at != next {
			t.Errorf("starting again ended at %s", at)
		}
		// It was used up, though, and says so to whoever tries it again.
		wantUsed := gatewaytest.NewBrowser(t)
		wantFailure(t, g, wantUsed, wantUsed.Navigate(callback), http.StatusBadRequest, "state_used")
	}
}

// The back button goes back through all that a sign-in went through. Nothing of
// it is a 500, a second session or a circle.
func TestBackButton(t *testing.T) {
	g := signInGateway(t)
	b := gatewaytest.NewBrowser(t)
	callback := start(b, g, "next=%2Fpage")
	b.Navigate(callback)
	session := sessionCookie(t, b, g)
	for range 3 {
		answer, way := walk(t, b, callback)
		if answer.Status != http.StatusOK || way[len(way)-1] != g.URL+"/page" || sessionCookie(t, b, g) != session {
			t.Fatalf("the callback ended with %d after\n%s", answer.Status, strings.Join(way, "\n"))
		}
	}
	// Signed out, it says that it was used, and how to start again.
	post(b, g, form(t, b, g.URL+"/auth/logout"), "Sec-Fetch-Site", "same-origin")
	answer, _ := walk(t, b, callback)
	wantFailure(t, g, b, answer, http.StatusBadRequest, "state_used")
	if !strings.Contains(answer.Body, "/auth/login/dev?next=") {
		t.Errorf("no way on:\n%s", answer.Body)
	}
	// And so do the provider's own pages of that sign-in: nobody comes back signed
	// in by them.
	again := gatewaytest.NewBrowser(t)
	if page, _ := walk(t, again, callback); page.Status >= 500 {
		t.Errorf("in another browser: %d", page.Status)
	}
}

// Ruling 3, S31: two session cookies mean signed out, whichever is good and
// wherever they come from; nothing is said of either.
func TestTwoSessionCookies(t *testing.T) {
	g := signInGateway(t)
	ada := signIn(t, g, "ada")
	for _, line := range []string{
		"auth_session=" + ada.Cookie + "; auth_session=planted", "auth_session=planted; auth_session=" + ada.Cookie,
		"auth_session=" + ada.Cookie + "; auth_session=" + ada.Cookie, "auth_session=; auth_session=" + ada.Cookie,
	} {
		stranger := gatewaytest.NewBrowser(t)
		gate := stranger.Do(http.MethodGet, g.URL+"/page", nil, header("Cookie", line, "Accept", "text/html", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"))
		if gate.Status != http.StatusFound || gate.Location != g.URL+"/auth/login?next=%2Fpage" {
			t.Errorf("%s: the gate: %d to %s", line, gate.Status, gate.Location)
		}
		if check := call(t, g, "/auth/check", "Cookie", line); !strings.Contains(check.Body, `"authenticated":false`) {
			t.Errorf("%s: check: %s", line, check.Body)
		}
		login := stranger.Do(http.MethodGet, g.URL+"/auth/login?next=%2Fpage", nil, header("Cookie", line, "Accept", "text/html"))
		if login.Status != http.StatusOK || strings.Contains(login.Body, "Continue as") {
			t.Errorf("%s: the login page: %d\n%s", line, login.Status, login.Body)
		}
	}
	if answer := ada.Navigate(g.URL + "/page"); answer.Status != http.StatusOK {
		t.Errorf("afterwards: %d", answer.Status)
	}
}

// S19, S20, the second check: the list becomes shorter while somebody signs in.
// He is signed in, and sent nowhere; no token leaves.
func TestListBecomesShorter(t *testing.T) {
	const auth, site = "login dev\nrate_limits off\n", "auth_api\nrequire_login\nrespond welcome"
	g := gatewaytest.Start(t, gatewaytest.Config{Auth: auth + "allow_next https://app.example.com/area", Site: site})
	type try struct {
		b              *gatewaytest.Browser
		next, callback string
	}
	var tries []try
	for _, next := range []string{"https://app.example.com/area/x?y=1", "http://localhost:3000/", g.URL + "/page"} {
		b := gatewaytest.NewBrowser(t)
		tries = append(tries, try{b, next, start(b, g, "deliver=jwt&next="+url.QueryEscape(next))})
	}
	g.Reload(t, gatewaytest.Config{Auth: auth + "allow_next https://app.example.com/other\nloopback_next off", Site: site})
	for _, c := range tries {
		answer := c.b.Navigate(c.callback)
		if strings.HasPrefix(c.next, g.URL) {
			if delivered(t, answer.Location) == "" {
				t.Errorf("our own page: got %d to %s", answer.Status, answer.Location)
			}
			continue
		}
		if answer.Status != http.StatusBadRequest || answer.Location != "" || !strings.Contains(answer.Body, "bad_next") ||
			regexp.MustCompile(`jwt=|eyJ`).MatchString(answer.Body) {
			t.Errorf("%s: got %d to %s:\n%s", c.next, answer.Status, answer.Location, answer.Body)
		}
		if again := c.b.Navigate(c.callback); strings.Contains(again.Location, "jwt=") || strings.HasPrefix(again.Location, c.next) {
			t.Errorf("%s, again: got %d to %s", c.next, again.Status, again.Location)
		}
	}
}

// S19: names and places in which a "next" is not one, or is one after all.
func TestNextInOtherPlaces(t *testing.T) {
	g := signInGateway(t)
	evil := url.QueryEscape("https://evil.example/")
	for _, query := range []string{
		"next=" + evil, "%6eext=" + evil, "ne%78t=" + evil, "%6E%65%78%74=" + evil, "next=%2Fpage&%6eext=" + evil, "%6eext=" + evil + "&next=%2Fpage",
		"next=%2Fpage&next=" + evil, "next=&next=" + evil, "next=%2Fpage&next=%2Fpage", "next=" + evil + "&deliver=jwt", "a=b&next=" + evil + "#next=%2F",
		"next=%68ttps://evil.example", "next=https:%2F%2Fevil.example", "next=%2F%5Cevil.example", "next=/%09/evil.example", "next=%2F%0A%2Fevil.example", "next=/page%00https://evil.example",
		"next=+https://evil.example", "next=%2F..%2F%2Fevil.example", "next=%ff", "next=%E2%80%AE/moc.live", "next=//evil%E3%80%82example",
	} {
		for _, page := range []string{"/auth/login/dev", "/auth/login", "/auth/logout", "/auth/signed-out"} {
			answer := gatewaytest.NewBrowser(t).Navigate(g.URL + page + "?" + query)
			if answer.Status != http.StatusBadRequest || answer.Location != "" || len(answer.Header["Set-Cookie"]) > 0 {
				t.Errorf("%s?%s: got %d to %s", page, query, answer.Status, answer.Location)
			}
		}
	}
	// These are not "next"; nobody is sent there.
	for _, query := range []string{"next[]=" + evil, "Next=" + evil, "NEXT=" + evil, "next%00=" + evil, "next%20=" + evil, "+next=" + evil, "next.=" + evil, "nex=" + evil, "next%5B%5D=" + evil} {
		b := gatewaytest.NewBrowser(t)
		if _, at := b.SignIn(g.URL+"/auth/login/dev?"+query, "ada"); at != g.URL+"/auth/account" {
			t.Errorf("%s: the sign-in ended at %s", query, at)
		}
	}
	// Nor is what a form says: a sign-in starts with a link.
	for _, page := range []string{"/auth/login/dev", "/auth/login", "/auth/oauth_callback"} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			answer := gatewaytest.NewBrowser(t).Do(method, g.URL+page, strings.NewReader("next="+evil), header("Content-Type", "application/x-www-form-urlencoded"))
			if answer.Status != http.StatusMethodNotAllowed || answer.Location != "" || len(answer.Header["Set-Cookie"]) > 0 {
				t.Errorf("%s %s: got %d to %s", method, page, answer.Status, answer.Location)
			}
		}
	}
}
