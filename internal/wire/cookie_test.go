package wire

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var expires = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// maxAge is the age that counts for a browser, whatever its clock says.
var maxAge = regexp.MustCompile(`; Max-Age=([1-9][0-9]*)`)

// S31: names and attributes, exactly.
func TestSetCookies(t *testing.T) {
	secure, loopback := newSite(t, "https://app.example.com"), newSite(t, "http://localhost:8080")
	none := newRequest("GET", "/")
	for _, tt := range []struct {
		name string
		set  func(w http.ResponseWriter)
		want string
	}{
		{
			"session", func(w http.ResponseWriter) { secure.SetSessionCookie(w, "value", expires) },
			"__Host-auth_session=value; Path=/; Expires=Wed, 02 Jan 2030 03:04:05 GMT; HttpOnly; Secure; SameSite=Lax",
		},
		{
			"session on loopback", func(w http.ResponseWriter) { loopback.SetSessionCookie(w, "value", expires) },
			"auth_session=value; Path=/; Expires=Wed, 02 Jan 2030 03:04:05 GMT; HttpOnly; SameSite=Lax",
		},
		{
			"no session", func(w http.ResponseWriter) { secure.ClearSessionCookie(w) },
			"__Host-auth_session=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
		},
		{
			"no session on loopback", func(w http.ResponseWriter) { loopback.ClearSessionCookie(w) },
			"auth_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
		},
		{
			"login", func(w http.ResponseWriter) { secure.SetLoginCookie(w, none, "abcdefghijkl", "secret", expires) },
			"__Host-login-abcdefgh=1893553445.secret; Path=/; Expires=Wed, 02 Jan 2030 03:04:05 GMT; HttpOnly; Secure; SameSite=Lax",
		},
		{
			"login on loopback", func(w http.ResponseWriter) { loopback.SetLoginCookie(w, none, "abcdefghijkl", "secret", expires) },
			"login-abcdefgh=1893553445.secret; Path=/; Expires=Wed, 02 Jan 2030 03:04:05 GMT; HttpOnly; SameSite=Lax",
		},
		{
			"mark", func(w http.ResponseWriter) { secure.SetReturnCookie(w, "1.s", expires) },
			"__Host-auth_return=1.s; Path=/; Expires=Wed, 02 Jan 2030 03:04:05 GMT; HttpOnly; Secure; SameSite=Lax",
		},
		{
			"no mark on loopback", func(w http.ResponseWriter) { loopback.ClearReturnCookie(w) },
			"auth_return=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
		},
		{
			"no login", func(w http.ResponseWriter) { secure.ClearLoginCookie(w, "abcdefghijkl") },
			"__Host-login-abcdefgh=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
		},
	} {
		w := httptest.NewRecorder()
		tt.set(w)
		got := w.Header()["Set-Cookie"]
		if len(got) != 1 || maxAge.ReplaceAllString(got[0], "") != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
			continue
		}
		if age := maxAge.FindStringSubmatch(got[0]); (age == nil) != strings.HasPrefix(tt.name, "no ") {
			t.Errorf("%s: %q has the age %q", tt.name, got[0], age)
		}
	}
	// A browser whose clock is an hour fast would take a cookie of ten minutes for
	// an old one, and nobody could sign in.
	w := httptest.NewRecorder()
	secure.SetLoginCookie(w, none, "abcdefghijkl", "secret", time.Now().Add(10*time.Minute))
	if c := w.Result().Cookies()[0]; c.MaxAge < 599 || c.MaxAge > 600 {
		t.Errorf("the login cookie lives for %d s", c.MaxAge)
	}
	w = httptest.NewRecorder()
	secure.SetLoginCookie(w, none, "abcdefghijkl", "secret", time.Now().Add(-time.Minute))
	if c := w.Result().Cookies()[0]; c.MaxAge > 0 || !c.Expires.Before(time.Now()) {
		t.Errorf("what is over is set: %v", c)
	}
}

// The state in a callback's query is anybody's text: it must not write headers
// or attributes by way of a cookie's name.
func TestClearLoginCookieOfHostileState(t *testing.T) {
	site := newSite(t, "https://app.example.com")
	for _, state := range []string{"a;b=c", "a=b", "a b", "a\r\nX: y", "äöü", "a,b", "a\x00", "a\"b"} {
		w := httptest.NewRecorder()
		site.ClearLoginCookie(w, state+"xxxxxxxx")
		if got := w.Header()["Set-Cookie"]; len(got) > 0 {
			t.Errorf("%q made %q", state, got)
		}
	}
}

// A link to the callback with a made-up state takes no cookie away that is not
// one of ours, such as another program's "login-token" on loopback.
func TestClearLoginCookieOfShortState(t *testing.T) {
	site := newSite(t, "http://localhost:8080")
	for _, state := range []string{"", "a", "token", "session"} {
		w := httptest.NewRecorder()
		site.ClearLoginCookie(w, state)
		if got := w.Header()["Set-Cookie"]; len(got) > 0 {
			t.Errorf("%q made %q", state, got)
		}
	}
}

// Ruling 3, S31: names are matched exactly; of two there is none, since
// somebody has planted one.
func TestSessionCookie(t *testing.T) {
	tests := []struct {
		site  string
		lines []string
		value string
	}{
		{"https://app.example.com", nil, ""},
		{"https://app.example.com", []string{"__Host-auth_session=v"}, "v"},
		{"https://app.example.com", []string{"a=b; __Host-auth_session=v; c=d"}, "v"},
		{"https://app.example.com", []string{"a=b;__Host-auth_session=v"}, "v"},
		{"https://app.example.com", []string{"a=b;\t __Host-auth_session=v \t;"}, "v"},
		{"https://app.example.com", []string{"a=b", "__Host-auth_session=v"}, "v"},
		{"https://app.example.com", []string{"__Host-auth_session=v=w"}, "v=w"},
		{"https://app.example.com", []string{"__Host-auth_session="}, ""},
		{"https://app.example.com", []string{"__Host-auth_session"}, ""},
		// Two of them, wherever they stand and whatever they say.
		{"https://app.example.com", []string{"__Host-auth_session=v; __Host-auth_session=w"}, ""},
		{"https://app.example.com", []string{"__Host-auth_session=v; __Host-auth_session=v"}, ""},
		{"https://app.example.com", []string{"__Host-auth_session=v", "__Host-auth_session=w"}, ""},
		{"https://app.example.com", []string{"__Host-auth_session=; __Host-auth_session=v"}, ""},
		{"https://app.example.com", []string{"__Host-auth_session=v; __Host-auth_session="}, ""},
		// A sibling domain can set these: without the prefix, or with one that an
		// older browser does not know by its case.
		{"https://app.example.com", []string{"auth_session=v"}, ""},
		{"https://app.example.com", []string{"__host-auth_session=v"}, ""},
		{"https://app.example.com", []string{"__HOST-auth_session=v"}, ""},
		{"https://app.example.com", []string{"__Secure-auth_session=v"}, ""},
		{"https://app.example.com", []string{"__Host-auth_session=v; __host-auth_session=w; auth_session=x"}, "v"},
		// Nearly the name.
		{"https://app.example.com", []string{"__Host-AUTH_SESSION=v"}, ""},
		{"https://app.example.com", []string{"__Host-auth_session2=v"}, ""},
		{"https://app.example.com", []string{"x__Host-auth_session=v"}, ""},
		{"https://app.example.com", []string{"__Host-auth_session =v"}, ""},
		{"https://app.example.com", []string{"a=__Host-auth_session=v"}, ""},
		{"https://app.example.com", []string{"__Host-auth%5fsession=v"}, ""},
		{"https://app.example.com", []string{"a=b, __Host-auth_session=v"}, ""},
		{"http://localhost:8080", []string{"auth_session=v"}, "v"},
		{"http://localhost:8080", []string{"__Host-auth_session=v"}, ""},
		{"http://localhost:8080", []string{"auth_session=v; auth_session=w"}, ""},
	}
	for _, tt := range tests {
		r := newRequest("GET", "/")
		r.Header["Cookie"] = tt.lines
		value, ok := newSite(t, tt.site).SessionCookie(r)
		if value != tt.value || ok != (tt.value != "") {
			t.Errorf("%s %q: %q, %t; expected %q", tt.site, tt.lines, value, ok, tt.value)
		}
	}
}

// S21: the cookie belongs to one state.
func TestLoginCookie(t *testing.T) {
	site := newSite(t, "https://app.example.com")
	for _, tt := range []struct{ line, state, secret string }{
		{"__Host-login-abcdefgh=1893553445.s3cret", "abcdefghijkl", "s3cret"},
		{"__Host-login-abcdefgh=1893553445.s3.cret", "abcdefghijkl", "s3.cret"},
		{"__Host-login-abcdefgh=1893553445.s3cret", "Abcdefghijkl", ""},
		{"__Host-login-abcdefgh=1893553445.s3cret", "abcdefg", ""},
		{"__Host-login-abcdefgh=1893553445.s3cret", "", ""},
		{"__Host-login-=1.s3cret", "", "s3cret"}, // harmless: no state is empty
		{"__Host-login-abcdefgh=s3cret", "abcdefghijkl", ""},
		{"__Host-login-abcdefgh=1.a; __Host-login-abcdefgh=1.b", "abcdefghijkl", ""},
		{"login-abcdefgh=1.s3cret", "abcdefghijkl", ""},
		{"__host-login-abcdefgh=1.s3cret", "abcdefghijkl", ""},
		{"", "abcdefghijkl", ""},
	} {
		if got := site.LoginCookie(newRequest("GET", "/", "Cookie: "+tt.line), tt.state); got != tt.secret {
			t.Errorf("%q of state %q: %q; expected %q", tt.line, tt.state, got, tt.secret)
		}
	}
}

// Several tabs may sign in at once, five at most: the oldest makes room. What
// an upstream calls its cookies is none of our business.
func TestSetLoginCookieDropsTheOldest(t *testing.T) {
	login := func(i, expires int) string { return fmt.Sprintf("login-tab%05d=%d.secret", i, expires) }
	tests := []struct {
		name    string
		cookies []string
		dropped []string
	}{
		{"first", nil, nil},
		{"fifth", []string{login(1, 100), login(2, 200), login(3, 300), login(4, 400)}, nil},
		{"sixth", []string{login(1, 300), login(2, 200), login(3, 100), login(4, 400), login(5, 500)}, []string{"login-tab00003"}},
		{"two too many", []string{login(1, 300), login(2, 200), login(3, 100), login(4, 400), login(5, 500), login(6, 600)}, []string{"login-tab00003", "login-tab00002"}},
		{"one without a time", []string{login(1, 300), "login-tab00002=x", login(3, 100), login(4, 400), login(5, 500)}, []string{"login-tab00002"}},
		{"an upstream's", []string{"login-theme=dark", "login-abc=1", "xlogin-tab00000=1.x", login(1, 1), login(2, 2), login(3, 3), login(4, 4)}, nil},
	}
	for _, secure := range []bool{true, false} {
		site, prefix := newSite(t, "http://localhost:8080"), ""
		if secure {
			site, prefix = newSite(t, "https://app.example.com"), "__Host-"
		}
		for _, tt := range tests {
			line := ""
			for _, c := range tt.cookies {
				line += prefix + c + "; "
			}
			w := httptest.NewRecorder()
			site.SetLoginCookie(w, newRequest("GET", "/", "Cookie: "+line), "newstate1234", "secret", expires)
			var dropped []string
			set := w.Result().Cookies()
			for _, c := range set[:len(set)-1] {
				if c.MaxAge >= 0 || c.Value != "" {
					t.Errorf("%s: %q is set", tt.name, c.Name)
				}
				dropped = append(dropped, strings.TrimPrefix(c.Name, prefix))
			}
			if !slices.Equal(dropped, tt.dropped) {
				t.Errorf("%s: dropped %q; expected %q", tt.name, dropped, tt.dropped)
			}
			if last := set[len(set)-1]; last.Name != prefix+"login-newstate" {
				t.Errorf("%s: the new one is %q", tt.name, last.Name)
			}
		}
	}
}

func TestOwnsCookie(t *testing.T) {
	secure, loopback := newSite(t, "https://app.example.com"), newSite(t, "http://localhost:8080")
	for name, want := range map[string][2]bool{ // secure, loopback
		"__Host-auth_session":    {true, true},
		"__host-auth_session":    {true, true},
		"__HOST-auth_session":    {true, true},
		"__Host-Auth_Session":    {true, true},
		"__Host-login-abcdefgh":  {true, true},
		"__hOST-login-abcdefgh":  {true, true},
		"__Host-Login-abcdefgh":  {true, true},
		"__Host-login-abcdefg":   {true, true},
		"__Host-login-abcdefghi": {true, true},
		"__Host-auth_return":     {true, true},
		"auth_session":           {false, true},
		"AUTH_SESSION":           {false, true},
		"auth_return":            {false, true},
		"login-abcdefgh":         {false, true},
		"Login-abcdefgh":         {false, true},
		"login-abcdefghi":        {},
		"__Host-login":           {},
		"__Host-":                {},
		"__Host-auth_session2":   {},
		"__Secure-auth_session":  {},
		"login-theme":            {},
		"login-":                 {},
		"session":                {},
		"":                       {},
	} {
		if got := [2]bool{secure.OwnsCookie(name), loopback.OwnsCookie(name)}; got != want {
			t.Errorf("%q: %v; expected %v", name, got, want)
		}
	}
}

// S9: our cookies stay here; the others go on byte for byte.
func TestStripCookies(t *testing.T) {
	const ours, login = "__Host-auth_session=v", "__Host-login-abcdefgh=1.s"
	for _, tt := range []struct{ lines, want []string }{
		{nil, nil},
		{[]string{"a=b"}, []string{"a=b"}},
		{[]string{`a="b c";;  d = e;f;=g; `}, []string{`a="b c";;  d = e;f;=g; `}}, // nothing of ours: not touched
		{[]string{ours}, nil},
		{[]string{ours + ";"}, nil},
		{[]string{ours + "; " + login}, nil},
		{[]string{ours + "; a=b"}, []string{"a=b"}},
		{[]string{ours + ";a=b"}, []string{"a=b"}},
		{[]string{"a=b; " + ours}, []string{"a=b"}},
		{[]string{"a=b; " + ours + "; c=d"}, []string{"a=b; c=d"}},
		{[]string{"a=b;" + ours + ";c=d"}, []string{"a=b; c=d"}},
		{[]string{ours + "; a=b; " + login + "; c=d; " + ours}, []string{"a=b; c=d"}},
		{[]string{`a="b c; ` + ours + `; d="e=f"; g=%20+ü`}, []string{`a="b c; d="e=f"; g=%20+ü`}},
		{[]string{"a=b", ours, "c=d"}, []string{"a=b", "c=d"}},
		{[]string{ours, "a=b; " + login}, []string{"a=b"}},
		{[]string{ours, login}, nil},
		// In other spellings, some upstream takes them for ours.
		{[]string{"__host-auth_session=v; a=b"}, []string{"a=b"}},
		{[]string{" __Host-auth_session =v; a=b"}, []string{"a=b"}},
		{[]string{"__Host-auth_session; a=b"}, []string{"a=b"}},
		// Like ours, but an upstream's.
		{[]string{"auth_session=v; __Host-auth_sessions=w; __Host-login=y"}, []string{"auth_session=v; __Host-auth_sessions=w; __Host-login=y"}},
		{[]string{"a=__Host-auth_session=v"}, []string{"a=__Host-auth_session=v"}},
	} {
		site := newSite(t, "https://app.example.com")
		h := http.Header{}
		if tt.lines != nil {
			h["Cookie"] = slices.Clone(tt.lines)
		}
		site.StripCookies(h)
		got, found := h["Cookie"]
		if !slices.Equal(got, tt.want) || found != (tt.want != nil) {
			t.Errorf("%q: %q; expected %q", tt.lines, got, tt.want)
		}
	}
}

// The gate does this on every request of a signed-in browser.
func TestStripCookiesDoesNotAllocate(t *testing.T) {
	site := newSite(t, "https://app.example.com")
	line := []string{""}
	h := http.Header{}
	for _, cookies := range []string{"a=b; c=d", "__Host-auth_session=v", "__Host-auth_session=v; a=b", "a=b; __Host-auth_session=v"} {
		if n := testing.AllocsPerRun(100, func() {
			line[0] = cookies
			h["Cookie"] = line
			site.StripCookies(h)
		}); n > 0 {
			t.Errorf("%q: %v allocations", cookies, n)
		}
	}
}
