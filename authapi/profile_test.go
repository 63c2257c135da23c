package authapi

import (
	"crypto/md5"
	"encoding/hex"
	"net/http"
	"testing"

	"github.com/datahq/auth-gateway/providers"
)

// Contract 1.2, GET /auth/resolve.
func TestResolve(t *testing.T) {
	const nobody, adas = `{"userid":null}`, `{"userid":"u1"}`
	for query, expected := range map[string]string{
		"?username=ada":                  adas,
		"?username=ADA":                  adas,
		"?username=ada&username=grace":   adas, // contract 1.1: the first counts
		"?username=nobody&username=ada":  nobody,
		"?username=nobody":               nobody,
		"?username=":                     nobody,
		"":                               nobody,
		"?username=%zz":                  nobody,
		"?username=ada%00":               nobody,
		"?username=u1":                   nobody,
		"?username=ada%40example.org":    nobody, // S36: not by address
		"?jwt=" + adasToken:              nobody,
		"?username=ada&callback=cb":      adas, // S32: no JSONP
		"?username=nobody&jwt=forged&x=": nobody,
	} {
		h := build(t)
		h.users.users["u8"] = providers.User{ID: "u8"} // who has no name yet is found by none
		w := h.get("/auth/resolve" + query)
		want(t, w, http.StatusOK, "")
		if got := w.Body.String(); got != expected {
			t.Errorf("%s: got %s, want %s", query, got, expected)
		}
		if w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", query, w.Header())
		}
	}
	w := build(t).do(withForm(request(http.MethodGet, "/auth/resolve"), "username=ada"))
	if w.Body.String() != adas {
		t.Errorf("form: %s", w.Body)
	}
}

// Contract 1.2, GET /auth/get_profile.
func TestGetProfile(t *testing.T) {
	const nobody = `{"found":false,"profile":null}`
	// The address is hashed as it was given, without folding its case.
	sum := md5.Sum([]byte("Grace@Example.org"))
	gravatar := hex.EncodeToString(sum[:])
	graces := `{"found":true,"profile":{"avatar_url":null,"gravatar":"` + gravatar + `","id":"u2","join_date":null,"name":null}}`
	const adas = `{"found":true,"profile":{"avatar_url":"https://img.example.org/ada","gravatar":"5bfcf2d8e394674550332640d72db509","id":"u1",` +
		`"join_date":"Mon, 24 Jul 2017 12:17:50 GMT","name":"Ada Lovelace"}}`
	for query, expected := range map[string]string{
		"?username=grace":                    graces,
		"?username=GrAcE":                    graces,
		"?username=ada":                      adas,
		"?username=nobody":                   nobody,
		"?username=":                         nobody,
		"":                                   nobody,
		"?username=nobody&username=grace":    nobody,
		"?username=Grace%40Example.org":      nobody,
		"?callback=alert(1)&username=nobody": nobody,
	} {
		w := build(t).get("/auth/get_profile" + query)
		want(t, w, http.StatusOK, "")
		if got := w.Body.String(); got != expected {
			t.Errorf("%s: got %s, want %s", query, got, expected)
		}
		wantBody(t, w, "!@") // S36: never an e-mail address
	}
}

// S36: some providers have the address where the name belongs.
func TestProfilesHideAddressesElsewhere(t *testing.T) {
	grace := providers.User{Email: "Grace@Example.org"}
	for text, hidden := range map[string]bool{
		"grace@example.org": true, "Grace Hopper (grace@example.org)": true, "hopper@navy.example": true, "Grace <hopper@navy.example>": true,
		"https://img.example.org/Grace@example.org.png": true, "https://img.example.org/grace%40example.org?s=80": true,
		"Grace Hopper": false, "@grace": false, "Grace @ Navy": false, "100% Grace": false, "": true, "https://img.example.org/@grace/1.png": false,
	} {
		if got := withoutEmail(text, grace); got != text && got != "" || (got == "") != hidden {
			t.Errorf("%q: %q", text, got)
		}
	}
	if got := withoutEmail("Grace", providers.User{}); got != "Grace" {
		t.Errorf("without an address: %q", got)
	}
}

// S36: each of the two can be switched off.
func TestProfileSwitches(t *testing.T) {
	h := build(t, func(c *Config) { c.GravatarOff = true })
	wantBody(t, h.get("/auth/get_profile?username=ada"), `"found":true`, `"gravatar":null`, `"id":"u1"`)
	wantBody(t, h.get("/auth/resolve?username=ada"), `{"userid":"u1"}`)

	// Nobody can tell a name that exists from one that does not, by the time it
	// takes neither: the database is not asked.
	h = build(t, func(c *Config) { c.PublicProfilesOff = true })
	for _, username := range []string{"ada", "nobody"} {
		if got := h.get("/auth/resolve?username=" + username).Body.String(); got != `{"userid":null}` {
			t.Errorf("resolve %s: %s", username, got)
		}
		if got := h.get("/auth/get_profile?username=" + username).Body.String(); got != `{"found":false,"profile":null}` {
			t.Errorf("get_profile %s: %s", username, got)
		}
	}
	if len(h.users.asked) > 0 {
		t.Errorf("asked %v", h.users.asked)
	}
	// One's own profile is no public one.
	wantBody(t, h.get("/auth/check?jwt="+adasToken), `"username":"ada"`)
}

// S39: "cannot tell" is not "no such user".
func TestProfileCannotTell(t *testing.T) {
	h := build(t)
	h.users.down = providers.ErrUnavailable
	for _, path := range []string{"/auth/resolve", "/auth/get_profile"} {
		w := h.get(path+"?username=ada", "Origin: https://frontend.example.com")
		want(t, w, http.StatusServiceUnavailable, "")
		wantBody(t, w, `"code":"unavailable"`, "!userid", "!found", "!database")
		if w.Header().Get("Retry-After") == "" || w.Header().Get("Access-Control-Allow-Origin") == "" {
			t.Errorf("%s: headers %v", path, w.Header())
		}
	}
}

// Without a table of users there is nothing to say about usernames.
func TestWithoutUsers(t *testing.T) {
	h := build(t, func(c *Config) { c.Users = nil })
	want(t, h.get("/auth/resolve?username=ada"), http.StatusNotFound, "")
	want(t, h.get("/auth/get_profile?username=ada"), http.StatusNotFound, "")
	want(t, h.do(request(http.MethodPost, "/auth/update")), http.StatusNotFound, "")
	want(t, h.get("/auth/check"), http.StatusOK, "")
}
