package authapi

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/providers"
)

func TestAuthorize(t *testing.T) {
	const nothing = `{"permissions":{}}`
	const granted = `{"permissions":{"max_public_storage_mb":50,"read":true},"service":"storage","token":"minted.u1.storage","userid":"u1"}`
	for _, c := range []struct {
		name    string
		query   string
		headers []string
		want    string
	}{
		{"query", "?jwt=" + adasToken + "&service=storage", nil, granted},
		{"header", "?service=storage", []string{"Auth-Token: " + adasToken}, granted},
		{"cookie, same origin (ruling 4)", "?service=storage", []string{adasCookieLine, "Sec-Fetch-Site: same-origin"}, granted},
		// S32: another origin's page must not fetch a token by the visitor's cookie.
		{"cookie, cross-site", "?service=storage", []string{adasCookieLine, "Sec-Fetch-Site: cross-site"}, nothing},
		{"no token", "?service=storage", nil, nothing},
		{"forged token", "?jwt=forged&service=storage", nil, nothing},
		{"no service", "?jwt=" + adasToken, nil, nothing},
		{"repeated service (ruling 10)", "?jwt=" + adasToken + "&service=storage&service=other", nil, nothing},
		{"repeated service, encoded name", "?jwt=" + adasToken + "&service=storage&s%65rvice=storage", nil, nothing},
		{"unknown service", "?jwt=" + adasToken + "&service=nope", nil, `{"permissions":{},"service":"nope","token":"minted.u1.nope","userid":"u1"}`},
		{"empty service counts as present", "?jwt=" + adasToken + "&service=", nil, `{"permissions":{},"service":"","token":"minted.u1.","userid":"u1"}`},
		{"further parameters are ignored", "?jwt=" + adasToken + "&service=storage&userid=u9", nil, granted},
		// S4: whoever got hold of a permission token could renew it for ever.
		{"permission token", "?jwt=permission-token&service=storage", nil, nothing},
		// S7: no token for a user who is gone or blocked.
		{"ended session", "?jwt=ended&service=storage", nil, nothing},
		{"disabled user", "?jwt=disabled&service=storage", nil, nothing},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := build(t).get("/auth/authorize"+c.query, c.headers...)
			want(t, w, http.StatusOK, "")
			if got := w.Body.String(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestAuthorizeServiceInForm(t *testing.T) {
	h := build(t)
	w := h.do(withForm(request(http.MethodGet, "/auth/authorize"), "service=storage&jwt="+adasToken))
	wantBody(t, w, `"token":"minted.u1.storage"`)
	w = h.do(withForm(request(http.MethodGet, "/auth/authorize?service=storage"), "service=other&jwt="+adasToken))
	if w.Body.String() != `{"permissions":{}}` {
		t.Errorf("named in the query and in the form: %s", w.Body)
	}
}

// S39: "cannot tell" is never "nothing granted".
func TestAuthorizeCannotTell(t *testing.T) {
	for name, change := range map[string]func(*fakeAuthz){
		"database":            func(f *fakeAuthz) { f.down = providers.ErrUnavailable },
		"permission provider": func(f *fakeAuthz) { f.downFor = map[string]error{"storage": providers.ErrUnavailable} },
		"an unnamed error":    func(f *fakeAuthz) { f.down = fmt.Errorf("disk on fire") },
		"signing":             func(f *fakeAuthz) { f.mintDown = fmt.Errorf("no key") },
	} {
		h := build(t)
		change(h.authz)
		w := h.get("/auth/authorize?service=storage", "Auth-Token: "+adasToken)
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
		wantBody(t, w, "!permissions", "!disk on fire") // S44
	}
}

// A service's name that goes into no token is the caller's doing, not an outage
// for his client to wait out.
func TestAuthorizeUnsignable(t *testing.T) {
	h := build(t)
	h.authz.mintDown = fmt.Errorf("signing a permission token: %w", authz.ErrInvalid)
	w := h.get("/auth/authorize?service=storage", "Auth-Token: "+adasToken)
	want(t, w, http.StatusOK, "")
	if got := w.Body.String(); got != `{"permissions":{}}` {
		t.Errorf("got %s", got)
	}
}
