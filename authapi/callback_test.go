package authapi

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/authn"
	"github.com/datahq/auth-gateway/providers"
)

const (
	callbackPath = "/auth/oauth_callback?state=STATE-12345&code=CODE"
	loginCookie  = "__Host-login-STATE-12"
)

// back is a browser that comes back from an identity provider.
func back(path string, headers ...string) *http.Request {
	return request(http.MethodGet, path, append([]string{
		"Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Sec-Fetch-Site: cross-site", "Accept: text/html",
	}, headers...)...)
}

// S31: fresh values per login, the login cookie is deleted after.
func TestCallback(t *testing.T) {
	h := build(t)
	w := h.do(back(callbackPath, "Cookie: "+loginCookie+"=1.BINDING"))
	want(t, w, http.StatusSeeOther, origin+"/reports")
	set := cookies(w)
	if c := set[cookieName]; c == nil || c.Value != "fresh-cookie" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode ||
		c.Path != "/" || c.Domain != "" || c.Expires.Year() != 2099 {
		t.Errorf("session cookie %+v", set[cookieName])
	}
	if c := set[loginCookie]; c == nil || c.MaxAge >= 0 {
		t.Errorf("login cookie %+v", set[loginCookie])
	}
	if h.authn.binding != "BINDING" || h.authn.query.Get("code") != "CODE" || h.authn.completed[0] != "" {
		t.Errorf("completed with %+v", h.authn)
	}
	if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Referrer-Policy") != "no-referrer" || w.Body.Len() > 0 {
		t.Errorf("headers %v, body %q", w.Header(), w.Body)
	}
	h.do(back(strings.Replace(callbackPath, "oauth_callback", "oauth_callback/github", 1)))
	if h.authn.completed[1] != "github" || h.authn.binding != "" {
		t.Errorf("completed with %+v", h.authn)
	}
}

// S20 and contract 1.2: the token is in the final redirect, once, last and
// nowhere else.
func TestCallbackDeliversToken(t *testing.T) {
	for next, location := range map[string]string{
		"http://localhost:3000":                         "http://localhost:3000?jwt=session-token-s1",
		"https://frontend.example.com/?a=b&jwt=old#/x":  "https://frontend.example.com/?a=b&jwt=session-token-s1#/x",
		"https://frontend.example.com/?j%77t=old&a=b&c": "https://frontend.example.com/?a=b&c&jwt=session-token-s1",
	} {
		h := build(t)
		h.authn.result.Next, h.authn.result.DeliverToken = next, true
		w := h.do(back(callbackPath))
		want(t, w, http.StatusFound, location)
		if cookies(w)[cookieName] == nil || w.Body.Len() > 0 {
			t.Errorf("cookies %v, body %q", cookies(w), w.Body)
		}
		if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("headers %v", w.Header())
		}
		for _, entry := range h.logs.All() { // S41
			if strings.Contains(entry.Message, "session-token") {
				t.Errorf("log: %v", entry)
			}
		}
	}
	h := build(t)
	h.authn.result.DeliverToken, h.authn.tokenErr = true, errors.New("no key")
	w := h.do(back(callbackPath))
	want(t, w, http.StatusServiceUnavailable, "")
	wantBody(t, w, "!no key")
}

// S19: the list may have become shorter while somebody signed in.
func TestCallbackChecksNextAgain(t *testing.T) {
	for _, next := range []string{"https://evil.example/", "//evil.example", "", "javascript:alert(1)"} {
		h := build(t)
		h.authn.result.Next, h.authn.result.DeliverToken = next, true
		w := h.do(back(callbackPath))
		want(t, w, http.StatusBadRequest, "")
		wantBody(t, w, "bad_next", "!session-token", "!evil")
		if w.Header().Get("Location") != "" {
			t.Errorf("sent to %s", w.Header().Get("Location"))
		}
	}
}

func TestCallbackFails(t *testing.T) {
	attempt := func() *authn.Attempt {
		return &authn.Attempt{Provider: "google", Next: "https://frontend.example.com/x?a=b"}
	}
	const query = "?next=https%3A%2F%2Ffrontend.example.com%2Fx%3Fa%3Db"
	for _, c := range []struct {
		code   string
		status int
		says   string
	}{
		{authn.CodeAccessDenied, 403, "Google says"},
		{authn.CodeStateMissing, 400, "Google"},
		{authn.CodeStateUnknown, 400, "long ago"},
		{authn.CodeStateExpired, 400, "10 minutes"},
		{authn.CodeStateUsed, 400, "once"},
		{authn.CodeStateMismatch, 400, "cookie"},
		{authn.CodeEmailUnverified, 403, "not verified"},
		{authn.CodeAccountExists, 403, "the way you used first"},
		{authn.CodeProviderError, 502, "could not be accepted"},
		{authn.CodeProviderUnavailable, 502, "does not answer"}, // S26, S39
		{authn.CodeClockSkew, 502, "clock"},
		{authn.CodeUserDisabled, 403, "disabled"},
		{authn.CodeUnavailable, 503, "at the moment"},
		{authn.CodeUnknownProvider, 404, "not offered"},
		{"something new", 500, "Something went wrong"},
	} {
		t.Run(c.code, func(t *testing.T) {
			h := build(t)
			h.authn.completErr = &authn.Error{Code: c.code, Provider: "google", Attempt: attempt(), Err: errors.New("the cause")}
			w := h.do(back(callbackPath + "&error_description=HOSTILE"))
			want(t, w, c.status, "")
			wantBody(t, w, c.says, "<code>"+c.code+"</code>", "!HOSTILE", "!STATE", "!the cause", // S25, S44
				`href="https://app.example.com/auth/login/google`+query+`">Try again`,
				`href="https://app.example.com/auth/login`+query+`&amp;prompt=1">Other ways to sign in`)
			set := cookies(w)
			if set[cookieName] != nil {
				t.Error("session cookie set")
			}
			if set[loginCookie] == nil || set[loginCookie].MaxAge >= 0 {
				t.Error("login cookie kept")
			}
			if retry := w.Header().Get("Retry-After") != ""; retry != (c.status == 503 || c.code == authn.CodeProviderUnavailable) {
				t.Errorf("Retry-After %v", retry)
			}

			w = h.get(callbackPath + "&error_description=HOSTILE") // a program
			want(t, w, c.status, "")
			wantBody(t, w, `"code":"`+c.code+`"`, `"request_id":"req-1"`, "!HOSTILE", "!the cause")
		})
	}
}

// Contract 1.2, "denied, token error": an application that waits for its page
// to be called gets it called, without a token.
func TestCallbackFailureGoesToTheApplication(t *testing.T) {
	const next = "http://localhost:3000/?a=b#c"
	for code, goes := range map[string]bool{
		authn.CodeAccessDenied: true, authn.CodeProviderError: true, authn.CodeProviderUnavailable: true,
		authn.CodeStateMismatch: false, authn.CodeEmailUnverified: false, authn.CodeUserDisabled: false,
		authn.CodeStateExpired: false, authn.CodeUnavailable: false,
	} {
		h := build(t)
		h.authn.completErr = &authn.Error{Code: code, Provider: "google", Attempt: &authn.Attempt{Provider: "google", Next: next, DeliverToken: true}}
		w := h.do(back(callbackPath))
		if location := w.Header().Get("Location"); goes != (location == next && w.Code == http.StatusFound) {
			t.Errorf("%s: %d to %q", code, w.Code, location)
		}
		if !goes {
			wantBody(t, w, "deliver=jwt")
		}
	}
	// S20: a token that was planted there is not taken for the sign-in's.
	planted := build(t)
	planted.authn.completErr = &authn.Error{Code: authn.CodeAccessDenied, Attempt: &authn.Attempt{Provider: "google", Next: "http://localhost:3000/?a=b&j%77t=planted#c", DeliverToken: true}}
	want(t, planted.do(back(callbackPath)), http.StatusFound, next)
	// So is the configured default an application's page.
	h := build(t, func(c *Config) { c.DefaultNext = "https://frontend.example.com/" })
	h.authn.completErr = &authn.Error{Code: authn.CodeAccessDenied, Attempt: &authn.Attempt{Provider: "google", Next: "https://frontend.example.com/", DeliverToken: true}}
	want(t, h.do(back(callbackPath)), http.StatusFound, "https://frontend.example.com/")
	// S19: also this one only to an allowed place.
	h = build(t)
	h.authn.completErr = &authn.Error{Code: authn.CodeAccessDenied, Attempt: &authn.Attempt{Provider: "google", Next: "https://evil.example", DeliverToken: true}}
	w := h.do(back(callbackPath))
	want(t, w, http.StatusForbidden, "")
	wantBody(t, w, "!evil")
}

// The back button after a sign-in.
func TestCallbackUsedWhileSignedIn(t *testing.T) {
	used := func(attempt *authn.Attempt) *house {
		h := build(t)
		h.authn.completErr = &authn.Error{Code: authn.CodeStateUsed, Attempt: attempt}
		return h
	}
	attempt := &authn.Attempt{Provider: "google", Next: "https://frontend.example.com/x", DeliverToken: true}
	want(t, used(attempt).do(back(callbackPath, adasCookieLine)), http.StatusSeeOther, "https://frontend.example.com/x")
	want(t, used(nil).do(back(callbackPath, adasCookieLine)), http.StatusSeeOther, origin+"/auth/account")
	want(t, used(&authn.Attempt{Next: "https://evil.example"}).do(back(callbackPath, adasCookieLine)), http.StatusSeeOther, origin+"/auth/account")
	want(t, used(attempt).do(back(callbackPath)), http.StatusBadRequest, "")
	h := used(attempt)
	h.authz.down = providers.ErrUnavailable
	want(t, h.do(back(callbackPath, adasCookieLine)), http.StatusBadRequest, "")
}

// Where nothing has been used up, the same callback works once the database is
// back: it needs its cookie.
func TestCallbackMayComeAgain(t *testing.T) {
	h := build(t)
	h.authn.completErr = &authn.Error{Code: authn.CodeUnavailable}
	w := h.do(back(callbackPath))
	want(t, w, http.StatusServiceUnavailable, "")
	wantBody(t, w, `<a class="button primary" href="">Try again`)
	if len(cookies(w)) > 0 {
		t.Errorf("cookies %v", cookies(w))
	}
}

// A query that two readers read in two ways is nobody's.
func TestCallbackMalformed(t *testing.T) {
	for _, query := range []string{"?state=a&code=b&state=%zz", "?state=a;code=b"} {
		h := build(t)
		w := h.do(back("/auth/oauth_callback" + query))
		want(t, w, http.StatusBadRequest, "")
		wantBody(t, w, authn.CodeStateMissing, `href="https://app.example.com/auth/login">Try again`)
		if len(h.authn.completed) > 0 {
			t.Errorf("%s was taken", query)
		}
	}
}

// The state is whatever somebody wrote; it ends in no header.
func TestCallbackOddState(t *testing.T) {
	for _, state := range []string{"%0d%0aX-Evil:1", "a%3Bb%3Dc%22%20", "%00", "é"} {
		h := build(t)
		h.authn.completErr = &authn.Error{Code: authn.CodeStateUnknown}
		w := h.do(back("/auth/oauth_callback?code=b&state=" + state))
		want(t, w, http.StatusBadRequest, "")
		if len(w.Header().Values("Set-Cookie")) > 0 || w.Header().Get("X-Evil") != "" {
			t.Errorf("%s: %v", state, w.Header())
		}
	}
}

func TestFailureTexts(t *testing.T) {
	if got := withProvider("{provider} says, and {provider} knows", ""); got != "The identity provider says, and the identity provider knows" {
		t.Error(got)
	}
	if got := withProvider("ask {provider}", "Zoë"); got != "ask Zoë" {
		t.Error(got)
	}
}
