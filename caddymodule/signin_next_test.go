package caddymodule_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// S19: where a sign-in may end is judged before the provider is involved.
func TestHostileNext(t *testing.T) {
	g := signInGateway(t)
	host := strings.TrimPrefix(g.URL, "http://")
	for name, next := range map[string]string{
		"another site":              "https://evil.example/",
		"another site, http":        "http://evil.example/",
		"listed host, http":         "http://app.example.com/area",
		"listed host, other path":   "https://app.example.com/areas",
		"listed host, no path":      "https://app.example.com/",
		"listed host, path up":      "https://app.example.com/area/../other",
		"listed host, encoded up":   "https://app.example.com/area/%2e%2e/other",
		"listed host, encoded mix":  "https://app.example.com/area/.%2E/other",
		"listed host, parameters":   "https://app.example.com/area/..;/other",
		"listed host, other port":   "https://app.example.com:8443/area",
		"listed host as user":       "https://app.example.com@evil.example/area",
		"listed host, user":         "https://ada@app.example.com/area",
		"listed host in front":      "https://app.example.com.evil.example/area",
		"listed host behind":        "https://evilapp.example.com/area",
		"listed host as fragment":   "https://evil.example#https://app.example.com/area",
		"backslash in the host":     `https://evil.example\@app.example.com/area`,
		"backslash in the path":     `https://app.example.com/area\..\other`,
		"encoded host":              "https://app.example%2ecom/area",
		"trailing dot":              "https://app.example.com./area",
		"full-width dot":            "https://app\uff0eexample.com/area",
		"own host as user":          "http://" + host + "@evil.example/",
		"own host, https":           "https://" + host + "/",
		"own host in front":         "http://" + host + ".evil.example/",
		"another port's look-alike": "http://localhost:3000@evil.example/",
		"loopback, another number":  "http://0177.0.0.1/",
		"loopback as one number":    "http://2130706433/",
		"loopback's neighbour":      "http://127.0.0.1.nip.io/",
		"unspecified address":       "http://0.0.0.0:3000/",
		"scheme-relative":           "//evil.example/",
		"three slashes":             "///evil.example/",
		"slash backslash":           `/\evil.example/`,
		"backslashes":               `\\evil.example\`,
		"slash tab slash":           "/\t/evil.example/",
		"slash newline slash":       "/\n/evil.example/",
		"leading blank":             " https://app.example.com/area",
		"NUL":                       "https://app.example.com/area\x00",
		"newline, header":           "/page\r\nSet-Cookie: auth_session=mallory",
		"javascript":                "javascript:alert(1)",
		"javascript, host":          "javascript://app.example.com/%0aalert(1)",
		"data":                      "data:text/html,<script>alert(1)</script>",
		"no scheme":                 "evil.example",
		"single slash":              "https:/evil.example",
		"no slash":                  "https:evil.example",
		"ftp":                       "ftp://app.example.com/area",
		"path up":                   "/../evil",
		"encoded slash":             "/%2f/evil.example",
		"encoded backslash":         "/%5cevil.example",
		"double slash within":       "/page//evil.example",
		"non-ASCII":                 "/p\u00e4ge",
		"too long":                  "/" + strings.Repeat("a", 8001-len("%2F")),
		"too long, escaped":         "/" + strings.Repeat("/a", 2001),
	} {
		t.Run(name, func(t *testing.T) {
			b := gatewaytest.NewBrowser(t)
			for _, page := range []string{"/auth/login/dev", "/auth/login", "/auth/logout", "/auth/signed-out"} {
				answer := b.Navigate(g.URL + page + "?deliver=jwt&next=" + url.QueryEscape(next))
				if answer.Status != http.StatusBadRequest || answer.Location != "" || !strings.Contains(answer.Body, "bad_next") {
					t.Errorf("%s: got %d to %s:\n%s", page, answer.Status, answer.Location, answer.Body)
				}
				if strings.Contains(answer.Body, "<script>") || len(answer.Header["Set-Cookie"]) > 0 {
					t.Errorf("%s: the page has %v and\n%s", page, answer.Header["Set-Cookie"], answer.Body)
				}
			}
			// The API carries it as it came, and only to our own address (ruling 20).
			var check struct {
				Providers map[string]struct{ URL string }
			}
			parse(t, b.Fetch(g.URL+"/auth/check?next="+url.QueryEscape(next)), &check)
			if login := check.Providers["dev"].URL; !strings.HasPrefix(login, g.URL+"/auth/login/dev?") || b.Navigate(login).Status != http.StatusBadRequest {
				t.Errorf("check leads to %s", login)
			}
		})
	}
	t.Run("twice", func(t *testing.T) {
		b := gatewaytest.NewBrowser(t)
		answer := b.Navigate(g.URL + "/auth/login/dev?next=%2Fpage&next=%2Fpage")
		wantFailure(t, g, b, answer, http.StatusBadRequest, "bad_next")
	})
}

// S20: a session token is in the URL of an allowed application, once, where it
// was asked for, and nowhere else.
func TestDelivery(t *testing.T) {
	g := signInGateway(t)
	const placed = "\x00" // stands for the token
	for _, c := range []struct{ name, query, next, want string }{
		{"command-line tool", "deliver=jwt&", application, application + "?jwt=" + placed},
		{"without a path", "deliver=jwt&", "http://127.0.0.1:3000", "http://127.0.0.1:3000?jwt=" + placed},
		{"listed", "deliver=jwt&", "https://app.example.com/area/x", "https://app.example.com/area/x?jwt=" + placed},
		{"query and fragment stay", "deliver=jwt&", "https://app.example.com/area?b=2&a=1#top", "https://app.example.com/area?b=2&a=1&jwt=" + placed + "#top"},
		{"an old one goes", "deliver=jwt&", "https://app.example.com/area?jwt=old&a=1", "https://app.example.com/area?a=1&jwt=" + placed},
		{"an encoded old one goes", "deliver=jwt&", "https://app.example.com/area?%6Awt=old&a=1", "https://app.example.com/area?a=1&jwt=" + placed},
		{"not asked for", "", application, application},
		{"not asked for, a planted one goes", "", "https://app.example.com/area?jwt=old", "https://app.example.com/area"}, // S20
		{"own page", "", "/page?x=1", g.URL + "/page?x=1"},
		{"nowhere", "", "", g.URL + "/auth/account"},
		{"nowhere, asked for", "deliver=jwt&", "", g.URL + "/auth/account"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := gatewaytest.NewBrowser(t)
			callback := start(b, g, c.query+"next="+url.QueryEscape(c.next))
			if strings.Contains(callback, "jwt") && c.query == "" && !strings.Contains(c.next, "jwt") {
				t.Errorf("the callback has a token: %s", callback)
			}
			answer := b.Navigate(callback)
			want := c.want
			if strings.Contains(want, placed) {
				token := delivered(t, answer.Location)
				want = strings.Replace(want, placed, token, 1)
				if strings.Contains(answer.Body, token) {
					t.Errorf("the token is in the body too: %s", answer.Body)
				}
				if check := call(t, g, "/auth/check", "Auth-Token", token); !strings.Contains(check.Body, `"email":"ada@example.com"`) {
					t.Errorf("the token is nobody's: %s", check.Body)
				}
			}
			if answer.Location != want || answer.Status != http.StatusFound && answer.Status != http.StatusSeeOther {
				t.Errorf("got %d to %s, expected %s", answer.Status, answer.Location, want)
			}
			if h := answer.Header; h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("the redirect has Cache-Control %q and Referrer-Policy %q", h.Get("Cache-Control"), h.Get("Referrer-Policy"))
			}
		})
	}
	// Somebody who is signed in gets no token by visiting a link: that takes a
	// sign-in.
	t.Run("signed in already", func(t *testing.T) {
		ada := signIn(t, g, "ada")
		for _, page := range []string{"/auth/login", "/auth/login/dev", "/auth/login/second"} {
			answer := ada.Navigate(g.URL + page + "?deliver=jwt&next=" + url.QueryEscape(application))
			if strings.Contains(answer.Location+answer.Body, "jwt=ey") {
				t.Errorf("%s: got %d to %s", page, answer.Status, answer.Location)
			}
		}
	})
	for _, deliver := range []string{"deliver=", "deliver=cookie", "deliver=jwt&deliver=jwt", "deliver=JWT"} {
		if answer := gatewaytest.NewBrowser(t).Navigate(g.URL + "/auth/login/dev?" + deliver); answer.Status != http.StatusBadRequest {
			t.Errorf("%s: got %d to %s", deliver, answer.Status, answer.Location)
		}
	}
}

// S16, ruling 17: which host names the endpoints answer to.
func TestHostNames(t *testing.T) {
	anyHost := gatewaytest.FreePort(t)
	g := gatewaytest.Start(t, gatewaytest.Config{
		Auth: "login dev\nrate_limits off",
		Site: "auth_api\nrequire_login\nrespond welcome",
		// S16 rests on no host matcher of Caddy's.
		Extra: "http://:" + anyHost + " {\nauth_api\nrequire_login\nrespond welcome\n}",
	})
	port := g.Address[strings.LastIndexByte(g.Address, ':'):]
	for _, page := range []string{
		"/auth/login?next=%2Fpage", "/auth/login/dev?next=%2Fpage&deliver=jwt", "/auth/account", "/auth/oauth_callback?state=x&code=y",
		"/auth/login/dev/authorize?x=1",
	} {
		for _, alias := range []string{"127.0.0.1" + port, "[::1]" + port} {
			answer := raw(t, g, lines("GET "+page+" HTTP/1.1", "Host: "+alias, "Accept: text/html"))
			if answer.Status != http.StatusSeeOther || answer.Location != g.URL+page || len(answer.Header["Set-Cookie"]) > 0 {
				t.Errorf("%s%s: got %d to %s with %v", alias, page, answer.Status, answer.Location, answer.Header["Set-Cookie"])
			}
		}
	}
	b := gatewaytest.NewBrowser(t)
	if _, at := b.SignIn("http://127.0.0.1"+port+"/page", "ada"); at != g.URL+"/page" || sessionCookie(t, b, g) == "" {
		t.Errorf("a sign-in at an alias ended at %s", at)
	}
	if answer := b.Fetch("http://127.0.0.1" + port + "/auth/check?next=x"); answer.Status != http.StatusOK || !strings.Contains(answer.Body, g.URL+"/auth/login/dev") {
		t.Errorf("the API at an alias: got %d %s", answer.Status, answer.Body)
	}

	own, session := g.Address, "Cookie: auth_session="+sessionCookie(t, b, g)
	g.Address = "127.0.0.1:" + anyHost
	defer func() { g.Address = own }()
	for _, host := range []string{
		"evil.example", "evil.example" + port, "localhost", "localhost:1", "localhost." + port[1:], "127.0.0.1:1", "xlocalhost" + port,
		"localhost" + port + ".evil.example", "LOCALHOST.evil.example", "127.0.0.1.nip.io" + port, "0.0.0.0" + port, "app.localhost" + port,
	} {
		for _, page := range []string{"/auth/login", "/auth/login/dev", "/auth/login/dev/authorize?x=1", "/auth/check", "/auth/account", "/auth/oauth_callback?state=x&code=y"} {
			answer := raw(t, g, lines("GET "+page+" HTTP/1.1", "Host: "+host, session, "X-Forwarded-Host: "+strings.TrimPrefix(g.URL, "http://")))
			wantProblem(t, answer, http.StatusMisdirectedRequest, "wrong_host")
			if text := answer.Location + answer.Body; strings.Contains(text, "evil") {
				t.Errorf("%s%s: got %d %s", host, page, answer.Status, text)
			}
		}
		// A gate there cannot send a browser to sign in and back (ruling 23); what it
		// says of the login page comes from the configuration.
		answer := raw(t, g, lines("GET /page HTTP/1.1", "Host: "+host, "Accept: text/html"))
		if answer.Status != http.StatusUnauthorized || answer.Location != "" || strings.Contains(answer.Body, "evil") || !strings.Contains(answer.Body, g.URL+"/auth/login") {
			t.Errorf("a gate at %s: got %d to %s:\n%s", host, answer.Status, answer.Location, answer.Body)
		}
	}
	// The port is not what makes a host ours, nor its case.
	if answer := raw(t, g, lines("GET /auth/check HTTP/1.1", "Host: LOCALHOST"+port)); answer.Status != http.StatusOK {
		t.Errorf("our own name in capitals: got %d %s", answer.Status, answer.Body)
	}
}
