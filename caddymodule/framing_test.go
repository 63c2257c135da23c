package caddymodule_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// S11, S13: what Content-Length and Transfer-Encoding say of a body decides
// where the next request begins. The one in the body must never be taken for
// a request that has been judged.
func TestFraming(t *testing.T) {
	h := newHouse(t)
	inner := lines("GET /open/smuggled HTTP/1.1", h.host(), "X-Auth-User-Id: mallory")
	for name, c := range map[string]struct {
		head   []string
		body   string
		status int // 0: any refusal
	}{
		"two lengths":                 {[]string{"Content-Length: 0", "Content-Length: 5"}, inner, 400},
		"two lengths in one":          {[]string{"Content-Length: 0, 5"}, inner, 400},
		"signed length":               {[]string{"Content-Length: +5"}, "hello" + inner, 400},
		"negative length":             {[]string{"Content-Length: -1"}, inner, 400},
		"hexadecimal length":          {[]string{"Content-Length: 0x5"}, "hello" + inner, 400},
		"blank within the length":     {[]string{"Content-Length: 1 0"}, inner, 400},
		"empty length":                {[]string{"Content-Length:"}, inner, 0},
		"huge length":                 {[]string{"Content-Length: 18446744073709551616"}, inner, 400},
		"space before the colon":      {[]string{"Content-Length : 5"}, "hello" + inner, 400},
		"chunked, space before colon": {[]string{"Transfer-Encoding : chunked"}, "0\r\n\r\n" + inner, 400},
		"unknown coding":              {[]string{"Transfer-Encoding: xchunked"}, "0\r\n\r\n" + inner, 0},
		"identity":                    {[]string{"Transfer-Encoding: identity"}, inner, 0},
		"chunked, identity":           {[]string{"Transfer-Encoding: chunked, identity"}, "0\r\n\r\n" + inner, 0},
		"gzip, chunked":               {[]string{"Transfer-Encoding: gzip, chunked"}, "0\r\n\r\n" + inner, 0},
		"chunked twice":               {[]string{"Transfer-Encoding: chunked", "Transfer-Encoding: chunked"}, "0\r\n\r\n" + inner, 0},
		"chunked, then another":       {[]string{"Transfer-Encoding: chunked", "Transfer-Encoding: cow"}, "0\r\n\r\n" + inner, 0},
		"quoted":                      {[]string{`Transfer-Encoding: "chunked"`}, "0\r\n\r\n" + inner, 0},
		"vertical tab":                {[]string{"Transfer-Encoding: \x0bchunked"}, "0\r\n\r\n" + inner, 0},
		"empty coding":                {[]string{"Transfer-Encoding:"}, inner, 0},
		"folded coding":               {[]string{"Transfer-Encoding:", " cow"}, "0\r\n\r\n" + inner, 0},
		"chunk size with a sign":      {[]string{"Transfer-Encoding: chunked"}, "+0\r\n\r\n" + inner, 0},
		"chunk size in another base":  {[]string{"Transfer-Encoding: chunked"}, "0x0\r\n\r\n" + inner, 0},
		"negative chunk size":         {[]string{"Transfer-Encoding: chunked"}, "-1\r\n\r\n" + inner, 0},
		"huge chunk size":             {[]string{"Transfer-Encoding: chunked"}, "fffffffffffffffff\r\n" + inner, 0},
		"no chunk size":               {[]string{"Transfer-Encoding: chunked"}, "\r\n" + inner, 0},
		"bare line feed in a size":    {[]string{"Transfer-Encoding: chunked"}, "5\nhello\r\n0\r\n\r\n" + inner, 0},
		"bare return in a size":       {[]string{"Transfer-Encoding: chunked"}, "5;\rx\r\nhello\r\n0\r\n\r\n" + inner, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for _, route := range []string{h.login, h.open} {
				head := append([]string{"POST " + route + " HTTP/1.1", h.host(), h.cookie()}, c.head...)
				answers := rawAll(t, h.Gateway, lines(head...)+c.body, 3)
				for i, answer := range answers {
					if answer.Status < 400 {
						t.Errorf("%s: answer %d is %d %s", route, i+1, answer.Status, answer.Body)
					}
				}
				if len(answers) > 0 && c.status != 0 && answers[0].Status != c.status {
					t.Errorf("%s: got %d, expected %d", route, answers[0].Status, c.status)
				}
				// The head of a request may go on before its body turns out bad.
				for _, seen := range h.upstream.Take() {
					if user := identity(seen)["x-auth-user-id"]; seen.Method != "POST" || !slices.Equal(user, []string{h.ada.ID}) {
						t.Errorf("the upstream saw %s %s of %q", seen.Method, seen.Path, user)
					}
				}
			}
		})
	}
	// RFC 9112 section 6.1: with both, chunked counts, and the length must not go
	// on. What follows, here and where Go goes on reading behind a broken chunk, is
	// a request of its own, judged by itself.
	for _, c := range []struct {
		head []string
		body string
	}{
		{[]string{"Content-Length: 100", "Transfer-Encoding: chunked"}, "5\r\nhello\r\n0\r\n\r\n"},
		{[]string{"Transfer-Encoding: chunked", "Content-Length: 3"}, "5\r\nhello\r\n0\r\n\r\n"},
		{[]string{"Transfer-Encoding: chunked"}, "5\r\nhello\n0\r\n\r\n"},
	} {
		rawAll(t, h.Gateway, lines(append([]string{"POST " + h.open + " HTTP/1.1", h.host(), h.cookie()}, c.head...)...)+c.body+inner, 3)
		for _, seen := range h.upstream.Take() {
			switch found := identity(seen); seen.Path {
			case h.open:
				if !strings.HasPrefix("hello", seen.Body) || seen.Header.Get("X-Auth-User-Id") != h.ada.ID || seen.Header.Get("Content-Length") != "" {
					t.Errorf("the upstream saw %q with %v", seen.Body, seen.Header)
				}
			default:
				if len(found) > 0 {
					t.Errorf("the upstream saw %s with %v", seen.Path, found)
				}
			}
		}
	}
}

// S17: an upgrade to HTTP/2 would open a connection in which nothing is judged
// any more.
func TestUpgradesToHTTP2(t *testing.T) {
	h := newHouse(t)
	settings := "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"
	for name, attack := range map[string][]string{
		"h2c":            {"Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", settings},
		"odd case":       {"Connection: UPGRADE, http2-settings", "Upgrade: H2C", settings},
		"one of several": {"Connection: Upgrade, HTTP2-Settings", "Upgrade: websocket, h2c", settings},
		"several lines":  {"Connection: Upgrade", "Connection: HTTP2-Settings", "Upgrade: websocket", "Upgrade: h2c", settings},
		"a draft":        {"Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c-14", settings},
		"HTTP/2.0":       {"Connection: Upgrade", "Upgrade: HTTP/2.0"},
		"TLS":            {"Connection: Upgrade", "Upgrade: TLS/1.3"},
		"no Connection":  {"Upgrade: h2c", settings},
		"with a blank":   {"Connection: Upgrade", "Upgrade:  \th2c ", settings},
	} {
		t.Run(name, func(t *testing.T) {
			for _, route := range h.routes() {
				answer := raw(t, h.Gateway, lines(append([]string{"GET " + route + " HTTP/1.1", h.host(), h.cookie()}, attack...)...))
				if answer.Status != 200 {
					t.Fatalf("%s: got %d", route, answer.Status)
				}
				seen := wantSeen(t, h.upstream)
				if up, settings := seen.Header["Upgrade"], seen.Header["Http2-Settings"]; len(up)+len(settings) > 0 {
					t.Errorf("the upstream saw Upgrade %q and HTTP2-Settings %q", up, settings)
				}
			}
			// Nor without a credential by way of the upgrade.
			answer := raw(t, h.Gateway, lines(append([]string{"GET " + h.login + " HTTP/1.1", h.host()}, attack...)...))
			wantProblem(t, answer, 401, "not_signed_in")
			wantUnseen(t, h.upstream)
		})
	}
}

// S13, S14, S17: over HTTP/2 names are in lower case, there is no Connection,
// and trailers have their own frame. Caddy speaks it in clear to clients that
// know beforehand (RFC 9113 section 3.3); each request is judged all the same.
func TestHTTP2(t *testing.T) {
	h := newHouse(t)
	send := func(method, route string, trailer http.Header, headers ...string) int {
		transport := &http.Transport{Protocols: new(http.Protocols)}
		transport.Protocols.SetUnencryptedHTTP2(true)
		defer transport.CloseIdleConnections()
		request, err := http.NewRequest(method, h.URL+route, struct{ io.Reader }{strings.NewReader("hello")})
		if err != nil {
			t.Fatal(err)
		}
		request.Header, request.Trailer = header(headers...), trailer
		response, err := transport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if response.ProtoMajor != 2 {
			t.Fatalf("the gateway answers with %s", response.Proto)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		return response.StatusCode
	}
	attack := []string{"x-auth-user-id", "mallory", "x_auth_email", "mallory", "x.auth.name", "mallory", "forward-token", "mallory", "http2-settings", "AAMAAABk"}
	trailer := func() http.Header {
		return header("X-Auth-User-Id", "mallory", "X_auth_email", "mallory", "Forward-Token", "mallory", "X-Checksum", "42")
	}
	for _, route := range h.routes() {
		for _, trailer := range []http.Header{nil, trailer()} {
			h.wantNobody(t, route, gatewaytest.Answer{Status: send(http.MethodPost, route, trailer, attack...)})
			if status := send(http.MethodPost, route, trailer, append(attack, "cookie", "theme=dark", "cookie", "auth_session="+h.ada.Cookie)...); status != 200 {
				t.Fatalf("%s: got %d", route, status)
			}
			h.wantAda(t, route)
		}
		if status := send(http.MethodConnect, route, nil, "auth-token", h.ada.Token); status < 400 {
			t.Errorf("CONNECT %s: got %d", route, status)
		}
		wantUnseen(t, h.upstream)
	}
}

// S11, S17: forms of the request line that make of the gateway a proxy for
// somewhere else, or let it judge another host or path than it forwards.
func TestRequestLines(t *testing.T) {
	h := newHouse(t)
	own := strings.TrimPrefix(h.URL, "http://")
	for name, line := range map[string]string{
		"CONNECT elsewhere":           "CONNECT evil.example:443",
		"CONNECT to ourselves":        "CONNECT " + own,
		"CONNECT to a path":           "CONNECT /login/page",
		"CONNECT to an open path":     "CONNECT /open/page",
		"foreign host":                "GET http://evil.example/login/page",
		"foreign host, open":          "GET http://evil.example/open/page",
		"upstream's host":             "GET " + h.upstream.URL + "/login/page",
		"user information":            "GET http://" + own + "@evil.example/login/page",
		"own host as user":            "GET http://user:password@evil.example/open/page",
		"two slashes":                 "GET //evil.example/open/page",
		"no path, foreign":            "GET http://evil.example",
		"backslashes":                 `GET http:\\evil.example\open`,
		"fragment":                    "GET /open/page#/login/page",
		"dot segments, absolute":      "GET http://" + own + "/open/../login/page",
		"encoded slash, absolute":     "GET http://" + own + "/open%2fpage",
		"no scheme":                   "GET " + own + "/login/page",
		"asterisk":                    "GET *",
		"empty":                       "GET ",
		"another scheme":              "GET file:///etc/passwd",
		"opaque":                      "GET mailto:ada",
		"a blank within":              "GET /open/page /login/page",
		"a newline, encoded":          "GET /open/page%0d%0aX-Auth-User-Id:%20mallory",
		"method with an odd byte":     "G\x00T /open/page",
		"method longer than sensible": strings.Repeat("G", 33) + " /open/page",
	} {
		t.Run(name, func(t *testing.T) {
			// Caddy answers for hosts that it has no site for with an empty 200.
			if answer := raw(t, h.Gateway, lines(line+" HTTP/1.1", h.host(), h.cookie())); answer.Status < 400 && answer.Body != "" {
				t.Errorf("got %d %s", answer.Status, answer.Body)
			}
			wantUnseen(t, h.upstream)
		})
	}
	// The own host in absolute form is the same request (RFC 9112 section 3.2.2),
	// and its Host line counts for nothing.
	for _, route := range h.routes() {
		for _, host := range []string{h.host(), "Host: evil.example"} {
			line := "GET http://" + own + route + " HTTP/1.1"
			if answer := raw(t, h.Gateway, lines(line, host, h.cookie())); answer.Status != 200 {
				t.Errorf("%s: got %d %s", line, answer.Status, answer.Body)
			}
			h.wantAda(t, route)
			h.wantNobody(t, route, raw(t, h.Gateway, lines(line, host, "X-Auth-User-Id: mallory")))
		}
	}
}

// S12, S15: claims to be another request, or to come from somewhere else,
// neither change the decision nor reach the upstream.
func TestOverrides(t *testing.T) {
	h := newHouse(t)
	attack := []string{
		"X-HTTP-Method-Override: OPTIONS", "X-HTTP-Method: OPTIONS", "X-Method-Override: OPTIONS",
		"X-Original-URL: /open/page", "X-Rewrite-URL: /open/page", "X-Original-URI: /open/page", "X-Original-Method: OPTIONS",
		"X-Forwarded-Uri: /open/page", "X-Forwarded-Method: OPTIONS", "X-Forwarded-Prefix: /open", "X-Forwarded-Path: /open/page",
		"X-Real-IP: 127.0.0.1", "Forwarded: for=127.0.0.1;host=evil.example", "X-Forwarded-Port: 443", "X-Forwarded-Server: evil.example",
		"X-Forwarded-For: 203.0.113.7", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https",
		"X-Client-IP: 127.0.0.1", "True-Client-IP: 127.0.0.1", "CF-Connecting-IP: 127.0.0.1", "X-Host: evil.example",
		"User-Agent: kube-probe/1.0", "Referer: " + h.URL + "/open/page",
	}
	answer := raw(t, h.Gateway, lines(append([]string{"GET " + h.login + " HTTP/1.1", h.host(), "Accept: text/html"}, attack...)...))
	if want := h.URL + "/auth/login?next=%2Flogin%2Fpage"; answer.Status != 302 || answer.Location != want {
		t.Errorf("got %d to %s, expected the login page for %s", answer.Status, answer.Location, h.login) // S16
	}
	wantUnseen(t, h.upstream)
	for _, route := range h.routes() {
		if answer := raw(t, h.Gateway, lines(append([]string{"GET " + route + " HTTP/1.1", h.host(), h.cookie()}, attack...)...)); answer.Status != 200 {
			t.Fatalf("%s: got %d", route, answer.Status)
		}
		for name, values := range wantSeen(t, h.upstream).Header {
			for _, line := range attack[:len(attack)-2] {
				sent, value, _ := strings.Cut(line, ": ")
				if !strings.EqualFold(name, sent) {
					continue
				}
				switch fold(name) {
				case "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto": // rewritten
					if values[0] == value {
						t.Errorf("the upstream saw the client's %s: %q", name, values)
					}
				default:
					t.Errorf("the upstream saw %s: %q", name, values)
				}
			}
		}
	}
}
