package wire

import (
	"net/http"
	"testing"
)

// fetchMetadata are the three headers that browsers have sent since 2020
// (Safari since 2023).
func fetchMetadata(site, mode, dest string) []string {
	return []string{"Sec-Fetch-Site: " + site, "Sec-Fetch-Mode: " + mode, "Sec-Fetch-Dest: " + dest}
}

const (
	acceptChromium = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
	acceptFirefox  = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	acceptIE       = "Accept: text/html, application/xhtml+xml, image/jxr, */*"
	acceptAny      = "Accept: */*"
	upgrade        = "Upgrade: websocket"
)

// What browsers and programs really send, and what follows from it: the form
// of a refusal, and whether the session cookie is a credential (S32, S33).
var clients = []struct {
	name    string
	method  string
	headers []string
	client  Client
	cookie  bool // CookieCounts
	same    bool // SameOrigin
}{
	// Browsers on their way to a page.
	{"address bar", "GET", append(fetchMetadata("none", "navigate", "document"), acceptChromium, "Sec-Fetch-User: ?1"), Navigation, true, true},
	{"HEAD of a page", "HEAD", fetchMetadata("none", "navigate", "document"), Navigation, true, true},
	{"link on our page", "GET", append(fetchMetadata("same-origin", "navigate", "document"), acceptFirefox), Navigation, true, true},
	{"link on a sibling's page", "GET", append(fetchMetadata("same-site", "navigate", "document"), acceptFirefox), Navigation, true, false},
	{"link in a mail or on a foreign page", "GET", append(fetchMetadata("cross-site", "navigate", "document"), acceptChromium), Navigation, true, false},
	{"browser without fetch metadata", "GET", []string{acceptFirefox}, Navigation, true, true},
	{"Internet Explorer", "GET", []string{acceptIE}, Navigation, true, true},
	{"XHTML alone", "GET", []string{"Accept: application/xhtml+xml"}, Navigation, true, true},

	// Browsers that show the answer, but cannot be sent to sign in and back.
	{"form post of ours", "POST", append(fetchMetadata("same-origin", "navigate", "document"), acceptChromium, "Origin: https://app.example.com"), Page, true, true},
	{"form post of a foreign page", "POST", append(fetchMetadata("cross-site", "navigate", "document"), acceptChromium, "Origin: https://evil.com"), Page, false, false},
	{"form post of a sibling", "POST", append(fetchMetadata("same-site", "navigate", "document"), "Origin: https://evil.example.com"), Page, false, false},
	{"form post of a sandboxed page", "POST", append(fetchMetadata("cross-site", "navigate", "document"), "Origin: null"), Page, false, false},
	{"iframe of ours", "GET", append(fetchMetadata("same-origin", "navigate", "iframe"), acceptChromium), Page, true, true},
	{"foreign page's iframe", "GET", append(fetchMetadata("cross-site", "navigate", "iframe"), acceptChromium), Page, false, false},
	{"sibling's iframe", "GET", append(fetchMetadata("same-site", "navigate", "iframe"), acceptChromium), Page, true, false},
	{"old name of that", "GET", fetchMetadata("same-origin", "nested-navigate", "iframe"), Page, true, true},
	{"frame", "GET", fetchMetadata("same-origin", "navigate", "frame"), Page, true, true},
	{"embed", "GET", fetchMetadata("same-origin", "navigate", "embed"), Page, true, true},
	{"object", "GET", fetchMetadata("same-origin", "navigate", "object"), Page, true, true},
	{"form post without fetch metadata", "POST", []string{acceptFirefox, "Origin: https://app.example.com"}, Page, true, true},
	{"foreign form post without fetch metadata", "POST", []string{acceptFirefox, "Origin: https://evil.com"}, Page, false, false},

	// Scripts and parts of pages.
	{"fetch of ours", "GET", append(fetchMetadata("same-origin", "cors", "empty"), acceptAny), Program, true, true},
	{"fetch of ours that wants HTML", "GET", append(fetchMetadata("same-origin", "cors", "empty"), "Accept: text/html"), Program, true, true},
	{"fetch of a foreign page", "GET", append(fetchMetadata("cross-site", "cors", "empty"), acceptAny, "Origin: https://evil.com"), Program, false, false},
	{"no-cors fetch of a foreign page", "GET", append(fetchMetadata("cross-site", "no-cors", "empty"), acceptAny), Program, false, false},
	{"no-cors POST of a foreign page", "POST", append(fetchMetadata("cross-site", "no-cors", "empty"), "Origin: https://evil.com"), Program, false, false},
	{"fetch of a sibling's page", "GET", append(fetchMetadata("same-site", "cors", "empty"), "Origin: https://frontend.example.com"), Program, false, false},
	{"POST by fetch of ours", "POST", append(fetchMetadata("same-origin", "cors", "empty"), "Origin: https://app.example.com"), Program, true, true},
	{"image on a foreign page", "GET", append(fetchMetadata("cross-site", "no-cors", "image"), "Accept: image/avif,image/webp,*/*;q=0.8"), Program, false, false},
	{"script on a foreign page", "GET", append(fetchMetadata("cross-site", "no-cors", "script"), acceptAny), Program, false, false},
	{"image on our page", "GET", fetchMetadata("same-origin", "no-cors", "image"), Program, true, true},
	{"EventSource of ours", "GET", append(fetchMetadata("same-origin", "cors", "empty"), "Accept: text/event-stream"), Program, true, true},
	{"EventSource of a foreign page", "GET", append(fetchMetadata("cross-site", "cors", "empty"), "Accept: text/event-stream", "Origin: https://evil.com"), Program, false, false},
	{"EventSource without fetch metadata", "GET", []string{"Accept: text/event-stream"}, Program, true, true},
	{"WebSocket of ours", "GET", append(fetchMetadata("same-origin", "websocket", "empty"), upgrade, "Origin: https://app.example.com"), Program, true, true},
	{"WebSocket of ours without fetch metadata", "GET", []string{upgrade, "Origin: https://app.example.com"}, Program, true, true},
	// Cross-site WebSocket hijacking: the handshake is a GET without preflight,
	// and the page may read what comes.
	{"WebSocket of a foreign page", "GET", []string{upgrade, "Origin: https://evil.com"}, Program, false, false},
	{"the same with fetch metadata", "GET", append(fetchMetadata("cross-site", "websocket", "websocket"), upgrade, "Origin: https://evil.com"), Program, false, false},
	{"WebSocket of a sandboxed page", "GET", []string{upgrade, "Origin: null"}, Program, false, false},
	{"upgrade that says it navigates", "GET", append(fetchMetadata("cross-site", "navigate", "document"), upgrade), Program, false, false},
	{"XMLHttpRequest that wants HTML", "GET", []string{acceptFirefox, "X-Requested-With: XMLHttpRequest"}, Program, true, true},
	{"preflight", "OPTIONS", append(fetchMetadata("cross-site", "cors", "empty"), "Origin: https://evil.com", "Access-Control-Request-Method: GET"), Program, false, false},

	// Programs.
	{"curl", "GET", []string{acceptAny, "User-Agent: curl/8.5.0"}, Program, true, true},
	{"curl that posts", "POST", []string{acceptAny}, Program, true, true},
	{"nothing at all", "GET", nil, Program, true, true},
	{"Go client", "GET", []string{"User-Agent: Go-http-client/1.1", "Accept-Encoding: gzip"}, Program, true, true},
	{"JSON client", "GET", []string{"Accept: application/json, text/plain, */*"}, Program, true, true},
	{"client that refuses HTML", "GET", []string{"Accept: application/json, text/html;q=0"}, Program, true, true},
	{"client that refuses HTML at length", "GET", []string{"Accept: text/html; charset=utf-8; Q=0.000"}, Program, true, true},
	{"client that hardly wants HTML", "GET", []string{"Accept: application/json, text/html;q=0.001"}, Navigation, true, true},
	{"HTML in a second line of Accept", "GET", []string{"Accept: image/png", "Accept: TEXT/HTML"}, Navigation, true, true},
	{"something like HTML", "GET", []string{"Accept: text/htmlx, x/text/html"}, Program, true, true},
	{"unknown method", "BREW", []string{acceptFirefox}, Page, true, true},
}

func TestClientOf(t *testing.T) {
	for _, tt := range clients {
		if got := ClientOf(newRequest(tt.method, "/", tt.headers...)); got != tt.client {
			t.Errorf("%s is a client of kind %d; expected %d", tt.name, got, tt.client)
		}
	}
}

// S32, S33: nothing that another origin's page fetches or posts may ride on a
// cookie.
func TestCookieCounts(t *testing.T) {
	site := newSite(t, "https://app.example.com")
	for _, tt := range clients {
		r := newRequest(tt.method, "/", tt.headers...)
		if got := site.CookieCounts(r); got != tt.cookie {
			t.Errorf("%s: CookieCounts is %t", tt.name, got)
		}
		if got := site.SameOrigin(r); got != tt.same {
			t.Errorf("%s: SameOrigin is %t", tt.name, got)
		}
	}
}

// S33: where fetch metadata is missing, Origin decides, and it must be exactly
// ours.
func TestSameOriginByOrigin(t *testing.T) {
	tests := []struct {
		site, host string
		// same and foreign are values of Origin.
		same, foreign []string
	}{
		{
			"https://app.example.com", "app.example.com",
			[]string{"https://app.example.com", "https://APP.example.com"},
			[]string{
				"null", "", "https://evil.com", "https://app.example.com.evil.com", "https://xapp.example.com", "https://example.com",
				"https://app.example.com:8443", "app.example.com", "//app.example.com", "file://", "https://", "chrome-extension://app.example.com",
				// Whoever sits between can write a page of http://app.example.com.
				"http://app.example.com",
				"https://app.example.com, https://evil.com", "https://evil.com https://app.example.com",
			},
		},
		{"https://app.example.com:8443", "app.example.com:8443", []string{"https://app.example.com:8443"}, []string{"https://app.example.com", "http://app.example.com:8443"}},
		{"http://localhost:8080", "localhost:8080", []string{"http://localhost:8080"}, []string{"http://localhost:3000", "http://127.0.0.1:8080", "http://localhost", "https://localhost:8080"}},
		{"http://127.0.0.1:8080", "127.0.0.1:8080", []string{"http://127.0.0.1:8080"}, []string{"http://localhost:8080"}},
		{"http://[::1]:8080", "[::1]:8080", []string{"http://[::1]:8080"}, []string{"http://[::1]", "http://localhost:8080"}},
		{"http://[::1]", "[::1]", []string{"http://[::1]"}, nil},
		{"https://localhost:8443", "localhost:8443", []string{"https://localhost:8443"}, []string{"http://localhost:8443"}},
		// A gate on another host (ruling 23).
		{"https://app.example.com", "other.example.com", []string{"https://other.example.com"}, []string{"https://app.example.com", "http://other.example.com"}},
		{"https://app.example.com", "localhost:8080", nil, []string{"http://localhost:8080"}},
		{"http://localhost:8080", "app.example.com", nil, []string{"http://app.example.com", "https://app.example.com"}},
		{"https://app.example.com", "", nil, []string{"https://", "http://", "null"}},
	}
	for _, tt := range tests {
		judge := func(origins ...string) bool {
			r := newRequest("POST", "/")
			r.Host = tt.host
			r.Header["Origin"] = origins
			return newSite(t, tt.site).SameOrigin(r)
		}
		for _, origin := range tt.same {
			if !judge(origin) {
				t.Errorf("%s: %q is not of the same origin", tt.host, origin)
			}
			if judge(origin, origin) || judge(origin, "https://evil.com") {
				t.Errorf("%s: two lines of Origin pass", tt.host)
			}
		}
		for _, origin := range tt.foreign {
			if judge(origin) {
				t.Errorf("%s: %q passes for the same origin", tt.host, origin)
			}
		}
	}
}

// Fetch metadata that no browser sends is no proof of anything.
func TestSameOriginByOddMetadata(t *testing.T) {
	for _, lines := range [][]string{{""}, {"Same-Origin"}, {"same-origin "}, {"same-origin, cross-site"}, {"same-origin", "cross-site"}, {"cross-site", "same-origin"}, {"x"}} {
		r := newRequest("POST", "/")
		r.Header["Sec-Fetch-Site"] = lines
		if newSite(t, "https://app.example.com").SameOrigin(r) {
			t.Errorf("%q passes for the same origin", lines)
		}
	}
}

// S33: who says "same-origin" and names another origin is believed in neither.
// Our own forms, on pages without a referrer, have "null".
func TestSameOriginByHeadersThatDisagree(t *testing.T) {
	for _, site := range []string{"same-origin", "none"} {
		for origin, same := range map[string]bool{
			"https://app.example.com": true, "null": true,
			"https://evil.com": false, "http://app.example.com": false, "https://app.example.com:8443": false, "": false, "chrome-extension://abc": false,
		} {
			r := newRequest("POST", "/", "Sec-Fetch-Site: "+site, "Origin: "+origin)
			if newSite(t, "https://app.example.com").SameOrigin(r) != same {
				t.Errorf("%s with Origin %q: same origin is %t", site, origin, !same)
			}
			r.Header.Add("Origin", origin)
			if newSite(t, "https://app.example.com").SameOrigin(r) {
				t.Errorf("%s with two lines of Origin %q passes for the same origin", site, origin)
			}
		}
	}
}

// S33: a page that is gone to by GET may know who looks; what changes something
// must come from our own pages.
func TestCookieCountsByMethod(t *testing.T) {
	for method, counts := range map[string]bool{
		"GET": true, "HEAD": true, "POST": false, "PUT": false, "PATCH": false, "DELETE": false, "OPTIONS": false, "TRACE": false, "BREW": false, "get": false,
	} {
		r := newRequest(http.MethodGet, "/", fetchMetadata("cross-site", "navigate", "document")...)
		r.Method = method
		if newSite(t, "https://app.example.com").CookieCounts(r) != counts {
			t.Errorf("%s: CookieCounts is %t", method, !counts)
		}
	}
}
