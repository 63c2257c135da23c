package caddymodule_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// authPaths are all addresses below /auth, and some that are none.
var authPaths = []string{
	"/auth/check", "/auth/check?next=x&callback=evil", "/auth/authorize?service=storage", "/auth/authorize", "/auth/update", "/auth/resolve?username=ada", "/auth/get_profile?username=ada",
	"/auth/resolve?username=nobody", "/auth/get_profile?username=nobody", "/auth/public-key", "/auth/jwks.json", "/auth/login", "/auth/login?next=https%3A%2F%2Fevil.example", "/auth/login/dev",
	"/auth/login/dev?next=%2F%2Fevil.example", "/auth/login/nobody", "/auth/oauth_callback", "/auth/oauth_callback?state=x&code=y", "/auth/oauth_callback/dev?state=x&code=y", "/auth/oauth_callback/nobody",
	"/auth/logout", "/auth/signed-out", "/auth/account", "/auth/style.css", "/auth/nothing", "/auth/", "/auth/../auth/check", "/auth/%2e%2e/check", "/auth/check/", "/auth//check", "/auth/Check", "/auth/check%00",
}

// public are those that anybody may keep for a while (S34, ruling 30).
func isPublic(path string) bool {
	return slices.Contains([]string{"/auth/public-key", "/auth/jwks.json", "/auth/style.css"}, path)
}

// S34, S35, S44, S31: every answer below /auth, to whomever and whatever the
// method: not kept, not sniffed, not framed, no script; errors say nothing of
// what is inside; cookies are as they must be.
func TestEveryOwnAnswer(t *testing.T) {
	g, _ := sessionGateway(t, "")
	ada := signIn(t, g, "ada")
	inner := regexp.MustCompile(`goroutine |\.go:[0-9]+|/home/|/tmp/|SELECT |sqlite|gorm|127\.0\.0\.1:[0-9]{4}|panic`)
	for _, path := range authPaths {
		for _, method := range []string{"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "get"} {
			for _, accept := range []string{"text/html", "application/json", "*/*"} {
				for _, credential := range [][]string{nil, {"Cookie", "auth_session=" + ada.Cookie}, {"Cookie", "auth_session=forged"}, {"Auth-Token", "forged"}} {
					if path == "/auth/logout" && method == "POST" {
						continue // it may end the session
					}
					what := method + " " + path + " " + accept + " " + strings.Join(credential, " ")[:min(20, len(strings.Join(credential, " ")))]
					answer := raw(t, g, lines(append([]string{
						method + " " + path + " HTTP/1.1", "Host: " + strings.TrimPrefix(g.URL, "http://"), "Accept: " + accept, "Connection: close", "Content-Length: 0",
					}, credentialLine(credential)...)...))
					h := answer.Header
					if answer.Status == 0 || answer.Status >= 500 {
						t.Errorf("%s: got %d %s", what, answer.Status, answer.Body)
						continue
					}
					cache := h.Get("Cache-Control")
					if public := isPublic(path) && answer.Status == http.StatusOK && strings.HasPrefix(cache, "public"); cache != "no-store" && !public {
						t.Errorf("%s: Cache-Control %q", what, cache)
					}
					if h.Get("X-Content-Type-Options") != "nosniff" {
						t.Errorf("%s: X-Content-Type-Options %q", what, h.Get("X-Content-Type-Options"))
					}
					if policy := h.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
						t.Errorf("%s: Content-Security-Policy %q", what, policy)
					}
					if answer.Body != "" && !slices.ContainsFunc([]string{"text/html", "application/json", "application/problem+json", "text/css"}, func(kind string) bool { return strings.HasPrefix(h.Get("Content-Type"), kind) }) {
						t.Errorf("%s: Content-Type %q", what, h.Get("Content-Type"))
					}
					if answer.Status >= 400 && inner.MatchString(answer.Body) {
						t.Errorf("%s: %s", what, answer.Body)
					}
					if (answer.Status == http.StatusUnauthorized) != (h.Get("WWW-Authenticate") != "") {
						t.Errorf("%s: %d with WWW-Authenticate %q", what, answer.Status, h.Get("WWW-Authenticate"))
					}
					for _, line := range h["Set-Cookie"] {
						if !strings.Contains(line, "; Path=/;") || !strings.Contains(line, "HttpOnly") || !strings.Contains(line, "SameSite=Lax") || strings.Contains(line, "Domain") {
							t.Errorf("%s: Set-Cookie %q", what, line)
						}
					}
				}
			}
		}
	}
}

func credentialLine(credential []string) []string {
	if credential == nil {
		return nil
	}
	return []string{credential[0] + ": " + credential[1]}
}

// fromElsewhere are what a browser says of requests that a page of another
// origin makes it send.
var fromElsewhere = map[string][]string{
	"another site":              {"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example", "Sec-Fetch-Mode", "cors"},
	"another site's form":       {"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"},
	"sibling":                   {"Sec-Fetch-Site", "same-site", "Origin", "https://sibling.localhost", "Sec-Fetch-Mode", "cors"},
	"sandboxed frame":           {"Sec-Fetch-Site", "cross-site", "Origin", "null", "Sec-Fetch-Mode", "cors"},
	"old browser":               {"Origin", "https://evil.example"},
	"old browser, sandboxed":    {"Origin", "null"},
	"our host, another port":    {"Origin", "http://localhost:1"},
	"our host in front":         {"Origin", "http://localhost.evil.example"},
	"two origins":               {"Origin", "https://evil.example", "Origin", "http://localhost"},
	"two headers that disagree": {"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Site", "same-origin"},
	"no CORS":                   {"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"},
}

// S32, S33: a page of another origin learns nothing by the visitor's cookie, and
// changes nothing, with whatever method.
func TestNothingRidesOnTheCookie(t *testing.T) {
	g, upstream := sessionGateway(t, "")
	ada := hold(t, g, "ada")
	before := call(t, g, "/auth/check", "Auth-Token", ada.Token).Body
	for name, headers := range fromElsewhere {
		headers = append([]string{"Cookie", "auth_session=" + ada.Cookie}, headers...)
		for _, path := range []string{"/auth/check", "/auth/authorize?service=storage", "/auth/check?callback=evil", "/auth/check?jsonp=evil"} {
			answer := call(t, g, path, headers...)
			if strings.Contains(answer.Body, "ada") || strings.Contains(answer.Body, "token") || strings.HasPrefix(answer.Body, "evil") {
				t.Errorf("%s: %s says %s", name, path, answer.Body)
			}
			allowed := answer.Header.Get("Access-Control-Allow-Origin")
			if allowed != "" && allowed != "http://localhost:1" && allowed != "http://localhost" { // loopback is on the list
				t.Errorf("%s: %s may be read by %s", name, path, allowed)
			}
		}
		for _, path := range authPaths {
			path, _, _ = strings.Cut(path, "?")
			for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
				body := url.Values{"username": {"evil"}, "all": {"1"}, "next": {"/page"}, "name": {"evil"}}.Encode()
				answer := gatewaytest.NewBrowser(t).Do(method, g.URL+path, strings.NewReader(body), header(append(headers, "Content-Type", "application/x-www-form-urlencoded")...))
				if len(answer.Header["Set-Cookie"]) > 0 {
					t.Errorf("%s: %s %s sets %q", name, method, path, answer.Header["Set-Cookie"])
				}
			}
		}
	}
	ada.want(t, g, upstream, true)
	if after := call(t, g, "/auth/check", "Auth-Token", ada.Token).Body; after != before {
		t.Errorf("Ada was %s and is %s", before, after)
	}
}

// S33: what only looks changes nothing, also from our own origin: links are
// followed by previews, prefetching and whoever sends one.
func TestReadingChangesNothing(t *testing.T) {
	g, upstream := sessionGateway(t, "")
	ada := hold(t, g, "ada")
	fields := form(t, ada.Browser, g.URL+"/auth/logout")
	query := "?all=1&username=evil&form_token=" + url.QueryEscape(fields.Get("form_token")) + "&jwt=" + ada.Token
	before := call(t, g, "/auth/check", "Auth-Token", ada.Token).Body
	for _, path := range []string{"/auth/logout", "/auth/update", "/auth/account", "/auth/signed-out", "/auth/login", "/auth/authorize", "/auth/check"} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions} {
			for _, headers := range [][]string{{"Sec-Fetch-Site", "same-origin"}, {"X-Http-Method-Override", "POST"}, {"Sec-Purpose", "prefetch"}} {
				ada.Do(method, g.URL+path+query, nil, header(headers...))
			}
		}
	}
	ada.want(t, g, upstream, true)
	if after := call(t, g, "/auth/check", "Auth-Token", ada.Token).Body; after != before {
		t.Errorf("Ada was %s and is %s", before, after)
	}
	// HEAD does not even begin a sign-in.
	b := gatewaytest.NewBrowser(t)
	if answer := b.Do(http.MethodHead, g.URL+"/auth/login/dev?next=%2Fpage", nil, nil); answer.Status != http.StatusOK || answer.Location != "" || len(answer.Header["Set-Cookie"]) > 0 {
		t.Errorf("HEAD: got %d to %s with %v", answer.Status, answer.Location, answer.Header["Set-Cookie"])
	}
}

// S30: update takes a token and never the cookie, and reads one member alone.
func TestUpdateFromOutside(t *testing.T) {
	g, _ := sessionGateway(t, "")
	ada := signIn(t, g, "ada")
	site := []string{"Sec-Fetch-Site", "same-origin", "Origin", g.URL, "Content-Type", "application/x-www-form-urlencoded"}
	for name, c := range map[string]struct {
		headers []string
		body    string
		want    string
	}{
		"cookie":              {nil, "username=evil", `{"error":"No token","success":false}`},
		"cookie, empty token": {[]string{"Auth-Token", ""}, "username=evil", `{"error":"No token","success":false}`},
		"cookie as a token":   {[]string{"Auth-Token", ada.Cookie}, "username=evil", `{"error":"Not authenticated","success":false}`},
		"cookie in the form":  {nil, "username=evil&jwt=" + ada.Cookie, `{"error":"Not authenticated","success":false}`},
		"Bearer":              {[]string{"Authorization", "Bearer " + ada.Token}, "username=evil", `{"error":"No token","success":false}`},
		"two tokens":          {[]string{"Auth-Token", ada.Token, "Auth-Token", "x"}, "username=evil", `{"error":"Not authenticated","success":false}`},
		"other members":       {[]string{"Auth-Token", ada.Token}, "email=evil%40example.com&name=Evil&id=1&provider_id=x&join_date=2000", `{"success":true}`},
	} {
		answer := ada.Do(http.MethodPost, g.URL+"/auth/update", strings.NewReader(c.body), header(append(slices.Clone(site), c.headers...)...))
		if answer.Status != http.StatusOK || answer.Body != c.want {
			t.Errorf("%s: got %d %s", name, answer.Status, answer.Body)
		}
	}
	check := call(t, g, "/auth/check", "Auth-Token", ada.Token).Body
	if strings.Contains(strings.ToLower(check), "evil") || !strings.Contains(check, `"email":"ada@example.com"`) {
		t.Errorf("Ada is %s", check)
	}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		answer := ada.Do(method, g.URL+"/auth/update?username=evil", nil, header("Auth-Token", ada.Token))
		if answer.Status != http.StatusMethodNotAllowed {
			t.Errorf("%s: got %d", method, answer.Status)
		}
	}
	huge := ada.Do(http.MethodPost, g.URL+"/auth/update", strings.NewReader("username=evil&x="+strings.Repeat("a", 64<<10)), header("Auth-Token", ada.Token, "Content-Type", "application/x-www-form-urlencoded"))
	if huge.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("64 KiB: got %d %s", huge.Status, huge.Body)
	}
}

// S36: who is looked up by strangers has no address, and whoever is not there
// looks like whoever is not shown.
func TestEnumeration(t *testing.T) {
	g, _ := sessionGateway(t, "")
	signIn(t, g, "ada")
	for _, username := range []string{"ada", "ADA", "ada@example.com", "nobody", "", "%00", "ada%00", "' OR 1=1 --", "%", "_da", "a*"} {
		for _, path := range []string{"/auth/resolve", "/auth/get_profile"} {
			answer := call(t, g, path+"?username="+url.QueryEscape(username))
			if answer.Status != http.StatusOK || strings.Contains(answer.Body, "@") {
				t.Errorf("%s %q: %d %s", path, username, answer.Status, answer.Body)
			}
			if found := !strings.Contains(answer.Body, `"found":false`) && !strings.Contains(answer.Body, `{"userid":null}`); found != strings.EqualFold(username, "ada") {
				t.Errorf("%s %q: %s", path, username, answer.Body)
			}
		}
	}
}
