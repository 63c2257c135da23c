package caddymodule_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// endpoints is everything that is served, and some of what is not.
var endpoints = []string{
	"/auth", "/auth/", "/auth/check", "/auth/authorize", "/auth/authorize?service=storage", "/auth/public-key", "/auth/jwks.json",
	"/auth/login", "/auth/login/dev", "/auth/login/dev?next=%2Fpage&deliver=jwt", "/auth/login/dev/authorize", "/auth/login/dev/", "/auth/login/nobody",
	"/auth/login?next=https%3A%2F%2Fevil.example", "/auth/oauth_callback", "/auth/oauth_callback?state=a&code=b", "/auth/oauth_callback/dev?error=%3Cb%3E&state=a",
	"/auth/oauth_callback/nobody", "/auth/logout", "/auth/signed-out", "/auth/account", "/auth/style.css", "/auth/update", "/auth/resolve?username=ada",
	"/auth/get_profile?username=ada", "/auth/nothing", "/auth/health/live", "/auth/check/", "/auth/%63heck", "/auth/CHECK", "//auth/check", "/auth//check", "/auth/../page", "/auth/%00",
	"/auth/%2e%2e/page", "/auth/check?%zz", "/auth/check?jwt=%ff%00&jwt=b",
	"/user", "/user/", "/user/check?jwt=a", "/user/authorize?service=storage", "/user/public-key", "/user/lib", "/user/update", "/user/nothing", "/oauth/google_callback?state=a",
}

// public may be kept by anybody (ruling 30).
var public = []string{"/auth/public-key", "/auth/jwks.json", "/auth/style.css", "/user/public-key", "/user/lib"}

// open are called by the pages of other origins.
var open = []string{"check", "authorize", "public-key", "jwks.json", "update", "resolve", "get_profile", "logout", "lib"}

// S16, S34, S35, S39, S44: every endpoint, with every method, for every kind of
// client, signed in or not. Nothing fails; nothing is cached, sniffed, framed or
// built from what the request says of its host.
func TestEveryAnswer(t *testing.T) {
	g := gatewaytest.Start(t, gatewaytest.Config{
		Auth: "login dev\nos_conductor\nrate_limits off\nallow_next https://app.example.com\nservice storage static {\neveryone read\n}",
		Site: "auth_api\nrespond nothing 404",
	})
	ada := signIn(t, g, "ada")
	clients := map[string][]string{
		"program":     {"Accept", "*/*"},
		"browser":     {"Accept", "text/html", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "none"},
		"page":        {"Accept", "application/json", "Origin", "https://app.example.com", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Site", "cross-site"},
		"foreign":     {"Accept", "*/*", "Origin", "https://evil.example", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Site", "cross-site"},
		"token":       {"Auth-Token", ada.Token},
		"cookie":      {"Cookie", "auth_session=" + ada.Cookie, "Accept", "text/html"},
		"bad token":   {"Auth-Token", "eyJhbGciOiJub25lIn0.e30.x"},
		"two cookies": {"Cookie", "auth_session=a; auth_session=b"},
		"forwarded": {
			"X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "https", "X-Forwarded-Prefix", "/evil", "Forwarded", "host=evil.example",
			"X-Original-Url", "/evil", "X-Host", "evil.example", "Accept", "text/html",
		},
	}
	for _, endpoint := range endpoints {
		for _, method := range []string{
			http.MethodGet, http.MethodPost, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodTrace, "PROPFIND",
		} {
			if method == http.MethodPost && strings.Contains(endpoint, "logout") {
				continue // it would end ada's session; logout_test.go has it
			}
			for who, headers := range clients {
				head := []string{method + " " + endpoint + " HTTP/1.1", "Host: " + strings.TrimPrefix(g.URL, "http://"), "Connection: close", "Content-Length: 0"}
				for i := 0; i < len(headers); i += 2 {
					head = append(head, headers[i]+": "+headers[i+1])
				}
				answer := raw(t, g, lines(head...))
				wantOwnAnswer(t, method+" "+endpoint+" by "+who, method, endpoint, answer)
				for _, origin := range answer.Header["Access-Control-Allow-Origin"] {
					if origin != "https://app.example.com" || who != "page" { // S32
						t.Errorf("%s %s by %s may be read by %s", method, endpoint, who, origin)
					}
				}
			}
		}
		// S16: under a name that is not ours, nothing but the public key.
		answer := raw(t, g, lines("GET "+endpoint+" HTTP/1.1", "Host: evil.example", "Connection: close"))
		if answer.Status == http.StatusOK && answer.Body != "" && !strings.Contains(endpoint, "public-key") && !strings.Contains(endpoint, "jwks") {
			t.Errorf("%s for another host: %d %.200s", endpoint, answer.Status, answer.Body)
		}
	}
}

func wantOwnAnswer(t *testing.T, what, method, endpoint string, answer gatewaytest.Answer) {
	t.Helper()
	h := answer.Header
	path, _, _ := strings.Cut(endpoint, "?")
	switch {
	case answer.Status == 0 || answer.Status >= 500:
		t.Errorf("%s: %d %.300s", what, answer.Status, answer.Body)
		return
	case answer.Body == "nothing":
		return // the path is none of ours
	}
	cache := h.Get("Cache-Control")
	if isPublic := slices.Contains(public, path) && (method == http.MethodGet || method == http.MethodHead); isPublic != (cache != "no-store") || isPublic && !strings.HasPrefix(cache, "public") {
		t.Errorf("%s: Cache-Control is %q", what, cache)
	}
	if policy := h.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Errorf("%s: Content-Security-Policy is %q", what, policy)
	}
	if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("%s: the headers are %v", what, h)
	}
	if answer.Body != "" && h.Get("Content-Type") == "" {
		t.Errorf("%s: the type is %q", what, h.Get("Content-Type"))
	}
	name := path[strings.LastIndexByte(path, '/')+1:]
	// What nobody may keep matters only to the page that asked.
	matters := strings.Contains(what, "by page") || strings.Contains(what, "by foreign") || strings.HasPrefix(cache, "public")
	if matters && slices.Contains(open, name) && strings.Count(path, "/") == 2 && !strings.Contains(strings.Join(h["Vary"], ", "), "Origin") {
		t.Errorf("%s: Vary is %q", what, h["Vary"])
	}
	if strings.Contains(strings.ReplaceAll(answer.Location, "next="+url.QueryEscape("https://evil.example"), "")+h.Get("Set-Cookie"), "evil") || strings.Contains(answer.Body, "//evil.example/") {
		t.Errorf("%s: leads elsewhere: %q %.300s", what, answer.Location, answer.Body)
	}
	for _, inner := range []string{"goroutine ", "sqlite", "SELECT ", ".go:"} {
		if strings.Contains(answer.Body, inner) { // S44
			t.Errorf("%s: the answer tells %q", what, inner)
		}
	}
}
