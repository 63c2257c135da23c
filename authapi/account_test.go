package authapi

import (
	"net/http"
	"testing"

	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/providers"
)

func TestAccount(t *testing.T) {
	h := build(t)
	w := h.do(browse("/auth/account", adasCookieLine))
	want(t, w, http.StatusOK, "")
	wantBody(t, w, "Ada Lovelace", "ada@example.org", "<bdi>ada</bdi>", "<code>u1</code>",
		`<time datetime="2017-07-24T12:17:50Z">24 July 2017</time>`, "<bdi>Google</bdi>",
		`value="`+formToken(adasCookie)+`"`, "!img.example.org") // pages section 1: avatars are not hot-linked
	for name, r := range map[string]*http.Request{
		"nobody":  browse("/auth/account"),
		"ended":   browse("/auth/account", "Cookie: "+cookieName+"=ended"),
		"program": request(http.MethodGet, "/auth/account"),
		// S32: another origin's script must not see the page by the visitor's cookie.
		"cross-site fetch": request(http.MethodGet, "/auth/account", adasCookieLine, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors"),
	} {
		w := h.do(r)
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != origin+"/auth/login?next=%2Fauth%2Faccount" {
			t.Errorf("%s: %d to %s", name, w.Code, w.Header().Get("Location"))
		}
	}
	want(t, h.do(back("/auth/account", adasCookieLine)), http.StatusOK, "") // a link from elsewhere
	h.authz.down = providers.ErrUnavailable
	want(t, h.do(browse("/auth/account", adasCookieLine)), http.StatusServiceUnavailable, "")
}

func TestAccountWithLittle(t *testing.T) {
	h := build(t)
	h.authz.users[authz.Cookie("bare")] = providers.User{ID: "u2"}
	w := h.do(browse("/auth/account", "Cookie: "+cookieName+"=bare"))
	want(t, w, http.StatusOK, "")
	wantBody(t, w, "<code>u2</code>", "not chosen yet", "!E-mail", "!Member since", "!<bdi></bdi>")
}
