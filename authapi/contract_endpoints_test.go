package authapi

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/authn"
	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/providers"
)

// These tests go through contract 1.2 row by row, as section 3, security
// and rulings amend it. What tokens contain, rows "session token" and
// "permission token", is package token's; that they are delivered is here.

// members are the names in a JSON object, sorted.
func members(t *testing.T, text string) []string {
	t.Helper()
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return slices.Sorted(maps.Keys(object))
}

// Row "GET /auth/check".
func TestContract12Check(t *testing.T) {
	h := build(t)
	known := h.get("/auth/check?next=http://localhost:3000", "Auth-Token: "+adasToken).Body.String()
	if got := members(t, known); !slices.Equal(got, []string{"authenticated", "profile"}) { // no "providers"
		t.Errorf("members %v", got)
	}
	var answer struct {
		Profile json.RawMessage `json:"profile"`
	}
	h.authz.users[authz.Token("bare")] = providers.User{ID: "u7"}
	for _, token := range []string{adasToken, "bare"} { // all are always there
		if err := json.Unmarshal(h.get("/auth/check?jwt="+token).Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		if got := members(t, string(answer.Profile)); !slices.Equal(got, []string{"avatar_url", "email", "id", "idhash", "join_date", "name", "provider_id", "username"}) {
			t.Errorf("profile of %s: %v", token, got)
		}
	}
	if got := members(t, h.get("/auth/check").Body.String()); !slices.Equal(got, []string{"authenticated", "providers"}) { // no "profile"
		t.Errorf("members %v", got)
	}
	none := build(t, func(c *Config) { c.Logins = nil }).get("/auth/check?next=x")
	if none.Body.String() != `{"authenticated":false,"providers":{}}` {
		t.Errorf("none configured: %s", none.Body)
	}
	// next comes from the query alone.
	w := build(t, oneLogin).do(withForm(request(http.MethodGet, "/auth/check"), "next=http://localhost:3000"))
	wantBody(t, w, "!next=")
}

// Row "provider url", as security section 3 has it: our own page, which works
// without a cookie of check's, remembers the browser and goes to the provider.
func TestContract12ProviderURL(t *testing.T) {
	h := build(t)
	for _, next := range []string{"http://localhost:3000", "https://frontend.example.com/success?client=web"} {
		var answer struct {
			Providers map[string]struct {
				URL string `json:"url"`
			} `json:"providers"`
		}
		w := h.get("/auth/check?jwt=undefined&next=" + next)
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || len(w.Result().Cookies()) > 0 {
			t.Fatalf("%v, cookies %v", err, w.Result().Cookies())
		}
		for name, provider := range answer.Providers {
			w := h.do(back(strings.TrimPrefix(provider.URL, origin)))
			want(t, w, http.StatusFound, "https://idp.example.net/authorize?state=STATE-12345")
			last := len(h.authn.begun) - 1
			if cookies(w)[loginCookie] == nil || h.authn.begunWith[last] != name || h.authn.begun[last] != (authn.Request{Next: next, DeliverToken: true}) {
				t.Errorf("%s: cookies %v, begun %+v", name, cookies(w), h.authn.begun[last])
			}
		}
	}
	// A next that is a word (frontend-functional-tests), or elsewhere, is refused
	// there, before the provider is involved (S19, ruling 20).
	begun := len(h.authn.begun)
	for _, next := range []string{"test", "https://evil.example", "//evil.example", "javascript:alert(1)"} {
		wantBody(t, h.get("/auth/check?next="+url.QueryEscape(next)), `"authenticated":false`, "next="+url.QueryEscape(next)+"&deliver=jwt")
		want(t, h.get("/auth/login/google?deliver=jwt&next="+url.QueryEscape(next)), http.StatusBadRequest, "")
	}
	if len(h.authn.begun) != begun {
		t.Error("a bad next began a sign-in")
	}
}

// Row "GET /auth/oauth_callback".
func TestContract12Callback(t *testing.T) {
	const next = "http://localhost:3000/?a=b"
	done := func(code string) *house {
		h := build(t)
		h.authn.result.Next, h.authn.result.DeliverToken = next, true
		if code != "" {
			h.authn.completErr = &authn.Error{Code: code, Attempt: &authn.Attempt{Provider: "google", Next: next, DeliverToken: true}}
		}
		return h
	}
	want(t, done("").do(back(callbackPath)), http.StatusFound, next+"&jwt=session-token-s1") // row "session token"
	want(t, done(authn.CodeAccessDenied).do(back(callbackPath)), http.StatusFound, next)
	want(t, done(authn.CodeProviderError).do(back(callbackPath)), http.StatusFound, next)
	// Bad, missing or expired state: a page that says so, nowhere with a token.
	for _, code := range []string{authn.CodeStateUnknown, authn.CodeStateMissing, authn.CodeStateExpired, authn.CodeStateMismatch} {
		w := done(code).do(back(callbackPath))
		want(t, w, http.StatusBadRequest, "")
		wantBody(t, w, "!session-token")
		if w.Header().Get("Location") != "" || cookies(w)[cookieName] != nil {
			t.Errorf("%s: %v", code, w.Header())
		}
	}
}

// Row "next rewrite": jwt last and unescaped, an old one gone, fragment and
// ;params kept, the rest byte for byte. Blank and repeated parameters, which the
// original lost (O21), stay (S20).
func TestContract12NextRewrite(t *testing.T) {
	const token = "session-token-s1"
	for next, location := range map[string]string{
		"http://localhost:3000":                      "http://localhost:3000?jwt=" + token, // datahub-client
		"http://localhost:3000/":                     "http://localhost:3000/?jwt=" + token,
		"http://127.0.0.1:8001":                      "http://127.0.0.1:8001?jwt=" + token, // gobble
		"http://localhost:3000/?a=b&c=d":             "http://localhost:3000/?a=b&c=d&jwt=" + token,
		"http://localhost:3000/?a=&b&c=d&c=e":        "http://localhost:3000/?a=&b&c=d&c=e&jwt=" + token,
		"http://localhost:3000/?jwt=old&a=b":         "http://localhost:3000/?a=b&jwt=" + token,
		"http://localhost:3000/?a=b&jwt=1&jwt=2":     "http://localhost:3000/?a=b&jwt=" + token,
		"http://localhost:3000/a;p?x=1#/y?z=2":       "http://localhost:3000/a;p?x=1&jwt=" + token + "#/y?z=2",
		"http://localhost:3000/#x":                   "http://localhost:3000/?jwt=" + token + "#x",
		"https://frontend.example.com/s?q=a+b%20%2F": "https://frontend.example.com/s?q=a+b%20%2F&jwt=" + token,
	} {
		h := build(t)
		h.authn.result.Next, h.authn.result.DeliverToken = next, true
		want(t, h.do(back(callbackPath)), http.StatusFound, location)
	}
}

// Row "GET /auth/authorize", and row "permission token": its token is the one
// that authz signs.
func TestContract12Authorize(t *testing.T) {
	const nothing = `{"permissions":{}}`
	for query, expected := range map[string]string{
		"?service=storage":                 nothing,
		"?service=storage&jwt=":            nothing,
		"?service=storage&jwt=forged":      nothing,
		"?jwt=" + adasToken:                nothing,
		"?service=test&jwt=" + adasToken:   `{"permissions":{},"service":"test","token":"minted.u1.test","userid":"u1"}`,
		"?service=&jwt=" + adasToken:       `{"permissions":{},"service":"","token":"minted.u1.","userid":"u1"}`,
		"?service=%C3%A9&jwt=" + adasToken: `{"permissions":{},"service":"\u00e9","token":"minted.u1.\u00e9","userid":"u1"}`,
		"?service=storage&jwt=" + adasToken: `{"permissions":{"max_public_storage_mb":50,"read":true},"service":"storage",` +
			`"token":"minted.u1.storage","userid":"u1"}`,
		"?service=storage&jwt=ended": nothing, // section 3: not for users who are gone
	} {
		w := build(t).get("/auth/authorize" + query)
		want(t, w, http.StatusOK, "")
		if got := w.Body.String(); got != expected {
			t.Errorf("%s: %s", query, got)
		}
	}
}

// Row "POST /auth/update": the exact words.
func TestContract12Update(t *testing.T) {
	h := build(t)
	gone := sessionToken("u9")
	h.authz.errors[authz.Token(gone)] = authz.ErrEnded
	for _, step := range []struct{ query, want string }{
		{"?username=x", `{"error":"No token","success":false}`},
		{"?username=x&jwt=", `{"error":"Not authenticated","success":false}`},
		{"?username=x&jwt=bla", `{"error":"Not authenticated","success":false}`},
		{"?username=x&jwt=" + gone, `{"error":"Unknown User","success":false}`},
		{"?jwt=" + adasToken, `{"success":true}`},
		{"?name=x&email=x&jwt=" + adasToken, `{"success":true}`},
		{"?username=lovelace&jwt=" + adasToken, `{"success":true}`},
		{"?username=other&jwt=" + adasToken, `{"error":"Cannot modify username, already set","success":false}`},
	} {
		w := h.do(request(http.MethodPost, "/auth/update"+step.query))
		want(t, w, http.StatusOK, "")
		if w.Body.String() != step.want {
			t.Errorf("%s: %s", step.query, w.Body)
		}
	}
	w := h.get("/auth/update?username=x&jwt=" + adasToken) // frontend-functional-tests
	want(t, w, http.StatusMethodNotAllowed, "")
	wantBody(t, w, "405 Method Not Allowed")
}

// Row "GET /auth/public-key".
func TestContract12PublicKey(t *testing.T) {
	w := build(t).get("/auth/public-key")
	want(t, w, http.StatusOK, "")
	wantBody(t, w, "-----BEGIN PUBLIC KEY-----\n")
	if w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("headers %v", w.Header())
	}
	want(t, build(t, func(c *Config) { c.Keys = fakeKeys{} }).get("/auth/public-key"), http.StatusServiceUnavailable, "")
}

// Rows "GET /auth/resolve" and "GET /auth/get_profile": no sign-in is needed, a
// name that nobody has is 200.
func TestContract12Profiles(t *testing.T) {
	for path, expected := range map[string]string{
		"/auth/resolve?username=Ada":        `{"userid":"u1"}`,
		"/auth/resolve?username=nobody":     `{"userid":null}`,
		"/auth/resolve":                     `{"userid":null}`,
		"/auth/get_profile?username=nobody": `{"found":false,"profile":null}`,
		"/auth/get_profile?username=ADA": `{"found":true,"profile":{"avatar_url":"https://img.example.org/ada","gravatar":"` +
			"5bfcf2d8e394674550332640d72db509" + `","id":"u1","join_date":"Mon, 24 Jul 2017 12:17:50 GMT","name":"Ada Lovelace"}}`,
	} {
		w := build(t).get(path)
		want(t, w, http.StatusOK, "")
		wantBody(t, w, "!ada@example.org")
		if got := w.Body.String(); got != expected {
			t.Errorf("%s: %s", path, got)
		}
	}
}

// Row "join_date": RFC 1123 in UTC, null for none; ISO in os-conductor's dialect.
func TestContract12JoinDate(t *testing.T) {
	h := conducted(t)
	h.authz.users[authz.Token("bare")] = providers.User{ID: "u7"}
	wantBody(t, h.get("/auth/check?jwt="+adasToken), `"join_date":"Mon, 24 Jul 2017 12:17:50 GMT"`)
	wantBody(t, h.get("/auth/check?jwt=bare"), `"join_date":null`)
	wantBody(t, h.get("/auth/get_profile?username=grace"), `"join_date":null`)
	wantBody(t, h.conduct(request(http.MethodGet, "/user/check?jwt="+adasToken)), `"join_date":"2017-07-24T12:17:50.123456"`)
	wantBody(t, h.conduct(request(http.MethodGet, "/user/check?jwt=bare")), `"join_date":null`)
}
