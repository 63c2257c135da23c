package authapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/providers"
)

// conducted is an API of which requests go to os-conductor's dialect.
func conducted(t *testing.T, change ...func(*Config)) *house {
	t.Helper()
	return build(t, append(change, func(c *Config) { c.Conductor = true })...)
}

// conduct asks in os-conductor's dialect.
func (h *house) conduct(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.Conductor().ServeHTTP(w, r)
	return w
}

const conductorsAda = `{"authenticated":true,"profile":{"avatar_url":"https://img.example.org/ada","email":"ada@example.org",` +
	`"id":"google:1234","idhash":"u1","join_date":"2017-07-24T12:17:50.123456","name":"Ada Lovelace","username":null}}`

// Contract 1.2, "os-conductor differences": the token is "jwt" alone.
func TestConductorCheck(t *testing.T) {
	for _, c := range []struct {
		name, path string
		headers    []string
		want       string
	}{
		{"query", "/user/check?jwt=" + adasToken, nil, conductorsAda},
		{"doubled slash", "//user/check?jwt=" + adasToken, nil, conductorsAda},
		{"first of repeated", "/user/check?jwt=" + adasToken + "&jwt=forged", nil, conductorsAda},
		{"nothing", "/user/check", nil, nobodysAnswer},
		{"empty", "/user/check?jwt=", nil, nobodysAnswer},
		{"forged", "/user/check?jwt=forged", nil, nobodysAnswer},
		{"ended", "/user/check?jwt=ended", nil, nobodysAnswer},
		{"permission token (S4)", "/user/check?jwt=permission-token", nil, nobodysAnswer},
		{"no header", "/user/check", []string{"Auth-Token: " + adasToken}, nobodysAnswer},
		{"the header does not count", "/user/check?jwt=" + adasToken, []string{"Auth-Token: forged"}, conductorsAda},
		// The applications sign out by forgetting the token: the cookie must not keep
		// them signed in.
		{"no cookie", "/user/check", []string{adasCookieLine, "Sec-Fetch-Site: same-origin"}, nobodysAnswer},
	} {
		w := conducted(t).conduct(request(http.MethodGet, c.path, c.headers...))
		want(t, w, http.StatusOK, "")
		if got := w.Body.String(); got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
	w := conducted(t).conduct(withForm(request(http.MethodGet, "/user/check"), "jwt="+adasToken))
	if w.Body.String() != conductorsAda {
		t.Errorf("form: %s", w.Body)
	}
	// Contract 2b, gobble: further parameters are ignored, next is carried along.
	w = conducted(t, oneLogin).conduct(request(http.MethodGet, "/user/check?next=http://127.0.0.1:8001&callback_url=http://x"))
	if got := w.Body.String(); got != `{"authenticated":false,"providers":{"google":{"url":"https://app.example.com/auth/login/google?next=http%3A%2F%2F127.0.0.1%3A8001&deliver=jwt"}}}` {
		t.Errorf("next: %s", got)
	}
}

// Contract 1.2: permissions are the provider's; extra parameters count for
// nothing (vulekamali sends userid=).
func TestConductorAuthorize(t *testing.T) {
	const nothing = `{"permissions":{}}`
	const granted = `{"permissions":{"max_public_storage_mb":50,"read":true},"service":"storage","token":"minted.u1.storage","userid":"u1"}`
	for query, expected := range map[string]string{
		"?jwt=" + adasToken + "&service=storage":                 granted,
		"?jwt=" + adasToken + "&service=storage&userid=u9":       granted,
		"?jwt=" + adasToken:                                      nothing,
		"?jwt=" + adasToken + "&service=storage&service=storage": nothing, // ruling 10
		"?jwt=forged&service=storage":                            nothing,
		"?jwt=ended&service=storage":                             nothing, // contract 3: not for a user who is gone
		"?jwt=permission-token&service=storage":                  nothing, // S4
		"?service=storage":                                       nothing,
	} {
		w := conducted(t).conduct(request(http.MethodGet, "/user/authorize"+query, adasCookieLine, "Sec-Fetch-Site: same-origin"))
		want(t, w, http.StatusOK, "")
		if got := w.Body.String(); got != expected {
			t.Errorf("%s: %s", query, got)
		}
	}
	w := conducted(t).conduct(request(http.MethodGet, "/user/authorize?service=storage", "Auth-Token: "+adasToken))
	if w.Body.String() != nothing {
		t.Errorf("header: %s", w.Body)
	}
}

// Contract 1.2 and ruling 14: it works once, and keeps the case for display.
func TestConductorUpdate(t *testing.T) {
	h := conducted(t)
	username := func() string {
		_, rest, _ := strings.Cut(h.conduct(request(http.MethodGet, "/user/check?jwt="+adasToken)).Body.String(), `"username":`)
		return strings.TrimRight(rest, "}")
	}
	if username() != "null" {
		t.Errorf("before: %s", username())
	}
	for _, step := range []struct{ query, want, username string }{
		{"?username=New_Name", refused("No token"), "null"},
		{"?jwt=&username=New_Name", refused("Not authenticated"), "null"},
		{"?jwt=bla&username=New_Name", refused("Not authenticated"), "null"},
		{"?jwt=" + adasToken, updated, "null"},
		{"?jwt=" + adasToken + "&username=Grace", refused(updateTaken), "null"},
		{"?jwt=" + adasToken + "&username=New_Name", updated, `"New_Name"`},
		{"?jwt=" + adasToken + "&username=new_username_@", refused("Cannot modify username, already set"), `"New_Name"`},
	} {
		w := h.conduct(request(http.MethodPost, "/user/update"+step.query))
		want(t, w, http.StatusOK, "")
		if w.Body.String() != step.want || username() != step.username {
			t.Errorf("%s: %s, username %s", step.query, w.Body, username())
		}
	}
	w := h.conduct(request(http.MethodPost, "/user/update?username=x", "Auth-Token: "+adasToken))
	if w.Body.String() != refused("No token") {
		t.Errorf("header: %s", w.Body)
	}
}

// S32: the exact origin with credentials, since the library sends some; on
// failures too.
func TestConductorCORS(t *testing.T) {
	h := conducted(t)
	for path, method := range map[string]string{
		"/user/check?jwt=forged": "GET", "/user/authorize": "GET", "/user/update": "POST", "/user/public-key": "GET", "/user/lib": "GET",
		"/user/check?" + strings.Repeat("&", 100): "GET",
	} {
		for value, allowed := range map[string]bool{"https://frontend.example.com": true, "https://evil.example": false, "null": false} {
			got := h.conduct(request(method, path, "Origin: "+value)).Header()
			if (got.Get("Access-Control-Allow-Origin") == value) != allowed || (got.Get("Access-Control-Allow-Credentials") == "true") != allowed {
				t.Errorf("%s %s from %s: %v", method, path, value, got)
			}
			preflight := h.conduct(request(http.MethodOptions, path, "Origin: "+value, "Access-Control-Request-Method: "+method))
			if (preflight.Code == http.StatusOK) != allowed {
				t.Errorf("preflight for %s from %s: %d", path, value, preflight.Code)
			}
		}
	}
}

// Ruling 18: what is served, and that the rest of these paths is nobody's.
func TestConductorPaths(t *testing.T) {
	h := conducted(t)
	for path, status := range map[string]int{
		"/user/check": 200, "/user/authorize": 200, "/user/public-key": 200, "/user/lib": 200, "//user/lib": 200, "/user/update": 405,
		"/user": 404, "/user/": 404, "/user/check/": 404, "///user/check": 404, "/user/%63heck": 404,
		"/user/resolve": 404, "/user/get_profile": 404, "/user/login": 404, "/user/jwks.json": 404, "/user/oauth_callback": 404,
		"/oauth/google_callback": 303, "/oauth/google_callback/google": 404,
	} {
		if got := h.conduct(request(http.MethodGet, path)).Code; got != status {
			t.Errorf("%s: %d, want %d", path, got, status)
		}
		serves := strings.HasPrefix(path, "/user") || strings.HasPrefix(path, "//user") || path == ConductorCallback
		if ConductorServes(path) != serves {
			t.Errorf("ConductorServes(%s) is %v", path, !serves)
		}
	}
	for _, path := range []string{"/", "/users", "/userx/check", "/oauth", "/oauth/", "/oauth/github_callback", "/oauth/google_callback/x", "/auth/check"} {
		if ConductorServes(path) {
			t.Errorf("ConductorServes(%s)", path)
		}
	}
	// One dialect's paths are not the other's.
	want(t, h.get("/user/check"), http.StatusNotFound, "")
	want(t, h.conduct(request(http.MethodGet, "/auth/check")), http.StatusNotFound, "")
	// Contract 2b: os-admin's page shows what comes back; a GET changes nothing.
	w := h.conduct(request(http.MethodGet, "/user/update?username=x&jwt="+adasToken))
	wantBody(t, w, "405 Method Not Allowed")
	if len(h.users.asked) > 0 || w.Header().Get("Allow") != "POST, OPTIONS" {
		t.Errorf("asked %v, Allow %q", h.users.asked, w.Header().Get("Allow"))
	}
	// Switched off, nothing of it is there.
	for _, path := range []string{"/user/check", "/user/lib", ConductorCallback} {
		want(t, build(t).conduct(request(http.MethodGet, path)), http.StatusNotFound, "")
	}
}

// The address that was registered at Google for os-conductor does what
// oauth_callback does.
func TestConductorCallback(t *testing.T) {
	h := conducted(t)
	h.authn.result.Next, h.authn.result.DeliverToken = "http://localhost:3000/logged-in", true
	w := h.conduct(back(ConductorCallback+"?state=STATE-12345&code=CODE", "Cookie: "+loginCookie+"=1.BINDING"))
	want(t, w, http.StatusFound, "http://localhost:3000/logged-in?jwt=session-token-s1")
	if h.authn.binding != "BINDING" || h.authn.completed[0] != "" || cookies(w)[cookieName] == nil {
		t.Errorf("completed with %+v, cookies %v", h.authn, cookies(w))
	}
	want(t, h.conduct(request(http.MethodHead, ConductorCallback+"?state=a&code=b")), http.StatusOK, "")
	if len(h.authn.completed) != 1 {
		t.Error("a HEAD has used up the sign-in")
	}
	h = conducted(t, func(c *Config) { c.Site = site(t, "http://localhost:8080") })
	w = h.conduct(browse("http://127.0.0.1:8080/oauth/google_callback?state=a&code=b"))
	want(t, w, http.StatusSeeOther, "http://localhost:8080/oauth/google_callback?state=a&code=b")
}

// S16, and the key for services inside the network.
func TestConductorForeignHost(t *testing.T) {
	h := conducted(t)
	for _, path := range []string{"check", "authorize", "update", "lib"} {
		want(t, h.conduct(request(http.MethodGet, "https://evil.example/user/"+path)), http.StatusMisdirectedRequest, "")
	}
	w := h.conduct(request(http.MethodGet, "http://conductor:8000/user/public-key"))
	want(t, w, http.StatusOK, "")
	wantBody(t, w, "-----BEGIN PUBLIC KEY-----")
}

// S39: also where nothing but the chosen name cannot be told.
func TestConductorCannotTell(t *testing.T) {
	for name, change := range map[string]func(*house){
		"token": func(h *house) { h.authz.down = providers.ErrUnavailable },
		"name":  func(h *house) { h.users.down, h.users.downAt = providers.ErrUnavailable, "UsernameChosen" },
	} {
		h := conducted(t)
		change(h)
		w := h.conduct(request(http.MethodGet, "/user/check?jwt="+adasToken))
		if w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: %d", name, w.Code)
		}
		wantBody(t, w, "!authenticated", "!profile")
	}
}

func TestConductorConfig(t *testing.T) {
	for contains, change := range map[string]func(*Config){
		"requires Users": func(c *Config) { c.Users = nil },
		"os_conductor":   func(c *Config) { c.Site = siteAt(t, "/user") },
		"path /user/a":   func(c *Config) { c.Site = siteAt(t, "/user/a") },
	} {
		c := Config{Site: site(t, origin), Authn: &fakeAuthn{}, Authz: newFakeAuthz(), Keys: fakeKeys{}, Users: newFakeUsers(), Conductor: true}
		c.Next = build(t).Next
		if _, err := New(c); err != nil {
			t.Fatalf("good configuration: %v", err)
		}
		change(&c)
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), contains) {
			t.Errorf("error %v, want one with %q", err, contains)
		}
		c.Conductor = false
		if _, err := New(c); err != nil {
			t.Errorf("switched off: %v", err)
		}
	}
}
