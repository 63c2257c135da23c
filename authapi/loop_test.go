package authapi

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/authn"
	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/internal/wire"
)

const markName = "__Host-auth_return"

func markLine(value string) string { return "Cookie: " + markName + "=" + value }

// A sign-in that ends on our own site leaves a mark, and counts those before.
func TestSignInLeavesAMark(t *testing.T) {
	for _, c := range []struct{ next, before, mark string }{
		{origin + "/reports", "", "1.s1"},
		{origin, "", "1.s1"},
		{origin + "/reports", "1.s0", "2.s1"},
		{origin + "/reports", "100.s0", "100.s1"},
		{origin + "/reports", "x.s0", "1.s1"},
		{"https://frontend.example.com/x", "", ""},
		{"http://localhost:3000/", "1.s0", ""},
	} {
		h := build(t)
		h.authn.result.Next = c.next
		w := h.do(back(callbackPath, markLine(c.before)))
		want(t, w, http.StatusSeeOther, c.next)
		got := cookies(w)[markName]
		if c.mark == "" {
			if got != nil {
				t.Errorf("%s: a mark %v", c.next, got)
			}
			continue
		}
		if got == nil || got.Value != c.mark || got.MaxAge != 60 || !got.Secure || !got.HttpOnly || got.SameSite != http.SameSiteLaxMode || got.Path != "/" {
			t.Errorf("%s after %q: mark %v, want %s", c.next, c.before, got, c.mark)
		}
	}
	// Where a token is delivered, its taker needs no cookie.
	h := build(t)
	h.authn.result.DeliverToken = true
	if got := cookies(h.do(back(callbackPath)))[markName]; got != nil {
		t.Errorf("with a token: %v", got)
	}
	// Nor does a sign-in that failed count.
	h = build(t)
	h.authn.completErr = &authn.Error{Code: authn.CodeAccessDenied}
	if got := cookies(h.do(back(callbackPath)))[markName]; got != nil {
		t.Errorf("failed: %v", got)
	}
}

// Fail closed, never loop: a browser that has just signed in, twice, and is back
// without a session gets a page that says why, and no redirect.
func TestSignInThatGoesRound(t *testing.T) {
	for _, c := range []struct {
		name, mark string
		cookie     string // of the session
		alive      bool
		code       string // "" goes on
	}{
		{"first", "", "", false, ""},
		{"second", "1.s1", "", true, ""},
		{"cookie lost", "2.s1", "", true, codeCookieLost},
		{"cookie lost, longer", "9.s1", "", true, codeCookieLost},
		{"cookie of another session that is over", "2.s1", cookieName + "=ended; ", true, codeCookieLost},
		{"two cookies", "2.s1", cookieName + "=a; " + cookieName + "=b; ", true, codeCookieRepeated},
		{"session ended twice", "2.s1", "", false, ""},
		{"session ended thrice", "3.s1", cookieName + "=ended; ", false, codeSessionLost},
		{"signed in", "9.s1", cookieName + "=" + adasCookie + "; ", true, ""},
		{"no mark at all", "2", "", true, ""},
		{"made up", "-2.s1", "", true, ""},
		{"made up, long", "2." + strings.Repeat("s", 65), "", true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, path := range []string{"/auth/login?next=%2Fx", "/auth/login/google?next=%2Fx"} {
				h := build(t, oneLogin)
				h.authn.alive = map[string]bool{"s1": c.alive, strings.Repeat("s", 65): true}
				w := h.do(browse(path, "Cookie: "+c.cookie+markName+"="+c.mark))
				if c.code == "" {
					if w.Code == http.StatusBadRequest {
						t.Errorf("%s: got %d %s", path, w.Code, w.Body)
					}
					continue
				}
				want(t, w, http.StatusBadRequest, "")
				wantBody(t, w, c.code, `href="https://app.example.com/auth/login?next=%2Fx&amp;prompt=1">Try again`)
				if w.Header().Get("Location") != "" || len(h.authn.begun) > 0 {
					t.Errorf("%s: sent on to %q", path, w.Header().Get("Location"))
				}
				if mark := cookies(w)[markName]; mark == nil || mark.MaxAge >= 0 {
					t.Errorf("%s: the next try does not begin anew: %v", path, mark)
				}
				// The operator finds what to do under the same code.
				if logs := h.logs.FilterMessage("a sign-in goes round in circles").All(); len(logs) != 1 || logs[0].ContextMap()["code"] != c.code || logs[0].ContextMap()["fix"] == "" {
					t.Errorf("%s: log %v", path, h.logs.All())
				}
			}
		})
	}
}

// What does not go round by itself is not stopped.
func TestSignInThatOnlyLooksRound(t *testing.T) {
	lost := markLine("5.s1")
	for name, r := range map[string]*http.Request{
		"an application wants a token": browse("/auth/login/google?deliver=jwt&next=https%3A%2F%2Ffrontend.example.com%2F", lost),
		"a program":                    request(http.MethodGet, "/auth/login/google", lost),
	} {
		h := build(t)
		h.authn.alive = map[string]bool{"s1": true}
		want(t, h.do(r), http.StatusFound, "https://idp.example.net/authorize?state=STATE-12345")
		_ = name
	}
	h := build(t)
	h.authn.aliveErr = errors.New("no database")
	want(t, h.do(browse("/auth/login/google", lost)), http.StatusFound, "")
	// S37: marks can be made up, and each costs the database a look.
	h = build(t, func(c *Config) {
		c.Limit = func(*http.Request, string, string) (time.Duration, bool) { return time.Second, false }
	})
	want(t, h.do(browse("/auth/login", lost)), http.StatusTooManyRequests, "")
}

// Ruling 3, on loopback: another program's cookie for one place of the site
// signs everybody out there. Whoever sees two takes the planted one away.
func TestLoginClearsPlantedCookies(t *testing.T) {
	local, err := wire.NewSite("http://localhost:8080", "")
	if err != nil {
		t.Fatal(err)
	}
	h := build(t, func(c *Config) { c.Site = local })
	h.authz.users[authz.Cookie("mine")] = ada()
	get := func(cookie string) map[string]bool {
		r := browse("http://localhost:8080/auth/login?next=%2Freports%2Fx%3Fy", "Cookie: "+cookie)
		w := h.do(r)
		want(t, w, http.StatusOK, "")
		paths := map[string]bool{}
		for _, c := range w.Result().Cookies() {
			if c.Name == "auth_session" && c.MaxAge < 0 {
				paths[c.Path] = true
			}
		}
		return paths
	}
	paths := get("auth_session=mine; auth_session=planted")
	for _, path := range []string{"/reports", "/reports/", "/reports/x"} {
		if !paths[path] {
			t.Errorf("nothing is taken away at %s: %v", path, paths)
		}
	}
	if paths["/"] {
		t.Error("the session is taken away")
	}
	if paths := get("auth_session=mine"); !paths["/reports/x"] || paths["/"] { // the other one is for /reports alone
		t.Errorf("with one here: %v are taken away", paths)
	}
	if paths := get(""); len(paths) > 0 {
		t.Errorf("with none: %v are taken away", paths)
	}
}

// A cookie of a session that is over goes, by the way.
func TestDeadCookieIsCleared(t *testing.T) {
	for _, path := range []string{"/auth/login", "/auth/account", "/auth/signed-out"} {
		for _, value := range []string{"ended", "disabled", "forged"} {
			h := build(t)
			if w := h.do(browse(path, "Cookie: "+cookieName+"="+value)); !cleared(w) {
				t.Errorf("%s, %s: %v", path, value, w.Header())
			}
		}
		for _, line := range []string{adasCookieLine, "Cookie: a=b", "Cookie: " + cookieName + "=ended; " + cookieName + "=" + adasCookie} {
			h := build(t)
			if w := h.do(browse(path, line)); cleared(w) {
				t.Errorf("%s, %s: %v", path, line, w.Header())
			}
		}
		h := build(t)
		h.authz.down = errors.New("no database") // S39: it may be alive
		if w := h.do(browse(path, adasCookieLine)); cleared(w) {
			t.Errorf("%s without a database: %v", path, w.Header())
		}
	}
}

// S33: HEAD starts nothing and ends nothing.
func TestHeadHasNoEffect(t *testing.T) {
	h := build(t)
	for _, path := range []string{"/auth/login/google?next=%2Fx", callbackPath, "/auth/logout", "/auth/account", "/auth/login"} {
		r := browse(path, adasCookieLine)
		r.Method = http.MethodHead
		w := h.do(r)
		if w.Code != http.StatusOK || len(cookies(w)) > 0 || len(h.authn.begun)+len(h.authn.completed)+len(h.authn.ended) > 0 {
			t.Errorf("%s: %d %v %+v", path, w.Code, w.Header(), h.authn)
		}
	}
	r := browse("/auth/login/google?next=https%3A%2F%2Fevil.example")
	r.Method = http.MethodHead
	want(t, h.do(r), http.StatusBadRequest, "")
}
