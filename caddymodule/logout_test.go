package caddymodule_test

import (
	"database/sql"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// sessionGateway has gates of all kinds; session stands in the auth block.
func sessionGateway(t *testing.T, session string) (*gatewaytest.Gateway, *gatewaytest.Upstream) {
	t.Helper()
	upstream := gatewaytest.NewUpstream(t)
	return gatewaytest.Start(t, gatewaytest.Config{
		Auth: `login dev
			rate_limits off
			service storage static {
				everyone read
			}
			service reports static {
				everyone read
			}
			` + session,
		Site: strings.ReplaceAll(`auth_api
			handle /login/* {
				require_login
				reverse_proxy UPSTREAM
			}
			handle /storage/* {
				require_permission storage read {
					forward_token
					query_token
				}
				reverse_proxy UPSTREAM
			}
			handle /reports/* {
				require_permission reports read
				reverse_proxy UPSTREAM
			}
			handle {
				identify
				reverse_proxy UPSTREAM
			}`, "UPSTREAM", upstream.Address()),
	}), upstream
}

// held is everything that one session has given out.
type held struct {
	person
	storage, reports string // permission tokens
}

func hold(t *testing.T, g *gatewaytest.Gateway, user string) held {
	t.Helper()
	h := held{person: signIn(t, g, user)}
	h.storage, h.reports = permissionToken(t, g, h.Token, "storage"), permissionToken(t, g, h.Token, "reports")
	return h
}

// want checks all that a session has given out, at every gate and the API:
// every piece is alive, or every one is dead.
func (h held) want(t *testing.T, g *gatewaytest.Gateway, upstream *gatewaytest.Upstream, alive bool) {
	t.Helper()
	upstream.Take()
	cookie := []string{"Cookie", "auth_session=" + h.Cookie}
	for _, c := range []struct {
		what, path string
		credential []string
	}{
		{"cookie", "/login/x", cookie},
		{"cookie", "/storage/x", cookie},
		{"cookie", "/reports/x", cookie},
		{"session token", "/login/x", []string{"Auth-Token", h.Token}},
		{"session token", "/storage/x", []string{"Auth-Token", h.Token}},
		{"Bearer", "/reports/x", []string{"Authorization", "Bearer " + h.Token}},
		{"token in the query", "/storage/x?jwt=" + h.Token, nil},
		{"permission token", "/storage/x", []string{"Auth-Token", h.storage}},
		{"permission token in the query", "/storage/x?jwt=" + h.storage, nil},
		{"permission token", "/reports/x", []string{"Authorization", "Bearer " + h.reports}},
	} {
		answer := call(t, g, c.path, c.credential...)
		if alive {
			if seen := upstream.Take(); answer.Status != http.StatusOK || len(seen) != 1 || seen[0].Header.Get("X-Auth-User-Id") != h.ID {
				t.Errorf("%s at %s: got %d %s", c.what, c.path, answer.Status, answer.Body)
			}
			continue
		}
		var p problem
		parse(t, answer, &p)
		// A token may say by itself that it is over.
		if answer.Status != http.StatusUnauthorized || p.Code != "session_ended" && p.Code != "token_invalid" {
			t.Errorf("%s at %s: got %d %s", c.what, c.path, answer.Status, p.Code)
		}
		wantUnseen(t, upstream)
	}
	for _, credential := range [][]string{cookie, {"Auth-Token", h.Token}} {
		if check := call(t, g, "/auth/check", credential...); strings.Contains(check.Body, `"authenticated":true`) != alive {
			t.Errorf("check: got %d %s", check.Status, check.Body)
		}
		if authorize := call(t, g, "/auth/authorize?service=storage", credential...); (authorize.Body != `{"permissions":{}}`) != alive {
			t.Errorf("authorize: got %d %s", authorize.Status, authorize.Body)
		}
		call(t, g, "/open", credential...)
		if got := wantSeen(t, upstream).Header.Get("X-Auth-User-Id"); (got == h.ID) != alive || !alive && got != "" {
			t.Errorf("identify: the upstream saw %q", got)
		}
	}
}

// form reads the sign-out form of a page.
func form(t *testing.T, b *gatewaytest.Browser, address string) url.Values {
	t.Helper()
	page := b.Navigate(address)
	fields := url.Values{}
	for _, match := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(page.Body, -1) {
		fields.Set(match[1], match[2])
	}
	if fields.Get("form_token") == "" {
		t.Fatalf("no form at %s:\n%s", address, page.Body)
	}
	return fields
}

// post sends a form as a browser does.
func post(b *gatewaytest.Browser, g *gatewaytest.Gateway, fields url.Values, headers ...string) gatewaytest.Answer {
	h := header(append([]string{"Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html"}, headers...)...)
	return b.Do(http.MethodPost, g.URL+"/auth/logout", strings.NewReader(fields.Encode()), h)
}

// S8: when a session ends, everything that it gave out ends with it, at every
// gate and at once, also what has just been seen good; and nothing else does.
func TestLogout(t *testing.T) {
	g, upstream := sessionGateway(t, "")
	for name, end := range map[string]func(held) gatewaytest.Answer{
		"form": func(h held) gatewaytest.Answer {
			return post(h.Browser, g, form(t, h.Browser, g.URL+"/auth/logout"), "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Origin", g.URL)
		},
		"form of the account page": func(h held) gatewaytest.Answer {
			return post(h.Browser, g, form(t, h.Browser, g.URL+"/auth/account"), "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document")
		},
		"script": func(h held) gatewaytest.Answer {
			return h.Do(http.MethodPost, g.URL+"/auth/logout", nil, header("Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors", "Origin", g.URL))
		},
		"token in the header": func(h held) gatewaytest.Answer {
			return gatewaytest.NewBrowser(t).Do(http.MethodPost, g.URL+"/auth/logout", nil, header("Auth-Token", h.Token))
		},
		"token in the form": func(h held) gatewaytest.Answer {
			return post(gatewaytest.NewBrowser(t), g, url.Values{"jwt": {h.Token}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			ada, elsewhere, bob := hold(t, g, "ada"), hold(t, g, "ada"), hold(t, g, "bob")
			for _, h := range []held{ada, elsewhere, bob} {
				h.want(t, g, upstream, true)
			}
			answer := end(ada)
			switch {
			case strings.Contains(name, "form"):
				if answer.Status != http.StatusSeeOther || answer.Location != g.URL+"/auth/signed-out" {
					t.Errorf("got %d to %s", answer.Status, answer.Location)
				}
			case answer.Status != http.StatusOK || answer.Body != `{"success":true}`:
				t.Errorf("got %d %s", answer.Status, answer.Body)
			}
			ada.want(t, g, upstream, false)
			elsewhere.want(t, g, upstream, true)
			bob.want(t, g, upstream, true)
			if !strings.Contains(name, "token") && sessionCookie(t, ada.Browser, g) != "" {
				t.Error("the browser keeps the cookie")
			}
			// Nor does the token end what has ended twice, or come back.
			if again := end(bob); again.Status >= 400 {
				t.Errorf("bob: got %d %s", again.Status, again.Body)
			}
			bob.want(t, g, upstream, false)
			ada.want(t, g, upstream, false)
		})
	}
	// Only a session token is good for it: a permission token is for a service.
	ada := hold(t, g, "ada")
	for _, token := range []string{ada.storage, "forged", ada.Token[:len(ada.Token)-4] + "AAAA"} {
		answer := gatewaytest.NewBrowser(t).Do(http.MethodPost, g.URL+"/auth/logout", nil, header("Auth-Token", token))
		wantProblem(t, answer, http.StatusUnauthorized, "token_invalid")
	}
	ada.want(t, g, upstream, true)
}

// S33: another site cannot sign anybody out, nor take his cookie away.
func TestLogoutFromElsewhere(t *testing.T) {
	g, upstream := sessionGateway(t, "")
	ada, bob := hold(t, g, "ada"), hold(t, g, "bob")
	fields, bobs := form(t, ada.Browser, g.URL+"/auth/logout"), form(t, bob.Browser, g.URL+"/auth/logout")
	for name, c := range map[string]struct {
		fields  url.Values
		headers []string
	}{
		"another site":              {nil, []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}},
		"another site, form token":  {fields, []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}},
		"sibling":                   {fields, []string{"Sec-Fetch-Site", "same-site", "Origin", strings.Replace(g.URL, "//", "//app.", 1)}},
		"old browser, another site": {nil, []string{"Origin", "https://evil.example"}},
		"old browser, token":        {fields, []string{"Origin", "https://evil.example"}},
		"sandboxed":                 {nil, []string{"Origin", "null"}},
		"another port":              {fields, []string{"Origin", "http://localhost:1"}},
		"allowed application":       {fields, []string{"Origin", "http://localhost:3000", "Sec-Fetch-Site", "same-site"}},
		"no origin, no token":       {nil, nil},
		"wrong form token":          {url.Values{"form_token": {"forged"}}, []string{"Sec-Fetch-Site", "same-origin", "Origin", g.URL}},
		"somebody else's token":     {bobs, []string{"Sec-Fetch-Site", "same-origin", "Origin", g.URL}},
		"two form tokens":           {url.Values{"form_token": {fields.Get("form_token"), fields.Get("form_token")}}, []string{"Sec-Fetch-Site", "same-origin"}},
		"form token in JSON":        {nil, []string{"Content-Type", "text/plain"}},
	} {
		t.Run(name, func(t *testing.T) {
			answer := post(ada.Browser, g, c.fields, c.headers...)
			if answer.Status != http.StatusForbidden || !strings.Contains(answer.Body, "cross_origin") || answer.Location != "" {
				t.Errorf("got %d to %s:\n%s", answer.Status, answer.Location, answer.Body)
			}
			if set := answer.Header["Set-Cookie"]; len(set) > 0 || sessionCookie(t, ada.Browser, g) == "" {
				t.Errorf("the cookie is gone: %v", set)
			}
		})
	}
	// A GET ends nothing: an image could make one.
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions} {
		if answer := ada.Do(method, g.URL+"/auth/logout?form_token="+url.QueryEscape(fields.Get("form_token")), nil, nil); answer.Status != http.StatusOK || len(answer.Header["Set-Cookie"]) > 0 {
			t.Errorf("%s: got %d with %v", method, answer.Status, answer.Header["Set-Cookie"])
		}
	}
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch} {
		if answer := ada.Do(method, g.URL+"/auth/logout", nil, nil); answer.Status != http.StatusMethodNotAllowed {
			t.Errorf("%s: got %d", method, answer.Status)
		}
	}
	// Nor does a sign-out lead elsewhere (S19), and a bad address ends nothing.
	hostile := url.Values{"form_token": fields["form_token"], "next": {"https://evil.example/"}}
	if answer := post(ada.Browser, g, hostile, "Sec-Fetch-Site", "same-origin"); answer.Status != http.StatusBadRequest || answer.Location != "" {
		t.Errorf("hostile next: got %d to %s", answer.Status, answer.Location)
	}
	ada.want(t, g, upstream, true)
	bob.want(t, g, upstream, true)
	// And the form itself works, in old browsers too: they send "Origin: null" with
	// it, since our pages send no referrer.
	fields.Set("next", "/open")
	for _, c := range []struct {
		held
		fields  url.Values
		headers []string
	}{{ada, fields, []string{"Sec-Fetch-Site", "same-origin"}}, {bob, bobs, []string{"Origin", "null"}}} {
		if answer := post(c.Browser, g, c.fields, c.headers...); answer.Status != http.StatusSeeOther || !strings.HasPrefix(answer.Location, g.URL+"/") {
			t.Errorf("got %d to %s", answer.Status, answer.Location)
		}
		c.want(t, g, upstream, false)
	}
}

// S5, S8: a session ends at its time, however much it is used, and what it gave
// out with it.
func TestSessionLifetime(t *testing.T) {
	t.Parallel() // it waits
	g, upstream := sessionGateway(t, "session {\nlifetime 4s\n}")
	ada := hold(t, g, "ada")
	_, claims := decoded(t, ada.Token)
	end := time.Unix(int64(claims["exp"].(float64)), 0)
	for name, token := range map[string]string{"storage": ada.storage, "reports": ada.reports} {
		if _, claims := decoded(t, token); !time.Unix(int64(claims["exp"].(float64)), 0).Equal(end) {
			t.Errorf("%s: the permission token ends at %v, the session at %s", name, claims["exp"], end)
		}
	}
	call(t, g, "/storage/x", "Auth-Token", ada.Token)
	if _, claims := decoded(t, wantSeen(t, upstream).Header.Get("X-Auth-Token")); time.Unix(int64(claims["exp"].(float64)), 0).After(end) {
		t.Errorf("the upstream's token ends at %v, the session at %s", claims["exp"], end)
	}
	for time.Now().Before(end) {
		answer := call(t, g, "/login/x", "Cookie", "auth_session="+ada.Cookie)
		if answered := time.Now(); answer.Status != http.StatusOK && answered.Before(end) {
			t.Fatalf("%s before its end: got %d %s", end.Sub(answered), answer.Status, answer.Body)
		}
		time.Sleep(100 * time.Millisecond)
	}
	ada.want(t, g, upstream, false)
	if _, at := ada.SignIn(g.URL+"/login/x", "ada"); at != g.URL+"/login/x" {
		t.Errorf("signing in again ended at %s", at)
	}
}

// A session that is used lives on; one that is not ends, also where it has just
// been seen good.
func TestSessionIdle(t *testing.T) {
	t.Parallel() // it waits
	g, upstream := sessionGateway(t, "session {\nidle 2s\n}")
	ada, idle := hold(t, g, "ada"), hold(t, g, "ada")
	for start := time.Now(); time.Since(start) < 3*time.Second; time.Sleep(200 * time.Millisecond) {
		if answer := call(t, g, "/login/x", "Cookie", "auth_session="+ada.Cookie); answer.Status != http.StatusOK {
			t.Fatalf("after %s of use: got %d %s", time.Since(start), answer.Status, answer.Body)
		}
	}
	ada.want(t, g, upstream, true)
	idle.want(t, g, upstream, false)
	time.Sleep(2200 * time.Millisecond)
	ada.want(t, g, upstream, false)
}

// S7, S8: whoever is deleted from the database is nobody, whatever he holds.
func TestDeletedUser(t *testing.T) {
	g, upstream := sessionGateway(t, "")
	b := gatewaytest.NewBrowser(t)
	_, at := b.SignIn(g.URL+"/auth/login/dev?deliver=jwt&next="+url.QueryEscape(application), "ada")
	ada := person{Browser: b, Token: delivered(t, at), Cookie: sessionCookie(t, b, g)}
	bob := hold(t, g, "bob")
	_, claims := decoded(t, ada.Token)
	ada.ID = claims["userid"].(string)

	// The driver is the one that the gateway in this binary has.
	database, err := sql.Open("sqlite", filepath.Join(g.State, "data", "caddy", "auth", "auth.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	if _, err := database.Exec("PRAGMA busy_timeout = 5000"); err != nil {
		t.Fatal(err)
	}
	result, err := database.Exec("DELETE FROM users WHERE id = ?", ada.ID)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := result.RowsAffected(); n != 1 || err != nil {
		t.Fatalf("deleted %d users, %v", n, err)
	}
	held{person: ada, storage: ada.Token, reports: ada.Token}.want(t, g, upstream, false)
	bob.want(t, g, upstream, true)
	if answer := ada.Navigate(g.URL + "/auth/account"); answer.Status != http.StatusSeeOther || !strings.HasPrefix(answer.Location, g.URL+"/auth/login") {
		t.Errorf("the account page: got %d to %s", answer.Status, answer.Location)
	}
}
