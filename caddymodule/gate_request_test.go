package caddymodule_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// Ruling 7: identify turns nobody away but for what is ambiguous.
func TestIdentify(t *testing.T) {
	g, upstream := gates(t)
	ada, bob := signIn(t, g, "ada"), signIn(t, g, "bob")
	permission := permissionToken(t, g, ada.Token, "storage")
	for _, c := range []struct {
		name    string
		headers []string
		who     string
	}{
		{"nobody", nil, ""},
		{"token", []string{"Auth-Token", ada.Token}, ada.ID},
		{"cookie", []string{"Cookie", "auth_session=" + ada.Cookie}, ada.ID},
		{"permission token", []string{"Auth-Token", permission}, ""}, // ruling 8
		{"forged token", []string{"Auth-Token", ada.Token[:len(ada.Token)-4] + "AAAA"}, ""},
		{"text", []string{"Auth-Token", "undefined"}, ""},
		{"dead cookie", []string{"Cookie", "auth_session=" + strings.Repeat("A", 43)}, ""},
		{"cookie of another site's page", []string{"Cookie", "auth_session=" + ada.Cookie, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors"}, ""}, // S32
	} {
		t.Run(c.name, func(t *testing.T) {
			if answer := call(t, g, "/open/x", c.headers...); answer.Status != http.StatusOK {
				t.Fatalf("got %d %s", answer.Status, answer.Body)
			}
			seen := wantSeen(t, upstream)
			if seen.Header.Get("X-Auth-User-Id") != c.who || c.who == "" && len(identity(seen)) > 0 {
				t.Errorf("the upstream saw %v", identity(seen))
			}
		})
	}
	// S9: two readers might see two people.
	for name, headers := range map[string][]string{
		"two tokens":             {"Auth-Token", ada.Token, "Auth-Token", bob.Token},
		"the same token twice":   {"Auth-Token", ada.Token, "Auth-Token", ada.Token},
		"header and Bearer":      {"Auth-Token", ada.Token, "Authorization", "Bearer " + bob.Token},
		"token and cookie":       {"Auth-Token", ada.Token, "Cookie", "auth_session=" + bob.Cookie},
		"Bearer and cookie":      {"Authorization", "Bearer " + ada.Token, "Cookie", "auth_session=" + bob.Cookie},
		"Bearer twice":           {"Authorization", "Bearer " + ada.Token, "Authorization", "Bearer " + bob.Token},
		"Bearer and Basic":       {"Authorization", "Basic YTpi", "Authorization", "Bearer " + ada.Token},
		"session and permission": {"Auth-Token", bob.Token, "Authorization", "Bearer " + permission},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/open/x", "/login/x", "/permission/x"} {
				wantProblem(t, call(t, g, path, headers...), http.StatusBadRequest, "ambiguous_credentials")
			}
			wantUnseen(t, upstream)
		})
	}
	// A token and the cookie of the same session are no contradiction.
	if answer := call(t, g, "/open/x", "Auth-Token", ada.Token, "Cookie", "auth_session="+ada.Cookie); answer.Status != http.StatusOK {
		t.Errorf("token and cookie of one session: got %d %s", answer.Status, answer.Body)
	}
	if seen := wantSeen(t, upstream); seen.Header.Get("X-Auth-User-Id") != ada.ID {
		t.Errorf("the upstream saw %v", identity(seen))
	}
}

// Ruling 28, S32: preflights carry no credential and say nothing; the refusals
// behind them can be read by the pages of allowed origins.
func TestCrossOriginCalls(t *testing.T) {
	g, upstream := gates(t)
	ada := signIn(t, g, "ada")
	preflight := func(path, origin string) gatewaytest.Answer {
		return gatewaytest.NewBrowser(t).Do(http.MethodOptions, g.URL+path, nil, header(
			"Origin", origin, "Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "auth-token"))
	}
	for origin, allowed := range map[string]bool{
		"https://frontend.example.com": true, g.URL: true, "http://localhost:3000": true, "http://127.0.0.1:5173": true,
		"http://frontend.example.com": false, "https://evil.example": false, "https://frontend.example.com.evil.example": false,
		"https://frontend.example.com:8443": false, "null": false, "https://FRONTEND.example.com": false, "https://frontend.example.com/": false,
		"*": false, "https://localhost:3000": false, "chrome-extension://x": false,
	} {
		t.Run(origin, func(t *testing.T) {
			want := ""
			if allowed {
				want = origin
			}
			check := func(what string, answer gatewaytest.Answer, status int) {
				t.Helper()
				h := answer.Header
				if answer.Status != status || h.Get("Access-Control-Allow-Origin") != want || (h.Get("Access-Control-Allow-Credentials") == "true") != allowed {
					t.Errorf("%s: got %d, allowed for %q with credentials %q", what, answer.Status, h.Get("Access-Control-Allow-Origin"), h.Get("Access-Control-Allow-Credentials"))
				}
				if vary := strings.Join(h.Values("Vary"), ", "); !strings.Contains(vary, "Origin") {
					t.Errorf("%s: Vary is %q", what, vary)
				}
			}
			status := http.StatusForbidden
			if allowed {
				status = http.StatusOK
			}
			for _, path := range []string{"/login/x", "/permission/x"} {
				answer := preflight(path, origin)
				check("preflight", answer, status)
				if got := answer.Header.Get("Access-Control-Allow-Headers"); allowed && got != "Auth-Token, Authorization, Content-Type, X-Requested-With" || !allowed && got != "" {
					t.Errorf("preflight: the headers are %q", got)
				}
				check("401", call(t, g, path, "Origin", origin), http.StatusUnauthorized)
				// A cookie is no credential for a page of another origin.
				if origin != g.URL {
					check("cookie", call(t, g, path, "Origin", origin, "Cookie", "auth_session="+ada.Cookie), http.StatusUnauthorized)
				}
			}
			// Nor at the API (ruling 4), which a token opens from anywhere.
			if origin != g.URL {
				for path, want := range map[string]string{"/auth/check": `"authenticated":false`, "/auth/authorize?service=storage": `{"permissions":{}}`} {
					answer := call(t, g, path, "Origin", origin, "Cookie", "auth_session="+ada.Cookie)
					if check(path, answer, http.StatusOK); !strings.Contains(answer.Body, want) {
						t.Errorf("%s: got %s", path, answer.Body)
					}
					answer = call(t, g, path, "Origin", origin, "Auth-Token", ada.Token)
					if check(path, answer, http.StatusOK); strings.Contains(answer.Body, want) {
						t.Errorf("%s with a token: got %s", path, answer.Body)
					}
				}
			}
			eve := signIn(t, g, "eve")
			check("403", call(t, g, "/permission/x", "Origin", origin, "Auth-Token", eve.Token), http.StatusForbidden)
			wantUnseen(t, upstream)

			// The answers of the upstream are its own affair.
			if answer := call(t, g, "/login/x", "Origin", origin, "Auth-Token", ada.Token); answer.Status != http.StatusOK || answer.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("got %d with %v", answer.Status, answer.Header)
			}
			wantSeen(t, upstream)
			// "preflight pass", and the open route, hand preflights on, as nobody's.
			for _, path := range []string{"/preflight/x", "/open/x"} {
				if answer := preflight(path, origin); answer.Status != http.StatusOK {
					t.Errorf("%s: got %d", path, answer.Status)
				}
				if seen := wantSeen(t, upstream); seen.Method != http.MethodOptions || len(identity(seen)) > 0 {
					t.Errorf("%s: the upstream saw %s with %v", path, seen.Method, identity(seen))
				}
			}
		})
	}
	// What only looks like a preflight is none.
	for _, headers := range [][]string{{"Origin", "https://frontend.example.com"}, {"Access-Control-Request-Method", "PUT"}} {
		for _, path := range []string{"/login/x", "/preflight/x"} {
			answer := gatewaytest.NewBrowser(t).Do(http.MethodOptions, g.URL+path, nil, header(headers...))
			wantProblem(t, answer, http.StatusUnauthorized, "not_signed_in")
		}
	}
	answer := gatewaytest.NewBrowser(t).Do(http.MethodGet, g.URL+"/preflight/x", nil, header("Origin", "https://frontend.example.com", "Access-Control-Request-Method", "PUT"))
	wantProblem(t, answer, http.StatusUnauthorized, "not_signed_in")
	wantUnseen(t, upstream)
}

// Ruling 5, S9: a token in the query counts where that is switched on, and goes
// no further.
func TestQueryToken(t *testing.T) {
	g, upstream := gates(t)
	ada, bob := signIn(t, g, "ada"), signIn(t, g, "bob")
	for query, want := range map[string]string{
		"?jwt=" + ada.Token:                      "",
		"?a=1&jwt=" + ada.Token + "&b=%2F+&c":    "a=1&b=%2F+&c",
		"?%6Awt=" + ada.Token + "&a=1":           "a=1",
		"?jwtx=1&jwt=" + ada.Token + "&xjwt=2&a": "jwtx=1&xjwt=2&a",
	} {
		if answer := call(t, g, "/query/x"+query); answer.Status != http.StatusOK {
			t.Errorf("%s: got %d %s", query, answer.Status, answer.Body)
		}
		if seen := wantSeen(t, upstream); seen.Query != want || seen.Header.Get("X-Auth-User-Id") != ada.ID {
			t.Errorf("the upstream saw %q of %q", seen.Query, seen.Header.Get("X-Auth-User-Id"))
		}
		wantProblem(t, call(t, g, "/login/x"+query), http.StatusUnauthorized, "not_signed_in")
	}
	for name, c := range map[string]struct{ query, header string }{
		"twice":              {"?jwt=" + ada.Token + "&jwt=" + ada.Token, ""},
		"twice, encoded":     {"?jwt=" + ada.Token + "&%6a%77%74=" + bob.Token, ""},
		"against the header": {"?jwt=" + ada.Token, bob.Token},
	} {
		t.Run(name, func(t *testing.T) {
			wantProblem(t, call(t, g, "/query/x"+c.query, "Auth-Token", c.header), http.StatusBadRequest, "ambiguous_credentials")
			wantUnseen(t, upstream)
		})
	}
	// Also a dead one is not carried on into the login URL (S41).
	forged := ada.Token[:len(ada.Token)-4] + "AAAA"
	p := wantProblem(t, call(t, g, "/query/x?a=1&jwt="+forged), http.StatusUnauthorized, "token_invalid")
	if want := g.URL + "/auth/login?next=" + url.QueryEscape("/query/x?a=1"); p.LoginURL != want {
		t.Errorf("the login URL is %s", p.LoginURL)
	}
	wantUnseen(t, upstream)
}

// S11, ruling 24: the path that is judged is the path that is forwarded.
func TestPaths(t *testing.T) {
	g, upstream := gates(t)
	ada := signIn(t, g, "ada")
	host, token := "Host: "+strings.TrimPrefix(g.URL, "http://"), "Auth-Token: "+ada.Token
	for _, c := range []struct {
		path    string
		lenient bool // lets it through
	}{
		{"x%2Fy", true},
		{"x%2fy", true},
		{"x//y", true},
		{"x/", true},
		{"x;a=b", true},
		{"x%3By", true},
		{"x%3Fy", true},
		{"x%23y", true},
		{"x%20", true},
		{"x./y", true},
		{"x%25", true},
		{"x/...", true},
		{"x%5Cy", false},
		{`x\y`, false},
		{"x%255Cy", false},
		{"x%252Fy", false},
		{"x%c0%afy", false},
		{"x/../y", false},
		{"x/..", false},
		{"./x", false},
		{"x/.", false},
		{"%2e%2e/x", false},
		{"x/%2E%2E/y", false},
		{"x/.%2e/y", false},
		{"..;/x", false},
		{"x/..;a=b/y", false},
		{"x%00", false},
		{"x%0d%0aX-Auth-User-Id:%20mallory", false},
		{"x%7f", false},
		{"x%2F..%2Fy", false},
		{`x\..\y`, false},
		{"x%5c..%5cy", false},
	} {
		t.Run(c.path, func(t *testing.T) {
			for _, route := range []string{"/login/", "/permission/", "/open/"} {
				if c.path == "x/" {
					continue // strict enough
				}
				answer := raw(t, g, lines("GET "+route+c.path+" HTTP/1.1", host, token))
				if answer.Status != http.StatusBadRequest && answer.Status != http.StatusNotFound { // 404: not below the route any more
					t.Errorf("%s: got %d %s", route, answer.Status, answer.Body)
				}
				wantUnseen(t, upstream)
			}
			answer := raw(t, g, lines("GET /lenient/"+c.path+" HTTP/1.1", host, token))
			if !c.lenient {
				if answer.Status != http.StatusBadRequest && answer.Status != http.StatusNotFound {
					t.Errorf("lenient: got %d %s", answer.Status, answer.Body)
				}
				wantUnseen(t, upstream)
				return
			}
			if answer.Status != http.StatusOK {
				t.Fatalf("lenient: got %d %s", answer.Status, answer.Body)
			}
			if seen := wantSeen(t, upstream); seen.Path != "/lenient/"+c.path {
				t.Errorf("the upstream saw %s", seen.Path)
			}
		})
	}
	for _, path := range []string{"/login/", "/login/a.b..c/~x", "/login/Z%C3%BCrich", "/login/a%20b", "/login/a:b@c", "/login/a,b=c&d+e"} {
		if answer := raw(t, g, lines("GET "+path+" HTTP/1.1", host, token)); answer.Status != http.StatusOK {
			t.Fatalf("%s: got %d %s", path, answer.Status, answer.Body)
		}
		if seen := wantSeen(t, upstream); seen.Path != path {
			t.Errorf("%s: the upstream saw %s", path, seen.Path)
		}
	}
	wantProblem(t, raw(t, g, lines("GET /login/x%2Fy HTTP/1.1", host, token)), http.StatusBadRequest, "bad_path")
}
