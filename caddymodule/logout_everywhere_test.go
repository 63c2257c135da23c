package caddymodule_test

import (
	"database/sql"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// ownDatabase is the gateway's SQLite file. The driver is the one that the
// gateway in this binary has.
func ownDatabase(t *testing.T, g *gatewaytest.Gateway) *sql.DB {
	t.Helper()
	database, err := sql.Open("sqlite", filepath.Join(g.State, "data", "caddy", "auth", "auth.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { database.Close() })
	if _, err := database.Exec("PRAGMA busy_timeout = 5000"); err != nil {
		t.Fatal(err)
	}
	return database
}

func sessionsOf(t *testing.T, database *sql.DB, userID string) (n int) {
	t.Helper()
	if err := database.QueryRow("SELECT count(*) FROM auth_sessions WHERE user_id = ?", userID).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// S8: "sign out everywhere" ends every session of the user at once, with all
// that they gave out, and nobody else's.
func TestLogoutEverywhere(t *testing.T) {
	g, upstream := sessionGateway(t, "")
	for name, end := range map[string]func(held) gatewaytest.Answer{
		"button of the account page": func(h held) gatewaytest.Answer {
			fields := form(t, h.Browser, g.URL+"/auth/account")
			fields.Set("all", "1")
			return post(h.Browser, g, fields, "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Origin", "null")
		},
		"token": func(h held) gatewaytest.Answer {
			return gatewaytest.NewBrowser(t).Do(http.MethodPost, g.URL+"/auth/logout?all=1", nil, header("Auth-Token", h.Token))
		},
	} {
		t.Run(name, func(t *testing.T) {
			ada, elsewhere, bob := hold(t, g, "ada"), hold(t, g, "ada"), hold(t, g, "bob")
			for _, h := range []held{ada, elsewhere, bob} {
				h.want(t, g, upstream, true)
			}
			answer := end(ada)
			if answer.Status != http.StatusOK && (answer.Status != http.StatusSeeOther || answer.Location != g.URL+"/auth/signed-out?all=1") {
				t.Errorf("got %d to %s: %s", answer.Status, answer.Location, answer.Body)
			}
			ada.want(t, g, upstream, false)
			elsewhere.want(t, g, upstream, false)
			bob.want(t, g, upstream, true)
			if n := sessionsOf(t, ownDatabase(t, g), ada.ID); n != 0 {
				t.Errorf("%d sessions are left in the database", n)
			}
		})
	}
}

// S33: nobody else's page signs anybody out everywhere.
func TestLogoutEverywhereFromElsewhere(t *testing.T) {
	g, upstream := sessionGateway(t, "")
	ada, elsewhere := hold(t, g, "ada"), hold(t, g, "ada")
	right := form(t, ada.Browser, g.URL+"/auth/account").Get("form_token")
	other := form(t, elsewhere.Browser, g.URL+"/auth/account").Get("form_token")
	for name, c := range map[string]struct {
		fields  url.Values
		headers []string
	}{
		"another site":              {url.Values{"all": {"1"}, "form_token": {right}}, []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}},
		"sibling":                   {url.Values{"all": {"1"}, "form_token": {right}}, []string{"Sec-Fetch-Site", "same-site", "Origin", strings.Replace(g.URL, "//", "//app.", 1)}},
		"old browser":               {url.Values{"all": {"1"}}, []string{"Origin", "https://evil.example"}},
		"sandboxed frame":           {url.Values{"all": {"1"}}, []string{"Origin", "null"}},
		"nothing said":              {url.Values{"all": {"1"}}, nil},
		"two headers that disagree": {url.Values{"all": {"1"}}, []string{"Sec-Fetch-Site", "same-origin", "Origin", "https://evil.example"}},
		"another session's token":   {url.Values{"all": {"1"}, "form_token": {other}}, []string{"Sec-Fetch-Site", "same-origin"}},
	} {
		answer := post(ada.Browser, g, c.fields, c.headers...)
		if answer.Status != http.StatusForbidden || !strings.Contains(answer.Body, "cross_origin") || len(answer.Header["Set-Cookie"]) > 0 {
			t.Errorf("%s: got %d %v", name, answer.Status, answer.Header["Set-Cookie"])
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions} {
		ada.Do(method, g.URL+"/auth/logout?all=1&form_token="+url.QueryEscape(right), nil, header("Sec-Fetch-Site", "same-origin"))
		ada.Do(method, g.URL+"/auth/signed-out?all=1", nil, header("Sec-Fetch-Site", "same-origin"))
	}
	ada.want(t, g, upstream, true)
	elsewhere.want(t, g, upstream, true)
}

// S8: a disabled user who signs out is signed out: enabled again, he is not
// signed in by the cookie that he gave up.
func TestDisabledUserSignsOut(t *testing.T) {
	g, upstream := sessionGateway(t, "")
	for name, everywhere := range map[string]bool{"here": false, "everywhere": true} {
		t.Run(name, func(t *testing.T) {
			ada, elsewhere := hold(t, g, "ada"), hold(t, g, "ada")
			bob := hold(t, g, "bob")
			database := ownDatabase(t, g)
			fields := form(t, ada.Browser, g.URL+"/auth/logout")
			if everywhere {
				fields.Set("all", "1")
			}
			before := sessionsOf(t, database, ada.ID)
			disable := func(at any) {
				if _, err := database.Exec("INSERT INTO auth_accounts (user_id, disabled_at, created_at) VALUES (?, ?, 1) ON CONFLICT (user_id) DO UPDATE SET disabled_at = excluded.disabled_at", ada.ID, at); err != nil {
					t.Fatal(err)
				}
			}
			disable(1)
			defer disable(nil)
			if answer := post(ada.Browser, g, fields, "Sec-Fetch-Site", "same-origin"); answer.Status != http.StatusSeeOther {
				t.Fatalf("signing out: %d %s", answer.Status, answer.Body)
			}
			left, want := sessionsOf(t, database, ada.ID), before-1
			if everywhere {
				want = 0
			}
			if left != want {
				t.Errorf("%d sessions were there and %d are left", before, left)
			}
			disable(nil)
			for _, h := range []held{ada, elsewhere} {
				gone := h.Cookie == ada.Cookie || everywhere
				answer := call(t, g, "/login/x", "Cookie", "auth_session="+h.Cookie)
				if gone != (answer.Status == http.StatusUnauthorized) {
					t.Errorf("enabled again, a cookie gets %d; signed out: %t", answer.Status, gone)
				}
			}
			upstream.Take()
			bob.want(t, g, upstream, true)
		})
	}
}
