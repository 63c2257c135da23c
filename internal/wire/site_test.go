package wire

import (
	"strings"
	"testing"
)

// Ruling 17.
func TestParseExternalAddress(t *testing.T) {
	for address, origin := range map[string]string{
		"https://app.example.com":         "https://app.example.com",
		"https://app.example.com/":        "https://app.example.com",
		"app.example.com":                 "https://app.example.com",
		"app.example.com/":                "https://app.example.com",
		"httpbin.org":                     "https://httpbin.org",
		"HTTPS://App.Example.COM":         "https://app.example.com",
		"https://app.example.com:443":     "https://app.example.com",
		"https://app.example.com:8443":    "https://app.example.com:8443",
		"app.example.com:8443":            "https://app.example.com:8443",
		"https://app.example.com:80":      "https://app.example.com:80",
		"https://xn--bcher-kva.example":   "https://xn--bcher-kva.example",
		"https://my_host":                 "https://my_host",
		"https://192.0.2.1":               "https://192.0.2.1",
		"https://[2001:db8::1]":           "https://[2001:db8::1]",
		"https://[2001:DB8::1]:8443/":     "https://[2001:db8::1]:8443",
		"http://localhost":                "http://localhost",
		"http://localhost:80":             "http://localhost",
		"http://localhost:8080":           "http://localhost:8080",
		"http://127.0.0.1:8080/":          "http://127.0.0.1:8080",
		"http://127.8.9.10:8080":          "http://127.8.9.10:8080",
		"http://[::1]:8080":               "http://[::1]:8080",
		"localhost:8080":                  "https://localhost:8080",
		"https://" + longName(253):        "https://" + longName(253),
		"https://" + nameOf(63) + ".test": "https://" + nameOf(63) + ".test",
	} {
		u, err := ParseExternalAddress(address)
		if err != nil {
			t.Errorf("%q: %v", address, err)
		} else if u.String() != origin {
			t.Errorf("%q is %q; expected %q", address, u, origin)
		}
	}
}

func TestParseExternalAddressRefuses(t *testing.T) {
	for address, why := range map[string]string{
		"":                                 "is missing",
		"/":                                `has the host ""`,
		"https://":                         "has a path (/)",
		"https:///":                        `has the host ""`,
		"https://app.example.com/auth":     "has a path (/auth)",
		"https://app.example.com//":        "has a path",
		"app.example.com/x":                "has a path (/x)",
		"https://app.example.com?x":        "has a query or fragment",
		"https://app.example.com?":         "has a query or fragment",
		"https://app.example.com#x":        "has a query or fragment",
		"https://app.example.com/#":        "has a",
		"ftp://app.example.com":            `has the scheme "ftp"`,
		"://app.example.com":               "is not an address",
		"https://user@app.example.com":     "contains user information",
		"http://app.example.com":           "is plain http",
		"http://10.0.0.1:8080":             "is plain http",
		"http://localhost.example.com":     "is plain http",
		"http://128.0.0.1":                 "is plain http",
		"https://app.example.com.":         `has the host "app.example.com."`,
		"https://.example.com":             "has the host",
		"https://a..b":                     "has the host",
		"https://-a.example":               "has the host",
		"https://a-.example":               "has the host",
		"https://*.example.com":            "has the host",
		"https://a b":                      "is not an address",
		"https://b\u00fccher.example":      "has the host",
		"https://app%2eexample.com":        "is not an address",
		"https://a%41.example":             "is not an address",
		"https://a\nb":                     "is not an address",
		"https://a,b":                      "has the host",
		"https://app.example.com:":         `has the port ""`,
		"https://app.example.com:0":        `has the port "0"`,
		"https://app.example.com:0443":     `has the port "0443"`,
		"https://app.example.com:65536":    `has the port "65536"`,
		"https://app.example.com:http":     "is not an address",
		"https://app.example.com:1:2":      "is not an address",
		"https://2001:db8::1":              "is not an address",
		"https://[2001:db8::1":             "is not an address",
		"https://[2001:db8:0::1]":          "has the host",
		"https://[0:0:0:0:0:0:0:1]":        "has the host",
		"https://[fe80::1%25eth0]":         "has the host",
		"https://[::ffff:192.0.2.1]":       "has the host",
		"https://[192.0.2.1]":              "is not an address",
		"https://[::1]x":                   "is not an address",
		"http://127.1":                     "has the host",
		"http://2130706433":                "has the host",
		"http://0x7f.0.0.1":                "has the host",
		"http://0x7f000001":                "has the host",
		"http://0177.0.0.1":                "has the host",
		"http://127.0.0.01":                "has the host",
		"https://192.0.2.256":              "has the host",
		"https://1.2.3.4.5":                "has the host",
		"https://example.1":                "has the host",
		"https://example.0x10":             "has the host",
		"https://" + longName(254):         "has the host",
		"https://" + nameOf(64) + ".test":  "has the host",
		"https://app.example.com\\@evil":   "",
		" https://app.example.com":         "",
		"https://app.example.com ":         "",
		"https://app.example.com\x00":      "is not an address",
		"javascript:alert(1)":              "",
		"https://https://app.example.com/": "",
	} {
		u, err := ParseExternalAddress(address)
		if err == nil {
			t.Errorf("%q is taken for %q", address, u)
		} else if !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), "external_address") || !strings.Contains(err.Error(), "expected") {
			t.Errorf("%q: the error is %q; expected it to contain %q", address, err, why)
		}
	}
}

// The configuration's errors are logged: they must not quote a password.
func TestParseExternalAddressKeepsPasswords(t *testing.T) {
	for _, address := range []string{"https://ada:secret@app.example.com", "https://secret@app.example.com", "https://secret:@app.example.com/x"} {
		if _, err := ParseExternalAddress(address); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("the error is %v", err)
		}
	}
}

// nameOf is a label of n letters, longName a host name of n bytes.
func nameOf(n int) string { return strings.Repeat("a", n) }

func longName(n int) string {
	name := strings.Repeat(nameOf(49)+".", 5) // 250
	return name + nameOf(n-len(name))
}

func TestSite(t *testing.T) {
	site, err := NewSite("App.example.com:8443", "/user")
	if err != nil {
		t.Fatal(err)
	}
	for what, got := range map[string][2]string{
		"Origin":   {site.Origin(), "https://app.example.com:8443"},
		"Host":     {site.Host(), "app.example.com:8443"},
		"Path":     {site.Path(), "/user"},
		"URL":      {site.URL("/login"), "https://app.example.com:8443/user/login"},
		"LoginURL": {site.LoginURL("/a?b=c&d=é#f"), "https://app.example.com:8443/user/login?next=%2Fa%3Fb%3Dc%26d%3D%C3%A9%23f"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s is %q; expected %q", what, got[0], got[1])
		}
	}
	if !site.Secure() || newSite(t, "http://localhost:8080").Secure() {
		t.Error("Secure does not tell https from http")
	}
	if path := newSite(t, "https://app.example.com").Path(); path != "/auth" {
		t.Errorf("the default path is %q", path)
	}
}

// Ruling 18: gates and pages agree on a plain path.
func TestSitePath(t *testing.T) {
	for _, path := range []string{"/a", "/auth/v2", "/user"} {
		if _, err := NewSite("https://app.example.com", path); err != nil {
			t.Errorf("%q: %v", path, err)
		}
	}
	for _, path := range []string{"/", "auth", "/auth/", "//auth", "/a//b", "/../auth", "/./auth", "/a%20b", "/auth*", "/{path}", "/auth?", "/auth#", "/a b", "/a\\b", "/ä"} {
		if _, err := NewSite("https://app.example.com", path); err == nil || !strings.Contains(err.Error(), "expected something like /auth") {
			t.Errorf("%q: the error is %v", path, err)
		}
	}
}

// S16: what leads back to the gateway never comes from Host; a foreign Host is
// told from our own.
func TestIsOwnHost(t *testing.T) {
	tests := []struct {
		site         string
		own, foreign []string
	}{
		{
			"https://app.example.com",
			[]string{"app.example.com", "APP.Example.Com", "app.example.com:443"},
			[]string{
				"", "example.com", "app.example.com:80", "app.example.com:8443", "app.example.com.", "app.example.com:", "app.example.com:0443",
				"app.example.com:443:443", "app.example.com@evil.com", "evil.com", "app.example.com.evil.com", "xapp.example.com",
				"app.example.com/", "app.example.com#", "app.example.com\x00", " app.example.com", "localhost", "127.0.0.1",
			},
		},
		{
			"https://app.example.com:8443",
			[]string{"app.example.com:8443", "App.example.com:8443"},
			[]string{"app.example.com", "app.example.com:443", "app.example.com:08443"},
		},
		{"https://[2001:db8::1]", []string{"[2001:db8::1]", "[2001:DB8::1]:443"}, []string{"2001:db8::1", "[2001:db8:0::1]", "[2001:db8::2]"}},
		{
			"http://localhost:8080",
			[]string{"localhost:8080", "LOCALHOST:8080"},
			[]string{"localhost", "127.0.0.1:8080", "[::1]:8080", "localhost:80", "localhost.:8080"},
		},
		{"http://127.0.0.1", []string{"127.0.0.1", "127.0.0.1:80"}, []string{"127.0.0.1:443", "127.1", "0x7f.1", "2130706433", "localhost"}},
	}
	for _, tt := range tests {
		site := newSite(t, tt.site)
		for _, host := range tt.own {
			if !site.IsOwnHost(host) {
				t.Errorf("%s: %q is not its own", tt.site, host)
			}
			if site.IsAlias(host) {
				t.Errorf("%s: %q is its own and no alias", tt.site, host)
			}
		}
		for _, host := range tt.foreign {
			if site.IsOwnHost(host) {
				t.Errorf("%s: %q is taken for its own", tt.site, host)
			}
		}
	}
}

// Ruling 17: only a loopback gateway has aliases, on its own port.
func TestIsAlias(t *testing.T) {
	tests := []struct {
		site           string
		aliases, other []string
	}{
		{
			"http://localhost:8080",
			[]string{"127.0.0.1:8080", "127.0.0.2:8080", "[::1]:8080"},
			[]string{"127.0.0.1", "127.0.0.1:80", "127.0.0.1:8081", "10.0.0.1:8080", "evil.com:8080", "localhost.evil.com:8080", "127.1:8080", "127.0.0.1.:8080", "[::2]:8080", "[::1]", ""},
		},
		{"http://127.0.0.1", []string{"localhost", "localhost:80", "[::1]", "[::1]:80"}, []string{"localhost:8080", "[::1]:443", "0.0.0.0"}},
		{"https://localhost:8443", nil, []string{"127.0.0.1:8443"}},
		{"https://app.example.com", nil, []string{"localhost", "127.0.0.1", "www.app.example.com"}},
	}
	for _, tt := range tests {
		site := newSite(t, tt.site)
		for _, host := range tt.aliases {
			if !site.IsAlias(host) {
				t.Errorf("%s: %q is no alias", tt.site, host)
			}
		}
		for _, host := range tt.other {
			if site.IsAlias(host) {
				t.Errorf("%s: %q is taken for an alias", tt.site, host)
			}
		}
	}
}

func TestIsLoopbackHost(t *testing.T) {
	for _, name := range []string{"localhost", "127.0.0.1", "127.255.255.254", "::1", "[::1]"} {
		if !IsLoopbackHost(name) {
			t.Errorf("%q is not loopback", name)
		}
	}
	for _, name := range []string{"", "localhost.", "localhost.example.com", "0.0.0.0", "::", "126.0.0.1", "127.1", "2130706433", "10.0.0.1", "127.0.0.1:80", "::2"} {
		if IsLoopbackHost(name) {
			t.Errorf("%q is taken for loopback", name)
		}
	}
}
