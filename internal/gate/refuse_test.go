package gate

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// refuse lets a gate judge and refuse, as Caddy's handler does.
func refuse(t *testing.T, g *Gate, target, original string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	return refuseRequest(t, g, "GET", "app.example.com", target, original, headers...)
}

func refuseRequest(t *testing.T, g *Gate, method, host, target, original string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	w, r, st := httptest.NewRecorder(), newRequest(method, target, headers...), new(State)
	r.Host = host
	p := g.Admit(w, r, st)
	if p == nil {
		t.Fatalf("%s %s passes", method, target)
	}
	if !IsRefusal(p) {
		g.Refuse(w, r, p, *p)
		return w
	}
	g.Refuse(w, r, p, g.Complete(p, r, st, original, "request-1"))
	return w
}

const (
	acceptHTML = "Accept: text/html,application/xhtml+xml,*/*;q=0.8"
	navigates  = "Sec-Fetch-Mode: navigate"
	topLevel   = "Sec-Fetch-Dest: document"
)

// The form of a refusal suits who asks: only a browser on its way to a page is
// sent to sign in, and only when that would help.
func TestRefuseByClient(t *testing.T) {
	h := newHouse(t)
	for _, tt := range []struct {
		name    string
		method  string
		headers []string
		status  int
		form    string // "redirect", "page" or "json"
	}{
		{"navigation", "GET", []string{acceptHTML, navigates, topLevel}, 302, "redirect"},
		{"old browser", "GET", []string{acceptHTML}, 302, "redirect"},
		{"HEAD", "HEAD", []string{acceptHTML, navigates, topLevel}, 302, "redirect"},
		{"ended session", "GET", []string{acceptHTML, navigates, topLevel, cookie + "ended"}, 302, "redirect"},
		{"forged cookie", "GET", []string{acceptHTML, navigates, topLevel, cookie + "forged"}, 302, "redirect"},
		{"form", "POST", []string{acceptHTML, navigates, topLevel}, 401, "page"},
		{"iframe", "GET", []string{acceptHTML, navigates, "Sec-Fetch-Dest: iframe"}, 401, "page"},
		{"fetch", "GET", []string{"Accept: */*", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"}, 401, "json"},
		{"fetch that wants HTML", "GET", []string{acceptHTML, "Sec-Fetch-Mode: cors"}, 401, "json"},
		{"image", "GET", []string{"Accept: image/webp,*/*", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"}, 401, "json"},
		{"EventSource", "GET", []string{"Accept: text/event-stream"}, 401, "json"},
		{"WebSocket", "GET", []string{"Connection: Upgrade", "Upgrade: websocket", acceptHTML}, 401, "json"},
		{"curl", "GET", []string{"Accept: */*"}, 401, "json"},
		{"no headers", "DELETE", nil, 401, "json"},
		// S39: no redirect here ends the trouble; it would begin a loop.
		{"not permitted", "GET", []string{acceptHTML, navigates, topLevel, asBob}, 403, "page"},
		{"not permitted, program", "GET", []string{asBob}, 403, "json"},
		{"disabled", "GET", []string{acceptHTML, navigates, topLevel, "Auth-Token: our-disabled"}, 403, "page"},
		{"database down", "GET", []string{acceptHTML, navigates, topLevel, cookie + "down"}, 503, "page"},
		{"database down, program", "GET", []string{"Auth-Token: our-down"}, 503, "json"},
		{"ambiguous", "GET", []string{acceptHTML, navigates, topLevel, asAda, asBob}, 400, "page"},
		{"ambiguous, program", "GET", []string{asAda, asBob}, 400, "json"},
	} {
		w := refuseRequest(t, h.gate(readRule), tt.method, "app.example.com", "/data", "/data?x=1", tt.headers...)
		form := "json"
		switch {
		case w.Header().Get("Location") != "":
			form = "redirect"
		case w.Header().Get("Content-Type") == "text/html":
			form = "page"
		case w.Header().Get("Content-Type") != "application/problem+json":
			form = "nothing"
		}
		if w.Code != tt.status || form != tt.form {
			t.Errorf("%s: %d %s; expected %d %s", tt.name, w.Code, form, tt.status, tt.form)
		}
		// S34, S44.
		if w.Header().Get("Cache-Control") != "no-store" || !strings.Contains(w.Header().Get("Vary"), "Cookie") || !strings.Contains(w.Header().Get("Vary"), "Sec-Fetch-Mode") {
			t.Errorf("%s: %v", tt.name, w.Header())
		}
		if challenged := w.Header().Get("WWW-Authenticate") != ""; challenged != (w.Code == 401) {
			t.Errorf("%s: WWW-Authenticate is %q", tt.name, w.Header().Get("WWW-Authenticate"))
		}
		if later := w.Header().Get("Retry-After") != ""; later != (w.Code == 503) {
			t.Errorf("%s: Retry-After is %q", tt.name, w.Header().Get("Retry-After"))
		}
		if form == "redirect" && (w.Header().Get("Location") != "https://app.example.com/auth/login?next=%2Fdata%3Fx%3D1" || w.Body.Len() > 0) {
			t.Errorf("%s: to %q with %q", tt.name, w.Header().Get("Location"), w.Body)
		}
	}
}

// Ruling 26: what a program reads.
func TestRefuseJSON(t *testing.T) {
	g := newHouse(t).gate(Rule{Kind: Permission, Service: "storage", All: []string{"read"}, Any: []string{"write", "admin"}})
	for name, tt := range map[string]struct {
		headers   []string
		body      string
		challenge string
	}{
		"nobody": {
			nil,
			`{"type":"about:blank","title":"Unauthorized","status":401,"code":"not_signed_in","detail":"Sign in to see this.","request_id":"request-1","login_url":"https://app.example.com/auth/login?next=%2Foriginal%3Fa%3Db"}`,
			`Bearer realm="auth"`,
		},
		"a dead token": {
			[]string{"Auth-Token: our-ended"},
			`{"type":"about:blank","title":"Unauthorized","status":401,"code":"session_ended","detail":"Your session has ended. Sign in again.","request_id":"request-1","login_url":"https://app.example.com/auth/login?next=%2Foriginal%3Fa%3Db"}`,
			`Bearer realm="auth", error="invalid_token"`,
		},
		"no permission": {
			[]string{asBob},
			`{"type":"about:blank","title":"Forbidden","status":403,"code":"permission_missing","detail":"You are signed in, but you may not do this.","request_id":"request-1","service":"storage","missing":["read","write","admin"]}`,
			"",
		},
	} {
		w := refuse(t, g, "/rewritten", "/original?a=b", tt.headers...)
		if w.Body.String() != tt.body || w.Header().Get("WWW-Authenticate") != tt.challenge {
			t.Errorf("%s:\n got %s, %q\nwant %s, %q", name, w.Body, w.Header().Get("WWW-Authenticate"), tt.body, tt.challenge)
		}
	}
}

// The way back is the address that the browser asked for, if it is one of
// ours; S16, S19, S41.
func TestLoginURL(t *testing.T) {
	g := newHouse(t).gate(login)
	for original, next := range map[string]string{
		"/":                        "/",
		"/a/b?c=d&e=%2F#":          "/a/b?c=d&e=%2F#",
		"/search?q=100%":           "/search?q=100%",
		"/%C3%A4":                  "/%C3%A4",
		"/a?next=https://evil.com": "/a?next=https://evil.com",
		// A token of whoever it may be does not go into another URL.
		"/a?jwt=secret":                "/a",
		"/a?b=c&%6Awt=secret&d=e":      "/a?b=c&d=e",
		"/a?jwt=secret&jwt=secret&b=c": "/a?b=c",
		// What the login page would refuse is not offered.
		"//evil.com":                         "",
		"//evil.com/x?jwt=secret":            "",
		"/\\evil.com":                        "",
		"/a/../b":                            "",
		"/%2f/evil.com":                      "",
		"https://evil.com/":                  "",
		"https://app.example.com/":           "",
		"*":                                  "",
		"":                                   "",
		"/a?\x00":                            "",
		"/" + strings.Repeat("a", maxReturn): "", // the login URL must fit into a request
		"/a?" + strings.Repeat("&", 3000):    "", // also escaped
	} {
		w := refuse(t, g, "/rewritten", original, acceptHTML)
		want := "https://app.example.com/auth/login"
		if next != "" {
			want += "?next=" + url.QueryEscape(next)
		}
		if got := w.Header().Get("Location"); w.Code != 302 || got != want {
			t.Errorf("%q: %q; expected %q", original, got, want)
		}
	}
}

// Rulings 17, 23 and S16: another loopback name is sent on to the canonical
// one; a foreign host gets the 401 page, since a browser there could not come
// back signed in. Neither writes a URL.
func TestLoginOnOtherHosts(t *testing.T) {
	for _, tt := range []struct {
		site, host string
		location   string // "" means a page
	}{
		{"https://app.example.com", "app.example.com", "https://app.example.com/auth/login?next=%2Fa"},
		{"https://app.example.com", "APP.EXAMPLE.COM:443", "https://app.example.com/auth/login?next=%2Fa"},
		{"https://app.example.com", "other.example.com", ""},
		{"https://app.example.com", "evil.com", ""},
		{"https://app.example.com", "app.example.com.evil.com", ""},
		{"https://app.example.com", "app.example.com:8443", ""},
		{"https://app.example.com", "localhost", ""},
		{"https://app.example.com", "", ""},
		{"http://localhost:8080", "localhost:8080", "http://localhost:8080/auth/login?next=%2Fa"},
		{"http://localhost:8080", "127.0.0.1:8080", "http://localhost:8080/auth/login?next=%2Fa"},
		{"http://localhost:8080", "[::1]:8080", "http://localhost:8080/auth/login?next=%2Fa"},
		{"http://localhost:8080", "127.0.0.1:9090", ""},
		{"http://localhost:8080", "evil.com:8080", ""},
	} {
		g := newHouseAt(t, tt.site).gate(login)
		w := refuseRequest(t, g, "GET", tt.host, "/a", "/a", acceptHTML, "X-Forwarded-Host: evil.com")
		if got := w.Header().Get("Location"); got != tt.location || (w.Code == 302) != (tt.location != "") {
			t.Errorf("%s at %s: %d to %q; expected %q", tt.host, tt.site, w.Code, got, tt.location)
		}
		if tt.location == "" && (w.Code != 401 || !strings.Contains(w.Body.String(), " "+tt.site+"/auth/login") || strings.Contains(w.Body.String(), "next=")) {
			t.Errorf("%s at %s: %d %q", tt.host, tt.site, w.Code, w.Body)
		}
		// A program learns the same.
		w = refuseRequest(t, g, "GET", tt.host, "/a", "/a")
		var problem struct {
			LoginURL string `json:"login_url"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil {
			t.Fatal(err)
		}
		want := tt.location
		if want == "" {
			want = tt.site + "/auth/login"
		}
		if problem.LoginURL != want || strings.Contains(w.Body.String(), "evil") {
			t.Errorf("%s at %s: login_url %q; expected %q", tt.host, tt.site, problem.LoginURL, want)
		}
	}
}

// Ruling 28: 401 and 403 can be read by pages of allowed origins, and by no
// other's (S32).
func TestRefuseCORS(t *testing.T) {
	g := newHouse(t).gate(readRule)
	for credential, status := range map[string]int{"": 401, "our-ended": 401, "our-bob": 403} {
		for origin, allowed := range map[string]string{"https://frontend.example.com": "https://frontend.example.com", "https://evil.com": "", "null": ""} {
			w := refuse(t, g, "/", "/", "Auth-Token: "+credential, "Origin: "+origin, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors")
			if got := w.Header().Get("Access-Control-Allow-Origin"); w.Code != status || got != allowed {
				t.Errorf("%q from %s: %d, allowed %q", credential, origin, w.Code, got)
			}
			if vary := strings.Join(w.Header()["Vary"], ", "); !strings.Contains(vary, "Origin") {
				t.Errorf("%q from %s: Vary is %q", credential, origin, vary)
			}
		}
	}
}

// Ruling 28.
func TestRefusePreflight(t *testing.T) {
	g := newHouse(t).gate(readRule)
	for origin, status := range map[string]int{"https://frontend.example.com": 200, "https://evil.com": 403, "null": 403} {
		w := refuseRequest(t, g, "OPTIONS", "app.example.com", "/a", "/a", "Origin: "+origin, "Access-Control-Request-Method: PUT")
		if w.Code != status || w.Body.Len() > 0 || w.Header().Get("Location") != "" || (w.Header().Get("Access-Control-Allow-Headers") != "") != (status == 200) {
			t.Errorf("%s: %d %v", origin, w.Code, w.Header())
		}
	}
}

// Ruling 31, RFC 9110 section 15.5.6.
func TestRefuseConnect(t *testing.T) {
	w := refuseRequest(t, newHouse(t).gate(identify), "CONNECT", "internal:22", "/", "")
	if w.Code != 405 || !strings.Contains(w.Body.String(), "405 Method Not Allowed") || strings.Contains(w.Header().Get("Allow"), "CONNECT") || !strings.Contains(w.Header().Get("Allow"), "GET") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

// Without pages everybody gets JSON.
func TestRefuseWithoutPages(t *testing.T) {
	h := newHouse(t)
	h.Page = nil
	w := refuse(t, h.gate(readRule), "/", "/", acceptHTML, asBob)
	if w.Code != 403 || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// What is filled in for one request does not show in the next one's refusal.
func TestCompleteLeavesTheSharedRefusal(t *testing.T) {
	g := newHouse(t).gate(login)
	r := newRequest("GET", "/a")
	p := admit(r, new(State), g)
	full := g.Complete(p, r, new(State), "/a", "request-1")
	if full.RequestID != "request-1" || full.LoginURL == "" || full.Next != "/a" || full.Account != "" {
		t.Errorf("%+v", full)
	}
	if p.RequestID != "" || p.LoginURL != "" || p.Next != "" || notSignedIn.LoginURL != "" {
		t.Errorf("%+v", p)
	}
}
