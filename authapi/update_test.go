package authapi

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/providers"
)

const updated = `{"success":true}`

func refused(why string) string { return `{"error":"` + why + `","success":false}` }

// sessionToken looks like one of a user's.
func sessionToken(userID string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"HS256"}`)) + "." + encode([]byte(`{"sid":"s9","userid":"`+userID+`"}`)) + ".c2ln"
}

// Contract 1.2, POST /auth/update: the status is 200 whatever is wrong.
func TestUpdate(t *testing.T) {
	ended, gone := sessionToken("u1"), sessionToken("u9")
	header := []string{"Auth-Token: " + adasToken}
	for _, c := range []struct {
		name, path string
		headers    []string
		want       string
		username   string // ada's afterwards
	}{
		{"query", "?jwt=" + adasToken + "&username=countess", nil, updated, "countess"}, // os-admin, all in the query
		{"header", "?username=countess", header, updated, "countess"},
		{"stored in lower case", "?username=Countess", header, updated, "countess"},
		{"the first of repeated ones", "?username=countess&username=other", header, updated, "countess"},
		{"no username", "", header, updated, "ada"},
		{"other members are ignored", "?name=Eve&email=eve%40example.org&id=u2&userid=u2", header, updated, "ada"}, // S30
		{"no token", "?username=countess", nil, refused("No token"), "ada"},
		{"empty header", "?username=countess", []string{"Auth-Token: "}, refused("No token"), "ada"},
		{"empty token", "?jwt=&username=countess", nil, refused("Not authenticated"), "ada"},
		{"bad token", "?jwt=bla&username=countess", nil, refused("Not authenticated"), "ada"},
		{"header over query", "?jwt=" + adasToken + "&username=countess", []string{"Auth-Token: bla"}, refused("Not authenticated"), "ada"},
		{"two headers", "?username=countess", []string{"Auth-Token: " + adasToken, "Auth-Token: bla"}, refused("Not authenticated"), "ada"},
		{"permission token (S4)", "?jwt=permission-token&username=countess", nil, refused("Not authenticated"), "ada"},
		{"disabled", "?jwt=disabled&username=countess", nil, refused("Not authenticated"), "ada"},
		{"ended session", "?jwt=" + ended + "&username=countess", nil, refused("Not authenticated"), "ada"},
		{"user who is gone", "?jwt=" + gone + "&username=countess", nil, refused("Unknown User"), "ada"},
		{"taken", "?username=grace", header, refused("This username is taken"), "ada"},
		{"taken, in another case (S28)", "?username=GRACE", header, refused("This username is taken"), "ada"},
		{"empty", "?username=", header, refused(updateInvalid), "ada"},
		{"impossible", "?username=a%20b", header, refused(updateInvalid), "ada"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := build(t)
			h.authz.errors[authz.Token(ended)] = authz.ErrEnded
			h.authz.errors[authz.Token(gone)] = authz.ErrEnded
			w := h.do(request(http.MethodPost, "/auth/update"+c.path, c.headers...))
			want(t, w, http.StatusOK, "")
			if got := w.Body.String(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			after := ada()
			after.Username = c.username
			if h.users.users["u1"] != after {
				t.Errorf("ada is now %+v", h.users.users["u1"])
			}
			// What was decided before must not be used on.
			changed := c.username != "ada"
			if slices.Equal(h.users.changed, []string{"u1"}) != changed {
				t.Errorf("forgotten: %v", h.users.changed)
			}
		})
	}
}

// S28: changed at most once.
func TestUpdateOnce(t *testing.T) {
	h := build(t)
	for _, want := range []string{updated, refused("Cannot modify username, already set"), refused("Cannot modify username, already set")} {
		w := h.do(request(http.MethodPost, "/auth/update?username=countess", "Auth-Token: "+adasToken))
		if w.Body.String() != want {
			t.Errorf("got %s, want %s", w.Body, want)
		}
	}
	w := h.do(request(http.MethodPost, "/auth/update?username=", "Auth-Token: "+adasToken))
	if w.Body.String() != refused("Cannot modify username, already set") {
		t.Errorf("an empty one: %s", w.Body)
	}
	w = h.do(request(http.MethodPost, "/auth/update", "Auth-Token: "+adasToken))
	if w.Body.String() != updated || h.users.users["u1"].Username != "countess" || len(h.users.changed) != 1 {
		t.Errorf("got %s, %+v, %v", w.Body, h.users.users["u1"], h.users.changed)
	}
}

// S30: another site's form would be sent with the visitor's cookie; the cookie
// alone changes nothing, not even from our own pages.
func TestUpdateIgnoresTheCookie(t *testing.T) {
	for _, site := range []string{"cross-site", "same-site", "same-origin", "none"} {
		h := build(t)
		w := h.do(withForm(request(http.MethodPost, "/auth/update", adasCookieLine, "Sec-Fetch-Site: "+site), "username=countess"))
		if w.Body.String() != refused("No token") || len(h.users.asked) > 0 {
			t.Errorf("%s: %s, asked %v", site, w.Body, h.users.asked)
		}
	}
}

// Contract 1.1: a form too, urlencoded or multipart; no JSON.
func TestUpdateForms(t *testing.T) {
	multipart := "--B\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\ncountess\r\n" +
		"--B\r\nContent-Disposition: form-data; name=\"jwt\"\r\n\r\n" + adasToken + "\r\n--B--\r\n"
	for contentType, c := range map[string]struct{ body, want string }{
		"application/x-www-form-urlencoded": {"username=countess&jwt=" + adasToken, updated},
		"multipart/form-data; boundary=B":   {multipart, updated},
		"application/json":                  {`{"username":"countess","jwt":"` + adasToken + `"}`, refused("No token")},
	} {
		h := build(t)
		r := httptest.NewRequest(http.MethodPost, origin+"/auth/update", strings.NewReader(c.body))
		r.Header.Set("Content-Type", contentType)
		w := h.do(r)
		want(t, w, http.StatusOK, "")
		if w.Body.String() != c.want || (h.users.users["u1"].Username == "countess") != (c.want == updated) {
			t.Errorf("%s: %s", contentType, w.Body)
		}
	}
	h := build(t)
	big := "jwt=" + adasToken + "&username=countess&x=" + strings.Repeat("a", 64<<10)
	w := h.do(withForm(request(http.MethodPost, "/auth/update", "Origin: https://frontend.example.com"), big))
	want(t, w, http.StatusRequestEntityTooLarge, "") // S30: 64 KiB
	if len(h.users.asked) > 0 || w.Header().Get("Access-Control-Allow-Origin") == "" {
		t.Errorf("asked %v, headers %v", h.users.asked, w.Header())
	}
}

// A user who was deleted or disabled a moment ago, when the decision about his
// token is still remembered.
func TestUpdateAsksTheDatabase(t *testing.T) {
	h := build(t)
	disabled := ada()
	disabled.Disabled = true
	h.users.users["u1"] = disabled
	w := h.do(request(http.MethodPost, "/auth/update?username=x", "Auth-Token: "+adasToken))
	if w.Body.String() != refused("Not authenticated") {
		t.Errorf("disabled: %s", w.Body)
	}
	delete(h.users.users, "u1")
	w = h.do(request(http.MethodPost, "/auth/update?username=x", "Auth-Token: "+adasToken))
	if w.Body.String() != refused("Unknown User") {
		t.Errorf("deleted: %s", w.Body)
	}
	h = build(t)
	h.users.down, h.users.downAt = providers.ErrNotFound, "ChooseUsername"
	w = h.do(request(http.MethodPost, "/auth/update?username=x", "Auth-Token: "+adasToken))
	if w.Body.String() != refused("Unknown User") {
		t.Errorf("deleted just now: %s", w.Body)
	}
}

// S39: what cannot be done now is no "already set" and no success.
func TestUpdateCannotTell(t *testing.T) {
	for name, change := range map[string]func(*house){
		"token":  func(h *house) { h.authz.down = providers.ErrUnavailable },
		"user":   func(h *house) { h.users.down, h.users.downAt = providers.ErrUnavailable, "User" },
		"choice": func(h *house) { h.users.down, h.users.downAt = providers.ErrUnavailable, "ChooseUsername" },
	} {
		h := build(t)
		change(h)
		w := h.do(request(http.MethodPost, "/auth/update?username=countess", "Auth-Token: "+adasToken))
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || len(h.users.changed) > 0 {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
		wantBody(t, w, `"code":"unavailable"`, "!success", "!database")
	}
}

func TestClaimsOf(t *testing.T) {
	for token, user := range map[string]string{
		sessionToken("u7"): "u7", "": "", "a.b": "", "a.!.c": "", "a.bm90IEpTT04.c": "", "a.e30.c": "",
	} {
		if got := claimsOf(token).UserID; got != user {
			t.Errorf("%s: %q", token, got)
		}
	}
}
