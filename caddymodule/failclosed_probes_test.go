package caddymodule_test

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// inner is what no answer may tell of the inside (S44).
var inner = regexp.MustCompile(`(?i)goroutine |\.go:[0-9]+|/tmp/|select |sqlite|gorm|pgx|sqlstate|auth\.db|database is|disk|no such|127\.0\.0\.1:[0-9]{4}|panic`)

// jwts are the tokens in an answer, in whose random letters any short word
// stands sooner or later.
var jwts = regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]+`)

// wantClosed checks that an answer says no more than "not now": 503, when to try
// again, what to tell an operator; and no redirect, for a redirect to the login
// page would be the beginning of a loop.
func wantClosed(t *testing.T, what string, answer gatewaytest.Answer) {
	t.Helper()
	if answer.Status != http.StatusServiceUnavailable || answer.Location != "" {
		t.Errorf("%s: got %d to %q, expected 503:\n%s", what, answer.Status, answer.Location, answer.Body)
		return
	}
	if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err != nil || seconds < 1 || seconds > 60 {
		t.Errorf("%s: Retry-After is %q", what, answer.Header.Get("Retry-After"))
	}
	if got := answer.Header.Get("Cache-Control"); got != "no-store" { // S34
		t.Errorf("%s: Cache-Control is %q", what, got)
	}
	if answer.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("%s: asks for other credentials", what)
	}
	if found := inner.FindString(answer.Body); found != "" { // S44
		t.Errorf("%s: tells %q:\n%s", what, found, answer.Body)
	}
	for _, cookie := range answer.Header["Set-Cookie"] {
		t.Errorf("%s: sets a cookie, %s", what, strings.SplitN(cookie, "=", 2)[0])
	}
	if strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") {
		if !strings.Contains(answer.Body, "<code>unavailable</code>") || !requestIDs.MatchString(answer.Body) {
			t.Errorf("%s: the page has no code or no request ID:\n%s", what, answer.Body)
		}
		return
	}
	p := wantProblem(t, answer, http.StatusServiceUnavailable, "unavailable")
	if !requestIDs.MatchString(p.RequestID) {
		t.Errorf("%s: the problem is %+v", what, p)
	}
	if p.LoginURL != "" && !strings.Contains(what, "sign-in") {
		t.Errorf("%s: sends somebody to sign in who may be signed in: %s", what, p.LoginURL)
	}
}

var requestIDs = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// program asks with bob's credentials and no browser.
func (o *outage) program(t *testing.T, method, path string, headers ...string) gatewaytest.Answer {
	t.Helper()
	return gatewaytest.NewBrowser(t).Do(method, o.URL+path, nil, header(headers...))
}

// probes are requests that must be refused, by what they are.
type probes map[string]func() gatewaytest.Answer

// wantClosed asks all at once, since each may have to wait for the database.
func (p probes) wantClosed(t *testing.T) {
	t.Helper()
	answers := make(map[string]gatewaytest.Answer, len(p))
	var mu sync.Mutex
	var all sync.WaitGroup
	for what, ask := range p {
		all.Go(func() {
			answer := ask()
			mu.Lock()
			defer mu.Unlock()
			answers[what] = answer
		})
	}
	all.Wait()
	if len(answers) != len(p) {
		t.Errorf("%d of %d have been answered", len(answers), len(p))
	}
	for what, answer := range answers {
		wantClosed(t, what, answer)
	}
}

// writing is what needs to write: it is refused, whatever else works.
func (o *outage) writing(t *testing.T) probes {
	newcomer := gatewaytest.NewBrowser(t)
	begin, deliver := o.URL+"/auth/login/dev?next=%2Flogin%2Fx", o.URL+"/auth/login/dev?deliver=jwt&next="+url.QueryEscape(application)
	return probes{
		"a sign-in that begins":                               func() gatewaytest.Answer { return newcomer.Navigate(begin) },
		"a sign-in that begins, a program":                    func() gatewaytest.Answer { return newcomer.Fetch(begin) },
		"a sign-in that begins for an application":            func() gatewaytest.Answer { return newcomer.Navigate(deliver) },
		"a sign-in that begins for an application, a program": func() gatewaytest.Answer { return newcomer.Fetch(deliver) },
		"a sign-in that ends":                                 func() gatewaytest.Answer { return o.eve.Navigate(o.callback) },
		"a sign-in that ends, a program":                      func() gatewaytest.Answer { return o.eve.Fetch(o.callback) },
		// os-conductor's users may choose another name than the one that was made up.
		"update": func() gatewaytest.Answer {
			return o.program(t, http.MethodPost, "/user/update?username=Robert&jwt="+o.bob.token)
		},
		// Whoever leaves is told that he has not left, and keeps the means to try again.
		"logout, a page": o.leave,
		"logout, a script": func() gatewaytest.Answer {
			return o.leaving.Do(http.MethodPost, o.URL+"/auth/logout", nil,
				header("Accept", "application/json", "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors"))
		},
	}
}

// wantNothingWritten checks that nothing is said to have been written.
func (o *outage) wantNothingWritten(t *testing.T) {
	t.Helper()
	o.writing(t).wantClosed(t)
	if sessionCookie(t, o.eve, o.Gateway) != "" {
		t.Error("eve has a session cookie")
	}
	if sessionCookie(t, o.leaving, o.Gateway) == "" {
		t.Error("the browser has lost the cookie of a session that has not ended")
	}
}

func (o *outage) leave() gatewaytest.Answer {
	return post(o.leaving, o.Gateway, url.Values{}, "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document")
}

// reading is what needs to read: every endpoint and every kind of gate, for bob,
// of whom the gateway remembers nothing.
func (o *outage) reading(t *testing.T) probes {
	credentials := map[string][]string{
		"cookie": {"Cookie", "auth_session=" + o.bob.cookie, "Sec-Fetch-Site", "same-origin"},
		"token":  {"Auth-Token", o.bob.token},
		"bearer": {"Authorization", "Bearer " + o.bob.token},
	}
	all := make(probes)
	program := func(what, method, path string, headers ...string) {
		all[what+" at "+method+" "+path] = func() gatewaytest.Answer { return o.program(t, method, path, headers...) }
	}
	browser := func(path string) {
		all["page "+path] = func() gatewaytest.Answer { return o.bob.Navigate(o.URL + path) }
		all["script "+path] = func() gatewaytest.Answer { return o.bob.Fetch(o.URL + path) }
	}
	for _, path := range []string{"/login/x", "/storage/x", "/reports/x"} {
		for name, credential := range credentials {
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions} {
				program(name, method, path, credential...)
			}
		}
		browser(path)
	}
	program("token in the query", http.MethodGet, "/storage/x?jwt="+o.bob.token)
	for _, path := range []string{"/auth/check?", "/auth/check?next=%2F&", "/auth/authorize?service=storage&", "/auth/authorize?service=nobodys&"} {
		program("cookie", http.MethodGet, path, credentials["cookie"]...)
		program("token", http.MethodGet, path, credentials["token"]...)
		program("query", http.MethodGet, path+"jwt="+o.bob.token)
	}
	for _, path := range []string{"/user/check?", "/user/authorize?service=storage&"} {
		program("query", http.MethodGet, path+"jwt="+o.bob.token)
	}
	program("nobody", http.MethodGet, "/auth/resolve?username=bob")
	program("nobody", http.MethodGet, "/auth/get_profile?username=bob")
	for _, path := range []string{"/auth/account", "/auth/login", "/auth/login?next=%2Flogin%2Fx", "/auth/logout", "/auth/signed-out"} {
		browser(path)
	}
	return all
}

// wantNothingDone checks, with the database gone altogether, that nothing is
// said to be so, or to have been done.
func (o *outage) wantNothingDone(t *testing.T) {
	t.Helper()
	o.upstream.Take()
	all := o.reading(t)
	maps.Copy(all, o.writing(t))
	all.wantClosed(t)
	wantUnseen(t, o.upstream)
	if sessionCookie(t, o.eve, o.Gateway) != "" || sessionCookie(t, o.leaving, o.Gateway) == "" {
		t.Error("a browser has got a session, or lost one")
	}
	if sessionCookie(t, o.bob.Browser, o.Gateway) != o.bob.cookie {
		t.Error("bob has lost his cookie")
	}
	ready := o.program(t, http.MethodGet, "/auth/health/ready")
	if ready.Status != http.StatusServiceUnavailable || !strings.Contains(ready.Body, `"not_ready"`) || inner.MatchString(ready.Body) {
		t.Errorf("ready: %d %s", ready.Status, ready.Body)
	}
}

// wantIdentifyOpen checks that "identify" lets bob through as nobody, without a
// header of ours and without his credentials (ruling 7).
func (o *outage) wantIdentifyOpen(t *testing.T) {
	t.Helper()
	var all sync.WaitGroup
	for name, credential := range map[string][]string{
		"cookie": {"Cookie", "auth_session=" + o.bob.cookie}, "token": {"Auth-Token", o.bob.token}, "bearer": {"Authorization", "Bearer " + o.bob.token},
	} {
		forged := header(append([]string{"X-Auth-User-Id", "root", "X_auth_Email", "root@example.com"}, credential...)...)
		b := gatewaytest.NewBrowser(t)
		all.Go(func() {
			answer := b.Do(http.MethodGet, o.URL+"/open", nil, forged)
			if answer.Status != http.StatusOK {
				t.Errorf("identify with a %s: %d %s", name, answer.Status, answer.Body)
				return
			}
			if ours := identity(gatewaytest.ParseSeen(t, answer.Body)); len(ours) > 0 {
				t.Errorf("identify with a %s: the upstream saw %v", name, ours)
			}
			if strings.Contains(answer.Body, o.bob.token) || strings.Contains(answer.Body, o.bob.cookie) {
				t.Errorf("identify with a %s: the upstream saw the credential", name)
			}
		})
	}
	all.Wait()
}

// wantAlone checks what needs no database.
func (o *outage) wantAlone(t *testing.T) {
	t.Helper()
	for path, want := range map[string]string{
		"/auth/public-key": "BEGIN PUBLIC KEY", "/auth/jwks.json": `"keys"`, "/auth/health/live": `"ok"`,
		// Nobody asks for anybody, so that this is no doubt.
		"/auth/check": `"authenticated":false`, "/auth/authorize?service=storage": `{"permissions":{}}`,
	} {
		if answer := call(t, o.Gateway, path); answer.Status != http.StatusOK || !strings.Contains(answer.Body, want) {
			t.Errorf("%s: %d %s", path, answer.Status, answer.Body)
		}
	}
	// What is no credential at all can be told without a database, and what only
	// might be one cannot.
	wantProblem(t, call(t, o.Gateway, "/login/x"), http.StatusUnauthorized, "not_signed_in")
	wantProblem(t, call(t, o.Gateway, "/login/x", "Auth-Token", o.bob.token[:len(o.bob.token)-6]+"AAAAAA"), http.StatusUnauthorized, "token_invalid")
}
