package gate

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// reservedNames are header names that only the gateway may set, in spellings
// that some upstream (CGI, WSGI, PHP, nginx) reads as the same.
var reservedNames = []string{
	"X-Auth-User-Id", "x-auth-user-id", "X-AUTH-USER-ID", "X_Auth_User_Id", "X_AUTH_USER_ID", "X.Auth.User.Id", "X-Auth_User.Id", "x_auth-user_id",
	"X-Auth-Username", "X-Auth-Email", "X-Auth-Name", "X-Auth-Service", "X-Auth-Permissions", "X-Auth-Token", "X_auth_permissions",
	"X-Auth-", "X_Auth_", "X-Auth-Role", "X-Auth-Anything-Else", "X-Auth-User-Id-", "X-Auth--User-Id",
	"Auth-Token", "auth-token", "Auth_Token", "AUTH_TOKEN", "Auth.Token", "aUTH-tOKEN",
	"Forward-Token", "forward_token", "FORWARD.TOKEN",
}

// S13: on every route, also where nobody is signed in and where nothing is
// demanded, what the client says under our names is deleted.
func TestStripReservedHeaders(t *testing.T) {
	h := newHouse(t)
	forward := readRule
	forward.ForwardToken = "Forward-Token"
	gates := map[string]*Gate{"permission": h.gate(forward), "login": h.gate(login), "identify": h.gate(identify)}
	for kind, g := range gates {
		for _, signedIn := range []bool{true, false} {
			for _, name := range reservedNames {
				r := newRequest("GET", "/", name+": forged", "Accept: */*")
				if signedIn {
					r.Header["Cookie"] = []string{"__Host-auth_session=ada"}
				}
				_ = admit(r, new(State), g)
				for name, values := range r.Header {
					if slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, "forged") }) {
						t.Errorf("%s, signed in %t: %s is still there", kind, signedIn, name)
					}
				}
				if r.Header.Get("Accept") != "*/*" {
					t.Errorf("%s: Accept is gone", kind)
				}
			}
		}
	}
}

// S13: the reserved prefix is x-auth-, not x-auth (ruling 29); other headers
// are an upstream's own business.
func TestKeepOtherHeaders(t *testing.T) {
	names := []string{
		"X-Auth", "X-Authenticated", "X-Authorization", "X-Author", "Xauth-User-Id", "X-Autha-User", "Y-Auth-User-Id", "Auth", "Auth-Tokens", "X-Token", "Token", "Auth-Token-2",
		"Accept", "Content-Type", "Range", "If-None-Match", "X-Request-Id", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Traceparent", "Forwarder", "Te", "X-Original", "X-Real",
	}
	r := newRequest("GET", "/")
	for _, name := range names {
		r.Header[name] = []string{"kept"}
	}
	mustAdmit(t, r, newHouse(t).gate(identify))
	for _, name := range names {
		if !slices.Equal(r.Header[name], []string{"kept"}) {
			t.Errorf("%s is %q", name, r.Header[name])
		}
	}
}

// S9: what was shown here stays here; what is somebody else's goes on.
func TestStripCredentials(t *testing.T) {
	for _, tt := range []struct {
		name          string
		headers       []string
		authorization string
		cookie        string
	}{
		{"Bearer of ours", []string{"Authorization: Bearer our-ada"}, "", ""},
		{"dead Bearer of ours", []string{"Authorization: Bearer our-forged"}, "", ""},
		{"foreign Bearer", []string{"Authorization: Bearer theirs"}, "Bearer theirs", ""},
		{"foreign Bearer beside a token", []string{"Authorization: Bearer theirs", asAda}, "Bearer theirs", ""},
		{"Basic", []string{"Authorization: Basic dTpw"}, "Basic dTpw", ""},
		{"cookie", []string{cookie + "ada"}, "", ""},
		{"cookies", []string{"Cookie: a=b; __Host-auth_session=ada; __Host-login-abcdefgh=1.x; c=d"}, "", "a=b; c=d"},
		{"two session cookies", []string{"Cookie: __Host-auth_session=ada; __Host-auth_session=bob; c=d"}, "", "c=d"},
		{"cookie that does not count", []string{cookie + "ada; c=d", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"}, "", "c=d"},
	} {
		r := newRequest("GET", "/", tt.headers...)
		mustAdmit(t, r, newHouse(t).gate(identify))
		wantHeaders(t, r.Header, map[string]string{"Authorization": tt.authorization, "Cookie": tt.cookie, "Auth-Token": ""})
		if t.Failed() {
			t.Fatal(tt.name)
		}
	}
}

// S10: no method is an exception, also none that nobody knows.
func TestMethods(t *testing.T) {
	h := newHouse(t)
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "TRACK", "PROPFIND", "BREW", "M-SEARCH", "get", "pOST", "DELETe", "Connect"} {
		for _, rule := range []Rule{login, readRule} {
			if p := admit(newRequest(method, "/a"), new(State), h.gate(rule)); code(p) != "not_signed_in" {
				t.Errorf("%s without a credential: %q", method, code(p))
			}
		}
		if p := admit(newRequest(method, "/a", asBob), new(State), h.gate(readRule)); code(p) != "permission_missing" {
			t.Errorf("%s without permission: %q", method, code(p))
		}
		for _, rule := range []Rule{readRule, login, identify} {
			p := admit(newRequest(method, "/a", asAda), new(State), h.gate(rule))
			if small := strings.ToUpper(method) != method; small && code(p) != "method_not_allowed" || !small && p != nil {
				t.Errorf("%s of somebody who may: %q", method, code(p))
			}
		}
	}
}

// S17: a tunnel is never opened, in whatever form, by whoever.
func TestConnect(t *testing.T) {
	h := newHouse(t)
	for _, rule := range []Rule{identify, login, readRule, {Kind: Identify, LenientPaths: true}} {
		for _, u := range []url.URL{{Host: "internal:22"}, {Path: "/a"}, {}} {
			r := newRequest("GET", "/", asAda)
			r.Method, r.URL = http.MethodConnect, &u
			if p := admit(r, new(State), h.gate(rule)); p == nil || p.Status != http.StatusMethodNotAllowed || p.Code != "method_not_allowed" {
				t.Errorf("CONNECT %s: %v", &u, p)
			}
		}
	}
}

// S11: the table of forms is wire's; here, that a gate asks, whatever its kind
// and whoever comes, and judges what will be forwarded.
func TestPaths(t *testing.T) {
	h := newHouse(t)
	for target, want := range map[string]struct{ strict, lenient bool }{
		"/a":                              {true, true},
		"/a/%C3%A4?x=%2f..":               {true, true},
		"/a%2fb":                          {false, true},
		"/a//b":                           {false, true},
		"/a%25b":                          {false, true},
		"/a;b":                            {false, true},
		"/a%3fb":                          {false, true},
		"/a./b":                           {false, true},
		"/a%5cb":                          {false, false},
		"/a%252fb":                        {false, false},
		"/a/../b":                         {false, false},
		"/a/%2e%2e/b":                     {false, false},
		"/a%2f..%2fb":                     {false, false},
		"/a%5c..%5cb":                     {false, false},
		"/a/..;/b":                        {false, false},
		"/a%00":                           {false, false},
		"/a%0d%0ab":                       {false, false},
		"http://app.example.com/a":        {true, true},
		"http://app.example.com/a/../b":   {false, false},
		"http://app.example.com//evil/..": {false, false},
	} {
		for _, rule := range []Rule{identify, login, readRule} {
			for _, headers := range [][]string{nil, {asAda}} {
				for _, lenient := range []bool{false, true} {
					rule.LenientPaths = lenient
					p := admit(newRequest("GET", target, headers...), new(State), h.gate(rule))
					passes := p == nil || p.Status != http.StatusBadRequest || p.Code != "bad_path"
					if passes != (lenient && want.lenient || !lenient && want.strict) {
						t.Errorf("%s, kind %d, lenient %t: %q", target, rule.Kind, lenient, code(p))
					}
				}
			}
		}
	}
}

// S11: another loopback name is our own host, in the absolute form too; lenient
// paths make no lenient hosts.
func TestAbsoluteFormOnLoopback(t *testing.T) {
	h := newHouseAt(t, "http://localhost:8080")
	for target, good := range map[string]bool{
		"http://localhost:8080/a": true, "http://127.0.0.1:8080/a": true, "http://localhost/a": false, "http://127.0.0.1:22/a": false, "http://evil.com:8080/a": false,
	} {
		for _, rule := range []Rule{identify, login, {Kind: Identify, LenientPaths: true}} {
			p := admit(newRequest("GET", target, asAda), new(State), h.gate(rule))
			if good && p != nil || !good && code(p) != "bad_path" {
				t.Errorf("%s, kind %d: %q", target, rule.Kind, code(p))
			}
		}
	}
}

// S11: URLs that no parser makes of a request line, but rewrites can.
func TestPathsAfterRewrites(t *testing.T) {
	h := newHouse(t)
	for _, u := range []url.URL{
		{Path: "/public", Opaque: "/admin"},
		{Path: "/public", Opaque: "//evil.com/admin"},
		{Scheme: "x", Opaque: "admin"},                // "GET x:admin"
		{Path: "/../admin", RawPath: "/public"},       // RawPath does not fit: Path is sent
		{Path: "/public", RawPath: "/%2e%2e/admin"},   // and the other way round
		{Path: "/a/../admin"},                         // rewritten to
		{Path: "/a\\..\\admin"},                       // sent as %5C
		{Path: "/a\x00"},                              //
		{Path: "/public", RawQuery: "x=1#/../admin"},  // "#" is no part of a request line
		{Path: "/a/b", RawPath: "/a%2fb", Opaque: ""}, //
	} {
		for _, rule := range []Rule{identify, login, readRule} {
			r := newRequest("GET", "/", asAda)
			r.URL = &u
			if p := admit(r, new(State), h.gate(rule)); code(p) != "bad_path" {
				t.Errorf("%#v: %q", u, code(p))
			}
			rule.LenientPaths = true
			if p := admit(r, new(State), h.gate(rule)); code(p) != "bad_path" && u.RawPath != "/a%2fb" {
				t.Errorf("lenient: %#v: %q", u, code(p))
			}
		}
	}
}

// S11: judged after every rewrite, also by gates that come later.
func TestEachGateJudgesThePath(t *testing.T) {
	h := newHouse(t)
	first, second := h.gate(Rule{Kind: Login, LenientPaths: true}), h.gate(readRule)
	if p := admit(newRequest("GET", "/a//b", asAda), new(State), first, second); code(p) != "bad_path" {
		t.Errorf("a lenient gate opens a strict one: %q", code(p))
	}
	r, st := newRequest("GET", "/a", asAda), new(State)
	if p := admit(r, st, second); p != nil {
		t.Fatal(p.Code)
	}
	r.URL.Path = "/a/../b"
	if p := admit(r, st, second); code(p) != "bad_path" {
		t.Errorf("a rewrite between two gates passes: %q", code(p))
	}
}

// S11: a rewrite cleans a path, after somebody has judged by what it was.
func TestPathsBeforeRewrites(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct {
		original url.URL
		lenient  bool
		want     string
	}{
		{url.URL{Path: "/api/x"}, false, ""},
		{url.URL{Path: "/api/x/../admin"}, false, "bad_path"},
		{url.URL{Path: "/api/x/../admin"}, true, "bad_path"},
		{url.URL{Path: "/api//x"}, false, "bad_path"},
		{url.URL{Path: "/api//x"}, true, ""},
		{url.URL{Path: "/api/a/b", RawPath: "/api/a%2fb"}, false, "bad_path"},
		{url.URL{Path: "/api/a/b", RawPath: "/api/a%2fb"}, true, ""},
		{url.URL{Path: "/api/x", RawQuery: "a#b"}, false, "bad_path"},
	} {
		rule := readRule
		rule.LenientPaths = c.lenient
		if p := admit(newRequest("GET", "/x", asAda), &State{Original: &c.original}, h.gate(rule)); code(p) != c.want {
			t.Errorf("%v, lenient %v: %q; expected %q", &c.original, c.lenient, code(p), c.want)
		}
	}
}

// A refused request goes nowhere, but what handles the error may proxy it
// (ruling 27): it must be clean by then.
func TestRefusedRequestsAreClean(t *testing.T) {
	h := newHouse(t)
	for name, headers := range map[string][]string{
		"ambiguous":     {asAda, "Authorization: Bearer our-bob"},
		"not signed in": nil,
		"forged":        {"Auth-Token: our-forged"},
		"not permitted": {asBob},
		"unavailable":   {"Auth-Token: our-down"},
		"bad path":      {asAda, "Authorization: Bearer our-ada", cookie + "ada"},
		"bad method":    {asAda, "Authorization: Bearer our-ada", cookie + "ada"},
	} {
		method, target := "GET", "/"
		switch name {
		case "bad path":
			target = "/a//b"
		case "bad method":
			method = "CONNECT"
		}
		r := newRequest(method, target, append(headers, "X-Auth-User-Id: u1", "X_Auth_Email: x", "Connection: X-Auth-Name", "X-Original-Url: /admin")...)
		if admit(r, new(State), h.gate(readRule)) == nil {
			t.Fatalf("%s passes", name)
		}
		for _, header := range []string{"X-Auth-User-Id", "X_Auth_Email", "Auth-Token", "Authorization", "Cookie", "Connection", "X-Original-Url"} {
			if values, found := r.Header[header]; found {
				t.Errorf("%s: %s is %q", name, header, values)
			}
		}
	}
}
