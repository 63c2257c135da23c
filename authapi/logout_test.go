package authapi

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/authn"
	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/internal/wire"
	"github.com/datahq/auth-gateway/providers"
)

// post is the sign-out form, sent by the browser from one of our pages.
func post(path, form string, headers ...string) *http.Request {
	return withForm(request(http.MethodPost, path, append(append([]string{}, browser...), headers...)...), form)
}

func cleared(w *httptest.ResponseRecorder) bool {
	c := cookies(w)[cookieName]
	return c != nil && c.MaxAge < 0 && c.Value == ""
}

// S33: going to the page ends nothing; it asks.
func TestConfirmLogout(t *testing.T) {
	h := build(t)
	w := h.do(browse("/auth/logout?next=%2Fbye", adasCookieLine))
	want(t, w, http.StatusOK, "")
	wantBody(t, w, "Ada Lovelace", `<form method="post" action="https://app.example.com/auth/logout">`,
		`name="form_token" value="`+formToken(adasCookie)+`"`, `name="next" value="/bye"`, `href="https://app.example.com/auth/account">Stay`, "!"+adasCookie)
	if len(h.authn.ended) > 0 || len(cookies(w)) > 0 {
		t.Error("a GET has ended the session")
	}
	want(t, h.do(browse("/auth/logout?next=%2Fbye")), http.StatusSeeOther, origin+"/auth/signed-out?next=%2Fbye")
	want(t, h.do(browse("/auth/logout?next=https%3A%2F%2Fevil.example")), http.StatusBadRequest, "")
	h.authz.down = providers.ErrUnavailable
	want(t, h.do(browse("/auth/logout", adasCookieLine)), http.StatusServiceUnavailable, "")
}

// A sign-out ends on our own page, which links on (pages section 2: Chromium
// stops a form that ends at another origin, by whatever redirects).
func TestLogout(t *testing.T) {
	for _, c := range []struct{ name, path, form, location string }{
		{"plain", "/auth/logout", "", origin + "/auth/signed-out"},
		{"with the form's token", "/auth/logout", "form_token=" + formToken(adasCookie), origin + "/auth/signed-out"},
		{"next in the form", "/auth/logout", "next=%2Fbye", origin + "/auth/signed-out?next=%2Fbye"},
		{"next in the query", "/auth/logout?next=%2Fbye", "", origin + "/auth/signed-out?next=%2Fbye"},
		{"next on our origin, absolute", "/auth/logout", "next=https%3A%2F%2Fapp.example.com%2Fbye", origin + "/auth/signed-out?next=https%3A%2F%2Fapp.example.com%2Fbye"},
		{"next elsewhere", "/auth/logout", "next=https%3A%2F%2Ffrontend.example.com%2Fx", origin + "/auth/signed-out?next=https%3A%2F%2Ffrontend.example.com%2Fx"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := build(t)
			w := h.do(post(c.path, c.form, adasCookieLine, "Origin: "+origin))
			want(t, w, http.StatusSeeOther, c.location)
			if len(h.authn.ended) != 1 || h.authn.ended[0] != "cookie "+adasCookie {
				t.Errorf("ended %v", h.authn.ended)
			}
			if !cleared(w) {
				t.Error("the cookie is still there")
			}
		})
	}
}

// An allowed host whose name begins like ours is another origin.
func TestLogoutToASimilarHost(t *testing.T) {
	h := build(t, func(c *Config) {
		var err error
		if c.Next, err = wire.NewNextPolicy(c.Site, false, "https://app.example.com.au"); err != nil {
			t.Fatal(err)
		}
	})
	w := h.do(post("/auth/logout", "next=https%3A%2F%2Fapp.example.com.au%2F", adasCookieLine))
	want(t, w, http.StatusSeeOther, origin+"/auth/signed-out?next=https%3A%2F%2Fapp.example.com.au%2F")
}

// S19, S33: a bad destination is refused before anything ends.
func TestLogoutRefusesNext(t *testing.T) {
	for _, c := range []struct{ path, form string }{
		{"/auth/logout", "next=https%3A%2F%2Fevil.example"},
		{"/auth/logout?next=https%3A%2F%2Fevil.example", ""},
		{"/auth/logout?next=%2Fa", "next=%2Fa"},
	} {
		h := build(t)
		w := h.do(post(c.path, c.form, adasCookieLine))
		want(t, w, http.StatusBadRequest, "")
		wantBody(t, w, "bad_next")
		if len(h.authn.ended) > 0 || cleared(w) {
			t.Errorf("%v: signed out", c)
		}
	}
}

// S33: another site signs somebody out, by a form or a fetch that the
// visitor's browser sends.
func TestLogoutCrossOrigin(t *testing.T) {
	for _, c := range []struct {
		name    string
		headers []string
		form    string
	}{
		{"cross-site", []string{adasCookieLine, "Sec-Fetch-Site: cross-site", "Origin: https://evil.example"}, ""},
		{"same site, other origin", []string{adasCookieLine, "Sec-Fetch-Site: same-site", "Origin: https://evil.app.example.com"}, ""},
		{"Origin alone", []string{adasCookieLine, "Origin: https://evil.example"}, ""},
		{"null Origin", []string{adasCookieLine, "Origin: null"}, ""},
		{"null Origin, a wrong form token", []string{adasCookieLine, "Origin: null"}, "form_token=" + formToken("another")},
		{"null Origin, no cookie", []string{"Origin: null"}, "form_token=" + formToken("")},
		{"cross-site, whatever the form token", []string{adasCookieLine, "Origin: null", "Sec-Fetch-Site: cross-site"}, "form_token=" + formToken(adasCookie)},
		{"foreign Origin, whatever the form token", []string{adasCookieLine, "Origin: https://evil.example"}, "form_token=" + formToken(adasCookie)},
		{"an allowed application's Origin", []string{adasCookieLine, "Origin: https://frontend.example.com", "Sec-Fetch-Site: cross-site"}, ""},
		{"our host without TLS", []string{adasCookieLine, "Origin: http://app.example.com"}, ""},
		{"no proof of the origin", []string{adasCookieLine}, ""},
		{"typed in, no form token", []string{adasCookieLine, "Sec-Fetch-Site: none"}, ""},
		{"two headers that do not agree", []string{adasCookieLine, "Sec-Fetch-Site: same-origin", "Origin: https://evil.example"}, "form_token=" + formToken(adasCookie)},
		{"two headers that do not agree, everywhere", []string{adasCookieLine, "Sec-Fetch-Site: same-origin", "Origin: https://evil.app.example.com"}, "all=1"},
		{"everywhere, cross-site", []string{adasCookieLine, "Sec-Fetch-Site: cross-site", "Origin: https://evil.example"}, "all=1"},
		{"everywhere, same site", []string{adasCookieLine, "Sec-Fetch-Site: same-site", "Origin: https://evil.app.example.com"}, "all=1"},
		{"everywhere, null Origin", []string{adasCookieLine, "Origin: null"}, "all=1"},
		{"everywhere, no proof", []string{adasCookieLine}, "all=1"},
		{"two Sec-Fetch-Site", []string{adasCookieLine, "Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"}, ""},
		{"two Origins", []string{adasCookieLine, "Origin: " + origin, "Origin: https://evil.example"}, ""},
		{"a wrong form token", []string{adasCookieLine, "Sec-Fetch-Site: same-origin"}, "form_token=" + formToken("another")},
		{"an empty form token", []string{adasCookieLine, "Sec-Fetch-Site: same-origin"}, "form_token="},
		{"two form tokens", []string{adasCookieLine, "Sec-Fetch-Site: same-origin"}, "form_token=" + formToken(adasCookie) + "&form_token=x"},
		// A SameSite cookie stays at home, but an answer that deletes it is obeyed.
		{"cross-site without the cookie", []string{"Sec-Fetch-Site: cross-site", "Origin: https://evil.example"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := build(t)
			w := h.do(withForm(request(http.MethodPost, "/auth/logout", c.headers...), c.form))
			want(t, w, http.StatusForbidden, "")
			wantBody(t, w, `"code":"cross_origin"`)
			if len(h.authn.ended) > 0 || len(cookies(w)) > 0 {
				t.Errorf("ended %v, cookies %v", h.authn.ended, cookies(w))
			}
		})
	}
	h := build(t)
	w := h.do(withForm(request(http.MethodPost, "/auth/logout", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Sec-Fetch-Site: cross-site"), ""))
	wantBody(t, w, "did not come from our own page", `href="https://app.example.com/auth/logout">Sign out`)
	// The form token is proof by itself, for browsers that say nothing, or no more
	// than "null" because our pages send no referrer.
	for _, headers := range [][]string{{adasCookieLine}, {adasCookieLine, "Origin: null"}} {
		h := build(t)
		w = h.do(withForm(request(http.MethodPost, "/auth/logout", headers...), "form_token="+formToken(adasCookie)))
		want(t, w, http.StatusOK, "")
		if len(h.authn.ended) != 1 || !cleared(w) {
			t.Errorf("%v: ended %v", headers, h.authn.ended)
		}
	}
}

// A program shows its token; no cookie speaks for it or is touched.
func TestLogoutByToken(t *testing.T) {
	for name, r := range map[string]*http.Request{
		"header": request(http.MethodPost, "/auth/logout", "Auth-Token: "+adasToken),
		"query":  request(http.MethodPost, "/auth/logout?jwt="+adasToken),
		"form":   withForm(request(http.MethodPost, "/auth/logout"), "jwt="+adasToken),
		"an allowed application": request(http.MethodPost, "/auth/logout", "Auth-Token: "+adasToken, adasCookieLine,
			"Origin: https://frontend.example.com", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors"),
	} {
		h := build(t)
		w := h.do(r)
		want(t, w, http.StatusOK, "")
		if w.Body.String() != `{"success":true}` || len(h.authn.ended) != 1 || len(cookies(w)) > 0 {
			t.Errorf("%s: %s, ended %v, cookies %v", name, w.Body, h.authn.ended, cookies(w))
		}
	}
	for token, status := range map[string]int{"ended": 200, "disabled": 200, "forged": 401, "permission-token": 401} {
		h := build(t)
		w := h.do(request(http.MethodPost, "/auth/logout", "Auth-Token: "+token))
		want(t, w, status, "")
		if challenge := w.Header().Get("WWW-Authenticate"); (challenge != "") != (status == 401) { // S44
			t.Errorf("%s: %q", token, challenge)
		}
		if status == 401 { // ruling 26
			wantBody(t, w, `"login_url":"`+origin+`/auth/login"`)
		}
	}
	h := build(t)
	w := h.do(request(http.MethodPost, "/auth/logout", "Auth-Token: "+adasToken, "Auth-Token: forged"))
	want(t, w, http.StatusBadRequest, "")
	wantBody(t, w, "ambiguous_credentials")
}

// "Sign out everywhere": all sessions of the user, by the cookie's form or a
// token, and of nobody else.
func TestLogoutEverywhere(t *testing.T) {
	for name, c := range map[string]struct {
		r              *http.Request
		ended, leadsTo string
	}{
		"form":                            {post("/auth/logout", "all=1&form_token="+formToken(adasCookie), adasCookieLine), "cookie " + adasCookie + " and all", origin + "/auth/signed-out?all=1"},
		"form with next":                  {post("/auth/logout", "all=1&next=%2Fbye", adasCookieLine), "cookie " + adasCookie + " and all", origin + "/auth/signed-out?next=%2Fbye&all=1"},
		"disabled user":                   {post("/auth/logout", "all=1", "Cookie: "+cookieName+"=disabled"), "cookie disabled and all", origin + "/auth/signed-out?all=1"},
		"token":                           {request(http.MethodPost, "/auth/logout?all=1", "Auth-Token: "+adasToken), "u1/*", ""},
		"token in the form":               {withForm(request(http.MethodPost, "/auth/logout"), "all=1&jwt="+adasToken), "u1/*", ""},
		"token of a session that is over": {request(http.MethodPost, "/auth/logout?all=1", "Auth-Token: "+sessionToken("u1")), "session s9 and all", ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := build(t)
			h.authz.errors[authz.Token(sessionToken("u1"))] = authz.ErrDisabled
			w := h.do(c.r)
			if c.leadsTo != "" {
				want(t, w, http.StatusSeeOther, c.leadsTo)
			} else if w.Body.String() != `{"success":true}` {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
			if !slices.Equal(h.authn.ended, []string{c.ended}) {
				t.Errorf("ended %q, want %q", h.authn.ended, c.ended)
			}
		})
	}
	for _, all := range []string{"all=", "all=0", "all=true", "all=1&all=1"} {
		h := build(t)
		w := h.do(post("/auth/logout", all, adasCookieLine))
		want(t, w, http.StatusBadRequest, "")
		if len(h.authn.ended) > 0 || cleared(w) {
			t.Errorf("%s ended %q", all, h.authn.ended)
		}
	}
	h := build(t)
	wantBody(t, h.do(browse("/auth/signed-out?all=1")), "All sessions of your account")
	wantBody(t, h.do(browse("/auth/signed-out")), "!All sessions of your account")
	// One form each, whose first button ends this session alone.
	for _, page := range []string{"/auth/account", "/auth/logout"} {
		body := h.do(browse(page, adasCookieLine)).Body.String()
		here, everywhere := strings.Index(body, ">Sign out</button>"), strings.Index(body, `<button name="all" value="1">Sign out everywhere</button>`)
		if here < 0 || everywhere < here || strings.Count(body, "<form") != 1 {
			t.Errorf("%s:\n%s", page, body)
		}
	}
}

// S37: whoever makes up cookies to sign out with costs the database a look each.
func TestLogoutOfMadeUpCookiesIsLimited(t *testing.T) {
	counted := map[string]int{}
	h := build(t, func(c *Config) {
		c.Limit = func(_ *http.Request, event, _ string) (time.Duration, bool) {
			counted[event]++
			return time.Second, counted[event] < 3
		}
	})
	h.authn.endErr = providers.ErrNotFound
	for i, status := range []int{http.StatusSeeOther, http.StatusSeeOther, http.StatusTooManyRequests} {
		w := h.do(post("/auth/logout", "", "Cookie: "+cookieName+"=made-up"))
		want(t, w, status, "")
		if cleared(w) != (status == http.StatusSeeOther) {
			t.Errorf("try %d: %v", i, w.Header())
		}
	}
}

func TestLogoutAgain(t *testing.T) {
	h := build(t)
	for name, r := range map[string]*http.Request{
		"no cookie":    post("/auth/logout", ""),
		"ended cookie": post("/auth/logout", "", "Cookie: "+cookieName+"=ended"),
		"forged":       post("/auth/logout", "", "Cookie: "+cookieName+"=forged"),
		"disabled":     post("/auth/logout", "", "Cookie: "+cookieName+"=disabled"),
		"two cookies":  post("/auth/logout", "", "Cookie: "+cookieName+"=a; "+cookieName+"=b"),
	} {
		w := h.do(r)
		want(t, w, http.StatusSeeOther, origin+"/auth/signed-out")
		if !cleared(w) {
			t.Errorf("%s: cookie kept", name)
		}
	}
	// What is of no use to authz is looked for all the same: a disabled user's
	// session must not come to life again when he is enabled.
	slices.Sort(h.authn.ended)
	// And of two, one is the real one.
	if want := []string{"cookie a", "cookie b", "cookie disabled", "cookie ended", "cookie forged"}; !slices.Equal(h.authn.ended, want) {
		t.Errorf("ended %q, want %q", h.authn.ended, want)
	}
}

// S39: nobody is told that he is signed out while the session lives, and the
// cookie stays for another try.
func TestLogoutCannotTell(t *testing.T) {
	for name, change := range map[string]func(*house){
		"deciding": func(h *house) { h.authz.down, h.authn.endErr = providers.ErrUnavailable, providers.ErrUnavailable },
		"ending":   func(h *house) { h.authn.endErr = &authn.Error{Code: authn.CodeUnavailable} },
	} {
		for _, r := range []*http.Request{
			post("/auth/logout", "", adasCookieLine),
			post("/auth/logout", "all=1", adasCookieLine),
			request(http.MethodPost, "/auth/logout", "Auth-Token: "+adasToken),
			request(http.MethodPost, "/auth/logout?all=1", "Auth-Token: "+adasToken),
		} {
			h := build(t)
			change(h)
			w := h.do(r)
			if w.Code != http.StatusServiceUnavailable || len(cookies(w)) > 0 || w.Header().Get("Retry-After") == "" {
				t.Errorf("%s: %d %v", name, w.Code, w.Header())
			}
			wantBody(t, w, "could not be signed out")
		}
	}
}

func TestSignedOut(t *testing.T) {
	h := build(t)
	w := h.do(browse("/auth/signed-out"))
	want(t, w, http.StatusOK, "")
	wantBody(t, w, `href="https://app.example.com/auth/login">Sign in again`, "!Go on to")
	w = h.do(browse("/auth/signed-out?next=https%3A%2F%2Ffrontend.example.com%2Fx"))
	wantBody(t, w, `href="https://app.example.com/auth/login?next=https%3A%2F%2Ffrontend.example.com%2Fx">Sign in again`,
		`href="https://frontend.example.com/x">Go on to frontend.example.com/x`)
	want(t, h.do(browse("/auth/signed-out?next=https%3A%2F%2Fevil.example")), http.StatusBadRequest, "")
	want(t, h.do(browse("/auth/signed-out", adasCookieLine)), http.StatusSeeOther, origin+"/auth/logout")
	h.authz.down = providers.ErrUnavailable
	want(t, h.do(browse("/auth/signed-out", adasCookieLine)), http.StatusServiceUnavailable, "")
}

func TestFormToken(t *testing.T) {
	if formToken("a") == formToken("b") || len(formToken("a")) != 43 || strings.Contains(formToken(adasCookie), adasCookie) {
		t.Error("the token does not fit the cookie")
	}
}
