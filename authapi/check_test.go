package authapi

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/providers"
)

const adasAnswer = `{"authenticated":true,"profile":{"avatar_url":"https://img.example.org/ada","email":"ada@example.org","id":"u1","idhash":"u1",` +
	`"join_date":"Mon, 24 Jul 2017 12:17:50 GMT","name":"Ada Lovelace","provider_id":"google:1234","username":"ada"}}`

const nobodysAnswer = `{"authenticated":false,"providers":{"github":{"url":"https://app.example.com/auth/login/github?deliver=jwt"},` +
	`"google":{"url":"https://app.example.com/auth/login/google?deliver=jwt"}}}`

// Contract 1.1 and 1.2: which credential counts.
func TestCheckCredential(t *testing.T) {
	const signedIn, nobody = adasAnswer, nobodysAnswer
	for _, c := range []struct {
		name    string
		path    string
		headers []string
		want    string
	}{
		{"nothing", "/auth/check", nil, nobody},
		{"header", "/auth/check", []string{"Auth-Token: " + adasToken}, signedIn},
		{"header in lower case", "/auth/check", []string{"auth-token: " + adasToken}, signedIn},
		{"query", "/auth/check?jwt=" + adasToken, nil, signedIn},
		{"header over query", "/auth/check?jwt=" + adasToken, []string{"Auth-Token: forged"}, nobody},
		{"empty header, then query", "/auth/check?jwt=" + adasToken, []string{"Auth-Token: "}, signedIn},
		{"first of repeated", "/auth/check?jwt=" + adasToken + "&jwt=forged", nil, signedIn},
		{"first of repeated is forged", "/auth/check?jwt=forged&jwt=" + adasToken, nil, nobody},
		{"undefined, as datahub-client sends it", "/auth/check?jwt=undefined", nil, nobody},
		{"two headers", "/auth/check", []string{"Auth-Token: " + adasToken, "Auth-Token: forged"}, nobody},
		{"two headers and a cookie", "/auth/check", []string{"Auth-Token: a", "Auth-Token: b", adasCookieLine, "Sec-Fetch-Site: same-origin"}, nobody},
		{"ended session", "/auth/check?jwt=ended", nil, nobody},
		{"disabled user", "/auth/check?jwt=disabled", nil, nobody},
		{"permission token (S4)", "/auth/check?jwt=permission-token", nil, nobody},
		{"Bearer is not read", "/auth/check", []string{"Authorization: Bearer " + adasToken}, nobody},
		{"doubled slash", "//auth/check?jwt=" + adasToken, nil, signedIn},
		{"broken escapes stay text", "/auth/check?x=%zz&jwt=" + adasToken, nil, signedIn},
		{"semicolon does not separate", "/auth/check?x=1;jwt=" + adasToken, nil, nobody},

		{"cookie, same origin", "/auth/check", []string{adasCookieLine, "Sec-Fetch-Site: same-origin"}, signedIn},
		{"cookie, typed address", "/auth/check", []string{adasCookieLine, "Sec-Fetch-Site: none"}, signedIn},
		{"cookie with an empty jwt", "/auth/check?jwt=", []string{adasCookieLine, "Sec-Fetch-Site: same-origin"}, signedIn},
		{"cookie, but a token too", "/auth/check?jwt=forged", []string{adasCookieLine, "Sec-Fetch-Site: same-origin"}, nobody},
		// S32: a page of another origin, even an allowed one, must not learn by the
		// visitor's cookie who he is.
		{"cookie, cross-site", "/auth/check", []string{adasCookieLine, "Sec-Fetch-Site: cross-site", "Origin: https://frontend.example.com"}, nobody},
		{"cookie, same site", "/auth/check", []string{adasCookieLine, "Sec-Fetch-Site: same-site"}, nobody},
		{"cookie, foreign Origin alone", "/auth/check", []string{adasCookieLine, "Origin: https://frontend.example.com"}, nobody},
		{"two cookies (ruling 3)", "/auth/check", []string{"Cookie: " + cookieName + "=" + adasCookie + "; " + cookieName + "=planted"}, nobody},
		{"ended cookie", "/auth/check", []string{"Cookie: " + cookieName + "=ended"}, nobody},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := build(t).get(c.path, c.headers...)
			want(t, w, http.StatusOK, "")
			if got := w.Body.String(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestCheckReadsForms(t *testing.T) {
	h := build(t)
	w := h.do(withForm(request(http.MethodGet, "/auth/check"), "a=b&jwt="+adasToken))
	if w.Body.String() != adasAnswer {
		t.Errorf("urlencoded: %s", w.Body)
	}
	w = h.do(withForm(request(http.MethodGet, "/auth/check?jwt=forged"), "jwt="+adasToken))
	if w.Body.String() != nobodysAnswer {
		t.Errorf("the query does not go before the form: %s", w.Body)
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if err := form.WriteField("jwt", adasToken); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, origin+"/auth/check", &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	if w = h.do(r); w.Body.String() != adasAnswer {
		t.Errorf("multipart: %s", w.Body)
	}
	r = httptest.NewRequest(http.MethodGet, origin+"/auth/check", strings.NewReader(`{"jwt":"`+adasToken+`"}`))
	r.Header.Set("Content-Type", "application/json")
	if w = h.do(r); w.Body.String() != nobodysAnswer {
		t.Errorf("JSON bodies are not read (contract 1.1): %s", w.Body)
	}
}

// Ruling 20: next is carried as it came, good or bad; it is judged at the
// login page.
func TestCheckCarriesNext(t *testing.T) {
	for _, c := range []struct{ query, next string }{
		{"?next=http%3A%2F%2Flocalhost%3A3000", "next=http%3A%2F%2Flocalhost%3A3000&"},
		{"?jwt=undefined&next=http://localhost:3000", "next=http%3A%2F%2Flocalhost%3A3000&"}, // datahub-client encodes nothing
		{"?next=https://site.example/success?client=web", "next=https%3A%2F%2Fsite.example%2Fsuccess%3Fclient%3Dweb&"},
		{"?next=test", "next=test&"},
		{"?next=https://evil.example", "next=https%3A%2F%2Fevil.example&"},
		{"?next=%22%3E%3Cscript%3E", "next=%22%3E%3Cscript%3E&"},
		{"?next=a&next=b", "next=a&"},
		{"?next=", ""},
		{"", ""},
	} {
		w := build(t, oneLogin).get("/auth/check" + c.query)
		expected := `{"authenticated":false,"providers":{"google":{"url":"https://app.example.com/auth/login/google?` + c.next + `deliver=jwt"}}}`
		if got := w.Body.String(); got != expected {
			t.Errorf("%s\ngot  %s\nwant %s", c.query, got, expected)
		}
	}
	w := build(t, func(c *Config) { c.Logins = nil }).get("/auth/check")
	if w.Body.String() != `{"authenticated":false,"providers":{}}` {
		t.Errorf("no providers: %s", w.Body)
	}
}

// Contract 1.2: all keys are there, null when unset; ruling 31: ASCII.
func TestCheckProfile(t *testing.T) {
	h := build(t)
	h.authz.users[authz.Token("bare")] = providers.User{ID: "u2"}
	h.authz.users[authz.Token("odd")] = providers.User{ID: "u3", Name: "Zoë \U0001F600 <&\u2028\x7f\""}
	w := h.get("/auth/check?jwt=bare")
	bare := `{"authenticated":true,"profile":{"avatar_url":null,"email":null,"id":"u2","idhash":"u2","join_date":null,"name":null,"provider_id":null,"username":null}}`
	if w.Body.String() != bare {
		t.Errorf("got %s", w.Body)
	}
	h.authz.users[authz.Token("east")] = providers.User{ID: "u4", JoinDate: ada().JoinDate.In(time.FixedZone("", 3600))}
	wantBody(t, h.get("/auth/check?jwt=east"), `"join_date":"Mon, 24 Jul 2017 12:17:50 GMT"`)
	wantBody(t, h.get("/auth/check?jwt=odd"), `"name":"Zo\u00eb \ud83d\ude00 <&\u2028`+"\x7f"+`\""`)
}

// S39: with the database down nobody is told that he is signed out.
func TestCheckCannotTell(t *testing.T) {
	h := build(t)
	h.authz.down = fmt.Errorf("finding the session: %w", providers.ErrUnavailable)
	w := h.get("/auth/check?jwt="+adasToken, "Origin: https://frontend.example.com")
	want(t, w, http.StatusServiceUnavailable, "")
	wantBody(t, w, `"code":"unavailable"`, `"request_id":"req-1"`, "!authenticated")
	if w.Header().Get("Content-Type") != "application/problem+json" || w.Header().Get("Retry-After") == "" {
		t.Errorf("headers %v", w.Header())
	}
	if w.Header().Get("Access-Control-Allow-Origin") != "https://frontend.example.com" {
		t.Error("the page that asked cannot read the 503")
	}
	want(t, h.get("/auth/check"), http.StatusOK, "") // no credential: nothing to ask
}

func TestAPIHeaders(t *testing.T) {
	w := build(t).get("/auth/check")
	for name, value := range map[string]string{
		"Content-Type":            "application/json",
		"Cache-Control":           "no-store", // S34
		"X-Content-Type-Options":  "nosniff",  // S35
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
		"Referrer-Policy":         "no-referrer",
	} {
		if got := w.Header().Get(name); got != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
}
