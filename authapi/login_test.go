package authapi

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/authn"
	"github.com/datahq/auth-gateway/internal/wire"
	"github.com/datahq/auth-gateway/providers"
)

func TestLoginPage(t *testing.T) {
	w := build(t).do(browse("/auth/login?next=%2Freports%2Fq3%3Fa%3D1&deliver=jwt"))
	want(t, w, http.StatusOK, "")
	wantBody(t, w, "You are going to <code>app.example.com/reports/q3</code>",
		`href="https://app.example.com/auth/login/google?next=%2Freports%2Fq3%3Fa%3D1&amp;deliver=jwt"`,
		`href="https://app.example.com/auth/login/github?next=%2Freports%2Fq3%3Fa%3D1&amp;deliver=jwt"`,
		"Sign in with <bdi>GitHub</bdi>", "!<form", "!Continue as")
	if strings.Index(w.Body.String(), "Google") > strings.Index(w.Body.String(), "GitHub") {
		t.Error("not in the order of the configuration")
	}
	w = build(t).do(browse("/auth/login"))
	wantBody(t, w, `href="https://app.example.com/auth/login/google"`, "!going to")
	w = build(t, func(c *Config) { c.Logins = nil }).do(browse("/auth/login"))
	want(t, w, http.StatusOK, "")
	wantBody(t, w, "No way to sign in")
}

// pages section 5: one provider is no choice.
func TestLoginWithOneProvider(t *testing.T) {
	h := build(t, oneLogin)
	want(t, h.do(browse("/auth/login?next=%2Fa&deliver=jwt")), http.StatusSeeOther, "https://app.example.com/auth/login/google?next=%2Fa&deliver=jwt")
	want(t, h.do(browse("/auth/login")), http.StatusSeeOther, "https://app.example.com/auth/login/google")
	want(t, h.do(browse("/auth/login?prompt")), http.StatusOK, "")
	want(t, h.do(browse("/auth/login?prompt=1&next=%2Fa")), http.StatusOK, "")
	// Signed in already: not without asking, so that nobody runs in a circle.
	want(t, h.do(browse("/auth/login?next=%2Fa", adasCookieLine)), http.StatusOK, "")
	want(t, h.do(browse("/auth/login?next=%2Fa&deliver=jwt", adasCookieLine)), http.StatusSeeOther, "")
}

func TestLoginWhenSignedIn(t *testing.T) {
	h := build(t)
	w := h.do(browse("/auth/login?next=https%3A%2F%2Ffrontend.example.com%2Fx", adasCookieLine))
	wantBody(t, w, `href="https://frontend.example.com/x">Continue as <bdi>Ada Lovelace</bdi>`, "/login/google?next=https%3A%2F%2Ffrontend.example.com%2Fx")
	w = h.do(browse("/auth/login", adasCookieLine))
	wantBody(t, w, `href="https://app.example.com/auth/account">Continue as`)
	// S20: a link never hands out a token of the session that is there.
	w = h.do(browse("/auth/login?next=https%3A%2F%2Ffrontend.example.com%2Fx&deliver=jwt", adasCookieLine))
	wantBody(t, w, "!Continue as", "/login/google")
	wantBody(t, h.do(browse("/auth/login", "Cookie: "+cookieName+"=ended")), "!Continue as")
}

// S39: not a login when it cannot be told who is there.
func TestLoginCannotTell(t *testing.T) {
	h := build(t, oneLogin)
	h.authz.down = providers.ErrUnavailable
	w := h.do(browse("/auth/login?next=%2Fa", adasCookieLine))
	want(t, w, http.StatusServiceUnavailable, "")
	wantBody(t, w, "not possible at the moment")
	if w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

// S19: refused before a provider is involved, with the refused host named.
func TestLoginRefusesNext(t *testing.T) {
	for _, c := range []struct{ query, says string }{
		{"next=https%3A%2F%2Fevil.example%2F", "evil.example"},
		{"next=%2F%2Fevil.example", "ambiguous"},
		{"next=https%3A%2F%2Fapp.example.com%40evil.example", "no plain host"},
		{"next=https%3A%2F%2Fapp.example.com.evil.example", "app.example.com.evil.example"},
		{"next=javascript%3Aalert(1)", "neither a path nor"},
		{"next=%2F%5Cevil.example", "backslash"},
		{"next=https%3A%2F%2Fshared.example.com%2Fapplication", "shared.example.com"},
		{"next=http%3A%2F%2Ffrontend.example.com", "frontend.example.com"},
		{"next=%2Fa&next=%2Fb", "more than once"},
		{"next=%2Fa&n%65xt=%2Fb", "more than once"},
		{"next=&next=%2Fb", "more than once"},
		{"next=test", "neither a path nor"},
	} {
		for _, path := range []string{"/auth/login", "/auth/login/google"} {
			h := build(t)
			w := h.do(browse(path + "?" + c.query))
			want(t, w, http.StatusBadRequest, "")
			wantBody(t, w, "You cannot be sent to that address", c.says, "bad_next")
			wantBody(t, h.get(path+"?"+c.query), `"code":"bad_next"`)
			if len(h.authn.begun) > 0 || w.Header().Get("Set-Cookie") != "" {
				t.Errorf("%s?%s: a sign-in was begun", path, c.query)
			}
		}
	}
}

func TestLoginRefusesDeliver(t *testing.T) {
	for _, query := range []string{"deliver=fragment", "deliver=", "deliver=jwt&deliver=jwt", "deliver=JWT"} {
		for _, path := range []string{"/auth/login", "/auth/login/google"} {
			h := build(t)
			w := h.do(browse(path + "?next=%2Fa&" + query))
			want(t, w, http.StatusBadRequest, "")
			if len(h.authn.begun) > 0 {
				t.Errorf("%s: a sign-in was begun", query)
			}
		}
	}
}

func TestStartLogin(t *testing.T) {
	account := origin + "/auth/account"
	for _, c := range []struct {
		query, defaultNext string
		want               authn.Request
	}{
		{"", "", authn.Request{Next: account}},
		{"?next=", "", authn.Request{Next: account}},
		{"?next=%2Freports%3Fa%3Db%26c", "", authn.Request{Next: origin + "/reports?a=b&c"}},
		{"?next=http%3A%2F%2Flocalhost%3A3000&deliver=jwt", "", authn.Request{Next: "http://localhost:3000", DeliverToken: true}},
		{"?next=https%3A%2F%2Ffrontend.example.com%2F%23%2Fx", "", authn.Request{Next: "https://frontend.example.com/#/x"}},
		// The account page's URL would show the token to whoever looks on.
		{"?deliver=jwt", "", authn.Request{Next: account}},
		{"?deliver=jwt", "https://frontend.example.com/", authn.Request{Next: "https://frontend.example.com/", DeliverToken: true}},
		{"", "/home", authn.Request{Next: origin + "/home"}},
	} {
		h := build(t, func(config *Config) { config.DefaultNext = c.defaultNext })
		w := h.do(browse("/auth/login/github" + c.query))
		want(t, w, http.StatusFound, "https://idp.example.net/authorize?state=STATE-12345")
		if len(h.authn.begun) != 1 || h.authn.begun[0] != c.want || h.authn.begunWith[0] != "github" {
			t.Errorf("%q: begun %+v with %v, want %+v", c.query, h.authn.begun, h.authn.begunWith, c.want)
		}
	}
}

// S21, S31: the sign-in is bound to this browser; S34: nobody keeps the answer.
func TestStartLoginCookie(t *testing.T) {
	w := build(t).do(browse("/auth/login/google"))
	c := cookies(w)["__Host-login-STATE-12"]
	if c == nil {
		t.Fatalf("no cookie in %v", w.Header())
	}
	if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || !strings.HasSuffix(c.Value, ".BINDING") {
		t.Errorf("cookie %+v", c)
	}
	if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Referrer-Policy") != "no-referrer" || w.Body.Len() > 0 {
		t.Errorf("headers %v", w.Header())
	}
}

func TestStartLoginFails(t *testing.T) {
	const path = "/auth/login/google?next=%2Freports&deliver=jwt"
	for _, c := range []struct {
		code          string
		page, program int
	}{
		{authn.CodeProviderUnavailable, 502, 503}, // S39 for people, pages section 5 for programs
		{authn.CodeProviderError, 502, 502},
		{authn.CodeUnavailable, 503, 503},
		{authn.CodeBadNext, 400, 400},
		{authn.CodeUnknownProvider, 404, 404},
		{authn.CodeAccessDenied, 403, 403},
		{"something new", 500, 500},
	} {
		h := build(t)
		h.authn.beginErr = &authn.Error{Code: c.code, Provider: "google", Attempt: &authn.Attempt{Provider: "google"}}
		w := h.do(browse(path))
		want(t, w, c.page, "")
		wantBody(t, w, `href="https://app.example.com/auth/login/google?next=%2Freports&amp;deliver=jwt">Try again`,
			`href="https://app.example.com/auth/login?next=%2Freports&amp;deliver=jwt&amp;prompt=1">Other ways`, "<code>"+c.code+"</code>")
		if w.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s: cookie set", c.code)
		}
		w = h.get(path)
		want(t, w, c.program, "")
		wantBody(t, w, `"code":"`+c.code+`"`, `"login_url":"https://app.example.com/auth/login/google?next=%2Freports\u0026deliver=jwt"`)
		if retry := w.Header().Get("Retry-After") != ""; retry != (c.program == 503) {
			t.Errorf("%s: Retry-After %v", c.code, retry)
		}
	}
}

func TestStartLoginFailsOddly(t *testing.T) {
	h := build(t)
	h.authn.beginErr = providers.ErrUnavailable
	want(t, h.do(browse("/auth/login/google")), http.StatusServiceUnavailable, "")
	h.authn.beginErr = http.ErrBodyNotAllowed
	w := h.do(browse("/auth/login/google"))
	want(t, w, http.StatusInternalServerError, "")
	wantBody(t, w, "!request method", wire.CodeInternal) // S44
}

func TestPlace(t *testing.T) {
	for target, place := range map[string]string{
		"":                                    "",
		"https://app.example.com/":            "app.example.com",
		"http://localhost:3000":               "localhost:3000",
		"https://app.example.com/a/b?c=d#e":   "app.example.com/a/b",
		"https://app.example.com/%E2%80%AEx/": "app.example.com/%E2%80%AEx", // no text that runs backwards
		"https://app.example.com/" + strings.Repeat("a", 99): "app.example.com/" + strings.Repeat("a", maxPlace-16) + "…",
	} {
		if got := (destination{target: target}).place(); got != place {
			t.Errorf("%s: %q, want %q", target, got, place)
		}
	}
}

// S38: what a page hands on in a link fits into the request that follows it.
func TestLoginHandsOnOnlyWhatFits(t *testing.T) {
	h := build(t)
	for next, status := range map[string]int{
		"/" + strings.Repeat("a", 7900):               http.StatusOK,
		"/" + strings.Repeat("a", 8000):               http.StatusBadRequest,
		"/a?" + strings.Repeat("%25", 880):            http.StatusOK,
		"/a?" + strings.Repeat("%25", 2600):           http.StatusBadRequest, // 7800 bytes, and three times that escaped
		origin + "/a?x=" + strings.Repeat("&=", 1300): http.StatusOK,
	} {
		w := h.do(browse("/auth/login?prompt=1&next=" + url.QueryEscape(next)))
		want(t, w, status, "")
		for _, link := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(w.Body.String(), -1) {
			if n := len(html.UnescapeString(link[1])) - len(origin); n > 8<<10 {
				t.Errorf("a link of %d bytes for a next of %d", n, len(next))
			}
		}
	}
}
