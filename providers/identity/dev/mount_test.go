package dev

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// Ruling 16: only where nobody else can come.
func TestMountRefuses(t *testing.T) {
	for address, ok := range map[string]bool{
		"http://localhost:8080/auth/login/dev":             true,
		"http://LOCALHOST/auth/login/dev":                  true,
		"http://127.0.0.1:8080/auth/login/dev":             true,
		"http://127.9.9.9/auth/login/dev":                  true,
		"http://[::1]:8080/auth/login/dev":                 true,
		"http://[::ffff:127.0.0.1]:8080/auth/login/dev":    true,
		"https://localhost/auth/login/dev":                 false,
		"https://app.example.com/auth/login/dev":           false,
		"http://app.example.com/auth/login/dev":            false,
		"http://app.localhost/auth/login/dev":              false,
		"http://localhost.attacker.example/auth/login/dev": false,
		"http://127.0.0.1.nip.io/auth/login/dev":           false,
		"http://0.0.0.0:8080/auth/login/dev":               false,
		"http://[::]:8080/auth/login/dev":                  false,
		"http://10.0.0.1/auth/login/dev":                   false,
		"http://2130706433/auth/login/dev":                 false,
		"http://u:p@localhost/auth/login/dev":              false,
		"/auth/login/dev":                                  false,
		"":                                                 false,
	} {
		base, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		p := load(t)
		err = p.Mount(base)
		if (err == nil) != ok {
			t.Errorf("%s: %v, want ok %v", address, err, ok)
		}
		if err != nil && !strings.Contains(err.Error(), "external_address http://localhost") {
			t.Errorf("%s: the error does not say what to do: %v", address, err)
		}
		if err != nil && strings.Contains(err.Error(), "u:p@") {
			t.Errorf("the error has a password: %v", err)
		}
	}
	if err := load(t).Mount(nil); err == nil {
		t.Error("no address was accepted")
	}
	w := newWorld(t)
	if err := w.Mount(w.base); err == nil {
		t.Error("mounted twice")
	}
}

func TestWarningAtEachStart(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	p := load(t)
	p.logger = zap.New(core)
	base, err := url.Parse("http://localhost:8080/auth/login/dev")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Mount(base); err != nil {
		t.Fatal(err)
	}
	if logs.Len() != 1 || !strings.HasPrefix(logs.All()[0].Message, "development sign-in is on") {
		t.Errorf("logs %v, want one warning", logs.All())
	}
}

// Ruling 16: a listener on all interfaces must not let the network sign in as
// anybody, neither directly nor through a proxy or tunnel on this machine, nor
// a page on the web whose name resolves to 127.0.0.1.
func TestOthersAreRefused(t *testing.T) {
	w := newWorld(t)
	page, _ := w.begin(t)
	tests := []struct {
		name, peer, host string
		header           string
		status           int
	}{
		{"this machine", "127.0.0.1:5000", "localhost:8080", "", 200},
		{"this machine by IPv6", "[::1]:5000", "[::1]:8080", "", 200},
		{"this machine by mapped IPv4", "[::ffff:127.0.0.1]:5000", "127.0.0.1", "", 200},
		{"without a port", "127.0.0.1:5000", "[::1]", "", 200},
		{"the network", "192.168.1.5:5000", "localhost:8080", "", 403},
		{"the internet by IPv6", "[2001:db8::1]:5000", "localhost:8080", "", 403},
		{"a Unix socket", "@", "localhost:8080", "", 403},
		{"no peer", "", "localhost:8080", "", 403},
		{"a tunnel", "127.0.0.1:5000", "localhost:8080", "X-Forwarded-For", 403},
		{"a proxy", "127.0.0.1:5000", "localhost:8080", "Forwarded", 403},
		{"another proxy", "127.0.0.1:5000", "localhost:8080", "X-Real-IP", 403},
		{"a third", "127.0.0.1:5000", "localhost:8080", "Via", 403},
		{"DNS rebinding", "127.0.0.1:5000", "attacker.example:8080", "", 403},
	}
	for _, test := range tests {
		for _, path := range []string{"/authorize?" + page.RawQuery, "/style.css", "/.well-known/openid-configuration", "/jwks"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
			r.RemoteAddr, r.Host = test.peer, test.host
			if test.header != "" {
				r.Header.Set(test.header, "")
			}
			recorder := httptest.NewRecorder()
			w.Provider.ServeHTTP(recorder, r)
			if recorder.Code != test.status {
				t.Errorf("%s, %.20s: %d, want %d", test.name, path, recorder.Code, test.status)
			}
			if recorder.Code == 403 && strings.Contains(recorder.Body.String(), "ada") {
				t.Errorf("%s: the refusal shows users", test.name)
			}
		}
	}
}

// The code goes back to the gateway's own origin and nowhere else.
func TestRedirectURIs(t *testing.T) {
	w := newWorld(t)
	for uri, ok := range map[string]bool{
		w.server.URL + "/auth/oauth_callback":                   true,
		w.server.URL + "/auth/oauth_callback/dev":               true,
		"https://attacker.example/":                             false,
		"http://127.0.0.1:1/":                                   false,
		strings.Replace(w.server.URL, "://", "://u@", 1):        false,
		w.server.URL + ".attacker.example/":                     false,
		w.server.URL + "/#x":                                    false,
		"https" + strings.TrimPrefix(w.server.URL, "http"):      false,
		strings.TrimPrefix(w.server.URL, "http:") + "/relative": false,
		"": false,
	} {
		page, _ := w.begin(t)
		status, header, _ := get(t, with(page, "redirect_uri", uri, paramUser, "ada"))
		if (status == http.StatusFound) != ok {
			t.Errorf("%s: %d to %q, want ok %v", uri, status, header.Get("Location"), ok)
		}
	}
}
