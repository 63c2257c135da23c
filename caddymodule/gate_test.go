package caddymodule_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// gates is a gateway with gates of all kinds before an upstream.
func gates(t *testing.T) (*gatewaytest.Gateway, *gatewaytest.Upstream) {
	t.Helper()
	upstream := gatewaytest.NewUpstream(t)
	g := gatewaytest.Start(t, gatewaytest.Config{
		Auth: `login dev
			rate_limits off
			allow_next https://frontend.example.com
			service storage static {
				user ada@example.com read write
				user bob@example.com read
			}
			service reports static {
				user ada@example.com see
			}`,
		Site: strings.ReplaceAll(`auth_api
			handle /login/* {
				require_login
				reverse_proxy UPSTREAM
			}
			handle /permission/* {
				require_permission storage write
				reverse_proxy UPSTREAM
			}
			handle /any/* {
				require_permission storage {
					any admin write
				}
				reverse_proxy UPSTREAM
			}
			handle /both/* {
				require_permission storage read write
				reverse_proxy UPSTREAM
			}
			handle /named/* {
				require_permission storage {http.request.header.X-Wanted}
				reverse_proxy UPSTREAM
			}
			handle /stack/* {
				require_permission storage read {
					forward_token
				}
				@deeper path /stack/deeper/*
				require_permission @deeper storage write {
					forward_token
				}
				reverse_proxy UPSTREAM
			}
			handle /login-last/* {
				route {
					require_permission storage read {
						forward_token
					}
					require_login
					reverse_proxy UPSTREAM
				}
			}
			handle /services/* {
				route {
					identify
					require_permission storage read {
						forward_token
					}
					require_permission reports see
					reverse_proxy UPSTREAM
				}
			}
			handle /query/* {
				require_permission storage read {
					query_token
				}
				reverse_proxy UPSTREAM
			}
			handle /lenient/* {
				require_login {
					paths lenient
				}
				reverse_proxy UPSTREAM
			}
			handle /preflight/* {
				require_login {
					preflight pass
				}
				reverse_proxy UPSTREAM
			}
			handle /open/* {
				identify
				reverse_proxy UPSTREAM
			}
			handle {
				respond 404
			}`, "UPSTREAM", upstream.Address()),
	})
	return g, upstream
}

// S10: nothing about a request but a credential opens a gate.
func TestNothingElseOpensAGate(t *testing.T) {
	g, upstream := gates(t)
	for _, method := range []string{
		"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "PURGE", "LOCK", "QUERY", "BREW", "get", "GeT", "X",
		strings.Repeat("M", 32),
	} {
		for _, path := range []string{"/login/x", "/permission/x", "/stack/deeper/x", "/query/x", "/lenient/x", "/preflight/x"} {
			answer := raw(t, g, lines(method+" "+path+" HTTP/1.1", "Host: "+strings.TrimPrefix(g.URL, "http://"), "Content-Length: 0"))
			if method == "HEAD" {
				if answer.Status != http.StatusUnauthorized || answer.Body != "" {
					t.Errorf("HEAD %s: got %d %q", path, answer.Status, answer.Body)
				}
				continue
			}
			if p := wantProblem(t, answer, http.StatusUnauthorized, "not_signed_in"); p.LoginURL != g.URL+"/auth/login?next="+url.QueryEscape(path) {
				t.Errorf("%s %s: the login URL is %s", method, path, p.LoginURL)
			}
			if got := answer.Header.Get("WWW-Authenticate"); got != `Bearer realm="auth"` { // S44, RFC 6750 section 3
				t.Errorf("%s %s: WWW-Authenticate is %q", method, path, got)
			}
		}
	}
	token := signIn(t, g, "ada").Token
	for name, c := range map[string]struct {
		query   string
		headers []string
	}{
		"crawler":            {"", []string{"User-Agent", "Googlebot/2.1"}},
		"probe":              {"", []string{"User-Agent", "kube-probe/1.30", "X-Health-Check", "1"}},
		"referer":            {"", []string{"Referer", g.URL + "/auth/account"}},
		"origin":             {"", []string{"Origin", g.URL}},
		"local":              {"", []string{"X-Forwarded-For", "127.0.0.1", "X-Real-Ip", "127.0.0.1"}},
		"query":              {"?public=1&user=ada&X-Auth-User-Id=1", nil},
		"token in the query": {"?jwt=" + token, nil},
		"access_token":       {"?access_token=" + token, nil},
		"another scheme":     {"", []string{"Authorization", "Token " + token}},
		"basic":              {"", []string{"Authorization", "Basic YWRhOg=="}},
		"another header":     {"", []string{"X-Auth", token}},
		"another cookie":     {"", []string{"Cookie", "jwt=" + token + "; auth_sessions=1; Auth_Session=1; __Host-auth_session=1"}},
		"empty credentials":  {"", []string{"Authorization", "Bearer ", "Auth-Token", "", "Cookie", "auth_session="}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/login/x", "/permission/x", "/any/x"} {
				wantProblem(t, call(t, g, path+c.query, c.headers...), http.StatusUnauthorized, "not_signed_in")
			}
		})
	}
	wantUnseen(t, upstream)
	if answer := call(t, g, "/elsewhere"); answer.Status != http.StatusNotFound {
		t.Errorf("the catch-all: got %d", answer.Status)
	}
}

// Whoever may, may by every method.
func TestMethodsGoThrough(t *testing.T) {
	g, upstream := gates(t)
	ada := signIn(t, g, "ada")
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "BREW"} {
		for _, credential := range [][]string{{"Auth-Token", ada.Token}, {"Authorization", "Bearer " + ada.Token}, {"Cookie", "auth_session=" + ada.Cookie}} {
			body := strings.NewReader("hello")
			if method == "TRACE" || method == "HEAD" || method == "GET" {
				body = strings.NewReader("")
			}
			answer := gatewaytest.NewBrowser(t).Do(method, g.URL+"/permission/x?a=1", body, header(credential...))
			if answer.Status != http.StatusOK || (method == "HEAD") != (answer.Body == "") {
				t.Errorf("%s: got %d %q", method, answer.Status, answer.Body)
			}
			if vary := strings.Join(answer.Header.Values("Vary"), ", "); vary != "Authorization, Cookie, Auth-Token" { // ruling 30
				t.Errorf("%s: Vary is %q", method, vary)
			}
			seen := wantSeen(t, upstream)
			if seen.Method != method || seen.Path != "/permission/x" || seen.Query != "a=1" || body.Size() > 0 && seen.Body != "hello" || seen.Header.Get("X-Auth-User-Id") != ada.ID {
				t.Errorf("%s: the upstream saw %+v", method, seen)
			}
		}
	}
}

// Ruling 26: which client gets which form of a refusal.
func TestFormsOfARefusal(t *testing.T) {
	g, upstream := gates(t)
	bob := signIn(t, g, "bob")
	const html = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for _, c := range []struct {
		name, method string
		headers      []string
		form         string
	}{
		{"address bar", "GET", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "none", "Accept", html}, "navigation"},
		{"link from elsewhere", "GET", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "cross-site", "Accept", html}, "navigation"},
		{"HEAD", "HEAD", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "none"}, "navigation"},
		{"old browser", "GET", []string{"Accept", html}, "navigation"},
		{"frame", "GET", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe", "Sec-Fetch-Site", "same-origin", "Accept", html}, "page"},
		{"form", "POST", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "same-origin", "Accept", html}, "page"},
		{"old form", "POST", []string{"Accept", html}, "page"},
		{"fetch", "GET", []string{"Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty", "Sec-Fetch-Site", "same-origin", "Accept", "*/*"}, "program"},
		{"fetch of HTML", "GET", []string{"Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty", "Sec-Fetch-Site", "same-origin", "Accept", html}, "program"},
		{"image", "GET", []string{"Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image", "Sec-Fetch-Site", "same-origin", "Accept", "image/*,*/*;q=0.8"}, "program"},
		{"XMLHttpRequest", "GET", []string{"Accept", html, "X-Requested-With", "XMLHttpRequest"}, "program"},
		{"curl", "GET", []string{"Accept", "*/*"}, "program"},
		{"no Accept", "GET", nil, "program"},
		{"HTML refused", "GET", []string{"Accept", "text/html;q=0, application/json"}, "program"},
		{"JSON", "GET", []string{"Accept", "application/json"}, "program"},
		{"WebSocket", "GET", []string{"Accept", html, "Connection", "Upgrade", "Upgrade", "websocket"}, "program"},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer := gatewaytest.NewBrowser(t).Do(c.method, g.URL+"/permission/x?a=1&b=%2F", nil, header(c.headers...))
			login := g.URL + "/auth/login?next=" + url.QueryEscape("/permission/x?a=1&b=%2F")
			switch c.form {
			case "navigation":
				if answer.Status != http.StatusFound || answer.Location != login || answer.Header.Get("WWW-Authenticate") != "" {
					t.Errorf("got %d to %s", answer.Status, answer.Location)
				}
			case "page":
				if answer.Status != http.StatusUnauthorized || answer.Location != "" || !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") || !strings.Contains(answer.Body, "not_signed_in") {
					t.Errorf("got %d to %s:\n%s", answer.Status, answer.Location, answer.Body)
				}
			case "program":
				if p := wantProblem(t, answer, http.StatusUnauthorized, "not_signed_in"); p.LoginURL != login || p.Type != "about:blank" || p.Title != "Unauthorized" || p.RequestID == "" || p.Service != "" || p.Missing != nil {
					t.Errorf("got %+v", p)
				}
			}
			if vary := strings.Join(answer.Header.Values("Vary"), ", "); !strings.Contains(vary, "Authorization, Cookie, Auth-Token, Accept, Sec-Fetch-Mode, Sec-Fetch-Dest") { // S34
				t.Errorf("Vary is %q", vary)
			}
			if answer.Header.Get("Cache-Control") != "no-store" || answer.Header.Get("X-Content-Type-Options") != "nosniff" && c.form != "navigation" {
				t.Errorf("the refusal has %v", answer.Header)
			}

			// Signed in, but not permitted: never to the login page, which would lead
			// back here.
			answer = gatewaytest.NewBrowser(t).Do(c.method, g.URL+"/permission/x", nil, header(append(c.headers, "Auth-Token", bob.Token)...))
			if c.form == "program" {
				if p := wantProblem(t, answer, http.StatusForbidden, "permission_missing"); p.Service != "storage" || !slices.Equal(p.Missing, []string{"write"}) || p.LoginURL != "" {
					t.Errorf("got %+v", p)
				}
				return
			}
			if answer.Status != http.StatusForbidden || answer.Location != "" || c.method != "HEAD" && (!strings.Contains(answer.Body, "permission_missing") || !strings.Contains(answer.Body, "write")) {
				t.Errorf("got %d to %s:\n%s", answer.Status, answer.Location, answer.Body)
			}
		})
	}
	// A dead credential is told from none.
	for cookie, code := range map[string]string{"auth_session=" + strings.Repeat("A", 43): "session_ended", "other=1": "not_signed_in"} {
		answer := call(t, g, "/login/x", "Cookie", cookie)
		wantProblem(t, answer, http.StatusUnauthorized, code)
		if got, shown := answer.Header.Get("WWW-Authenticate"), code == "session_ended"; strings.Contains(got, `error="invalid_token"`) != shown {
			t.Errorf("%s: WWW-Authenticate is %q", code, got)
		}
		if answer := gatewaytest.NewBrowser(t).Do("GET", g.URL+"/login/x", nil, header("Cookie", cookie, "Accept", html)); answer.Status != http.StatusFound {
			t.Errorf("%s: a browser got %d", code, answer.Status)
		}
	}
	wantUnseen(t, upstream)
}

// Which permissions are asked for.
func TestPermissions(t *testing.T) {
	g, upstream := gates(t)
	ada, bob, eve := signIn(t, g, "ada"), signIn(t, g, "bob"), signIn(t, g, "eve")
	for _, c := range []struct {
		who     person
		path    string
		missing []string // nil: let through
		headers []string
	}{
		{ada, "/permission/x", nil, nil},
		{bob, "/permission/x", []string{"write"}, nil},
		{eve, "/permission/x", []string{"write"}, nil},
		{ada, "/any/x", nil, nil},
		{bob, "/any/x", []string{"admin", "write"}, nil},
		{ada, "/both/x", nil, nil},
		{bob, "/both/x", []string{"write"}, nil},
		{eve, "/both/x", []string{"read", "write"}, nil},
		{ada, "/named/x", nil, []string{"X-Wanted", "write"}},
		{bob, "/named/x", []string{"write"}, []string{"X-Wanted", "write"}},
		{ada, "/named/x", []string{"{env.PATH}"}, []string{"X-Wanted", "{env.PATH}"}},
		{ada, "/stack/x", nil, nil},
		{bob, "/stack/x", nil, nil},
		{eve, "/stack/x", []string{"read"}, nil},
		{ada, "/stack/deeper/x", nil, nil},
		{bob, "/stack/deeper/x", []string{"write"}, nil},
		{ada, "/services/x", nil, nil},
		{bob, "/services/x", []string{"see"}, nil},
		{eve, "/services/x", []string{"read"}, nil},
		{bob, "/login-last/x", nil, nil},
		{eve, "/login-last/x", []string{"read"}, nil},
		{eve, "/login/x", nil, nil},
	} {
		answer := call(t, g, c.path, append(c.headers, "Auth-Token", c.who.Token)...)
		if c.missing == nil {
			if seen := upstream.Take(); answer.Status != http.StatusOK || len(seen) != 1 || seen[0].Header.Get("X-Auth-User-Id") != c.who.ID {
				t.Errorf("%s: got %d %s", c.path, answer.Status, answer.Body)
			}
			continue
		}
		if p := wantProblem(t, answer, http.StatusForbidden, "permission_missing"); !slices.Equal(p.Missing, c.missing) {
			t.Errorf("%s: %v is missing, expected %v", c.path, p.Missing, c.missing)
		}
		wantUnseen(t, upstream)
	}
	// Ruling 22: a permission that expands to nothing is nobody's.
	wantProblem(t, call(t, g, "/named/x", "Auth-Token", ada.Token), http.StatusInternalServerError, "internal")
	wantUnseen(t, upstream)
}

// Rulings 6 and 8: of several gates the last one's headers stand, and nothing
// of the earlier ones'.
func TestStackedGates(t *testing.T) {
	g, upstream := gates(t)
	ada := signIn(t, g, "ada")
	plain := []string{"x-auth-email", "x-auth-name", "x-auth-user-id", "x-auth-username"}
	for _, c := range []struct {
		path, service, permissions string
		token                      bool
	}{
		{"/stack/x", "storage", `{"read":true,"write":true}`, true},
		{"/stack/deeper/x", "storage", `{"read":true,"write":true}`, true},
		{"/services/x", "reports", `{"see":true}`, false},
		{"/login-last/x", "", "", false},
		{"/login/x", "", "", false},
		{"/open/x", "", "", false},
	} {
		for _, attack := range [][]string{nil, {"X-Auth-Service", "mallory", "X-Auth-Token", "mallory", "Connection", "X-Auth-Service, X-Auth-Token"}} {
			if answer := call(t, g, c.path, append(attack, "Auth-Token", ada.Token)...); answer.Status != http.StatusOK {
				t.Fatalf("%s: got %d %s", c.path, answer.Status, answer.Body)
			}
			found := identity(wantSeen(t, upstream))
			want := slices.Clone(plain)
			if c.service != "" {
				want = append(want, "x-auth-permissions", "x-auth-service")
			}
			if c.token {
				want = append(want, "x-auth-token")
				if _, claims := decoded(t, found["x-auth-token"][0]); claims["service"] != c.service || claims["use"] != "upstream" {
					t.Errorf("%s: the upstream got the token %v", c.path, claims)
				}
			}
			if names := slices.Sorted(maps.Keys(found)); !slices.Equal(names, slices.Sorted(slices.Values(want))) {
				t.Errorf("%s: the upstream saw %v", c.path, found)
			}
			for name, values := range found {
				if len(values) != 1 {
					t.Errorf("%s: %s has the values %q", c.path, name, values)
				}
			}
			if c.service != "" && (found["x-auth-service"][0] != c.service || found["x-auth-permissions"][0] != c.permissions) {
				t.Errorf("%s: the upstream saw %v", c.path, found)
			}
		}
	}
}
