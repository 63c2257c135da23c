package wire

import (
	"errors"
	"strings"
	"testing"
)

// S19: nobody is sent there, neither to another place by a form that two
// readers understand differently, nor to a listed host beside its prefix.
func TestCheckRefusesHostileNexts(t *testing.T) {
	if len(hostileNexts) < 100 {
		t.Fatalf("only %d forms", len(hostileNexts))
	}
	policy := newPolicy(t, "https://frontend.example.com", "https://example.com/app")
	for _, tt := range hostileNexts {
		target, err := policy.Check(tt.next)
		if err == nil {
			t.Errorf("%q is allowed, as %q; a browser goes to %q", tt.next, target, tt.goes)
		} else if !errors.Is(err, ErrBadNext) || target != "" {
			t.Errorf("%q: %q, %v", tt.next, target, err)
		}
	}
	for name, next := range map[string]string{
		"a path": "/" + strings.Repeat("a", maxNext), "an address": "https://frontend.example.com/?" + strings.Repeat("a", maxNext),
	} {
		if _, err := policy.Check(next); !errors.Is(err, ErrBadNext) {
			t.Errorf("%s that is too long: %v", name, err)
		}
	}
}

// Every control, blank and non-ASCII byte is refused, wherever it stands:
// browsers drop some and encode others.
func TestCheckRefusesOddBytes(t *testing.T) {
	policy := newPolicy(t)
	for c := range 256 {
		if c > ' ' && c < 0x7f && c != '\\' {
			continue
		}
		for _, next := range []string{"\xff", "/\xff", "/a?\xff", "/a#\xff", "https://app.example.com\xff", "https://app.example.com/a\xff", "ht\xfftps://app.example.com/"} {
			next = strings.ReplaceAll(next, "\xff", string([]byte{byte(c)}))
			if _, err := policy.Check(next); !errors.Is(err, ErrBadNext) {
				t.Errorf("%q: %v", next, err)
			}
		}
	}
}

// Ruling 20: our own origin, loopback and what is listed; the text goes on as it
// came.
func TestCheckAllows(t *testing.T) {
	policy := newPolicy(t, "https://frontend.example.com", "https://example.com/app", "https://[2001:db8::1]:8443/x/", "https://tools.example.com:8443")
	for next, target := range map[string]string{
		"/":                              "https://app.example.com/",
		"/a/b/":                          "https://app.example.com/a/b/",
		"/a?b=c&d=%&e=//evil.com/../#f":  "https://app.example.com/a?b=c&d=%&e=//evil.com/../#f",
		"/?next=https://evil.com":        "https://app.example.com/?next=https://evil.com",
		"/#//evil.com":                   "https://app.example.com/#//evil.com",
		"/%C3%A4/%20":                    "https://app.example.com/%C3%A4/%20",
		"/@evil.com":                     "https://app.example.com/@evil.com",
		"/https://evil.com":              "", // "//" in the path
		"/https:evil.com":                "https://app.example.com/https:evil.com",
		"https://app.example.com":        "",
		"https://app.example.com/":       "",
		"https://app.example.com?a=b":    "",
		"https://app.example.com#a":      "",
		"https://app.example.com:443/a":  "",
		"HTTPS://APP.example.com/a":      "",
		"https://app.example.com/@b":     "",
		"https://frontend.example.com":   "",
		"https://frontend.example.com/a": "",
		"https://frontend.example.com/?x=https://evil.com/%zz": "",
		"https://frontend.example.com:443/a%2Fb;c":             "", // no prefix to leave
		"https://example.com/app":                              "",
		"https://example.com/app/":                             "",
		"https://example.com/app/x?y#z":                        "",
		"https://example.com/app?y":                            "",
		"https://[2001:db8::1]:8443/x":                         "",
		"https://[2001:DB8::1]:8443/x/y":                       "",
		"https://tools.example.com:8443/":                      "",
		// Command-line tools (RFC 8252 section 7.3), and what their clients do.
		"http://localhost:3000":       "",
		"http://localhost:3000/":      "",
		"http://localhost":            "",
		"http://127.0.0.1:8001?a=b":   "",
		"http://127.0.0.1/":           "",
		"http://[::1]:49152/callback": "",
	} {
		if target == "" && !strings.HasPrefix(next, "/") {
			target = next
		}
		got, err := policy.Check(next)
		if got != target || (err == nil) != (target != "") {
			t.Errorf("%q: %q, %v; expected %q", next, got, err, target)
		}
	}
}

// S19: also where a whole host is listed, a path means one place: neither a
// browser nor the server's framework finds a dot segment or a line break in it,
// in the spellings of the WHATWG URL standard (section 4.1) or its own.
func TestCheckRefusesHiddenDotSegments(t *testing.T) {
	policy := newPolicy(t, "https://frontend.example.com")
	for _, path := range []string{
		"/.", "/./a", "/%2e", "/%2E/a", "/..", "/../a", "/a/..", "/.%2e/a", "/.%2E", "/%2e./a", "/%2E.", "/%2e%2e", "/%2E%2e/a", "/%2e%2E/", "/a/%2E%2E/b",
		"/a/..%2fb", "/a%2f..%2Fb", "/a%5c..%5cb", "/a/..;/b", "/a/..;x=y/b", "/a/..%3b/b", "/a/%2e%2e%2fb", "/a/%252e%252e/b", "/a%252fb", "/a/%u002e%u002e/b", "/a/%c0%ae%c0%ae/b",
		"/a%00", "/a%00.html", "/a%0d%0aSet-Cookie:x", "/a%0a", "/a%09b", "/a%7f",
	} {
		for _, host := range []string{"https://frontend.example.com", "http://localhost:3000", "https://app.example.com", ""} {
			if _, err := policy.Check(host + path); !errors.Is(err, ErrBadNext) {
				t.Errorf("%q: %v", host+path, err)
			}
		}
	}
	for _, path := range []string{"", "/", "/a", "/.a", "/a.", "/...", "/a.b/c", "/a%20b", "/%C3%A4"} {
		if _, err := policy.Check("https://frontend.example.com" + path); err != nil {
			t.Errorf("%q: %v", path, err)
		}
	}
}

// Ruling 20: loopback_next off closes it, but for what is listed.
func TestCheckWithoutLoopback(t *testing.T) {
	site := newSite(t, "https://app.example.com")
	policy, err := NewNextPolicy(site, false, "http://localhost:*", "http://127.0.0.1:8001/cli", "https://localhost:*")
	if err != nil {
		t.Fatal(err)
	}
	for next, allowed := range map[string]bool{
		"http://localhost":            true,
		"http://localhost:3000/x":     true,
		"https://localhost:3000":      true,
		"http://127.0.0.1:8001/cli":   true,
		"http://127.0.0.1:8001/cli/x": true,
		"http://127.0.0.1:8001/":      false,
		"http://127.0.0.1:8001/clix":  false,
		"http://127.0.0.1:8002/cli":   false,
		"http://[::1]:3000":           false,
		"http://localhost.evil.com:1": false,
	} {
		if _, err := policy.Check(next); (err == nil) != allowed {
			t.Errorf("%q: %v", next, err)
		}
	}
	own, err := NewNextPolicy(newSite(t, "http://localhost:8080"), false)
	if err != nil {
		t.Fatal(err)
	}
	for next, allowed := range map[string]bool{"http://localhost:8080/a": true, "/a": true, "http://localhost:8081/a": false, "http://127.0.0.1:8080/a": false} {
		if _, err := own.Check(next); (err == nil) != allowed {
			t.Errorf("gateway on loopback: %q: %v", next, err)
		}
	}
}

// S41: the reason names the host at most; the rest may hold a token.
func TestCheckErrorsTellTheHostAtMost(t *testing.T) {
	policy := newPolicy(t)
	for next, why := range map[string]string{
		"https://evil.com/secret?secret#secret":    "destination is not allowed: the host evil.com is not listed",
		"https://user:secret@evil.com/":            "destination is not allowed: it has no plain host",
		"javascript:secret":                        "destination is not allowed: it is neither a path nor an https address",
		"//secret":                                 "destination is not allowed: its path is ambiguous",
		"https://app.example.com//secret?jwt=1":    "destination is not allowed: its path is ambiguous",
		"https://frontend.example.com/%zz?secret":  "destination is not allowed: it contains a broken escape",
		"https://frontend.example.com/ ?secret":    "destination is not allowed: it contains a blank, a backslash, a control or a non-ASCII character",
		"https://frontend.example.com:x/?x=secret": "destination is not allowed: it has no plain host",
	} {
		if _, err := policy.Check(next); err == nil || err.Error() != why {
			t.Errorf("%q: %v; expected %s", next, err, why)
		}
	}
}

func TestNextEntries(t *testing.T) {
	for _, entry := range []string{
		"https://app.example.com", "https://app.example.com/", "https://app.example.com:8443", "HTTPS://App.example.com/Path/", "https://[::1]:8443",
		"http://localhost", "http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*", "https://localhost:*", "http://127.0.0.1:3000/callback", "https://example.com/%C3%A4",
	} {
		if err := CheckNextEntry(entry); err != nil {
			t.Errorf("%q: %v", entry, err)
		}
	}
	for entry, why := range map[string]string{
		"":                                   "is not an address",
		"*":                                  "is not an address",
		"https://*":                          "has the host",
		"https://*.example.com":              "has the host",
		"https://example.com:*":              "has a wildcard port",
		"http://localhost:*/x":               "is not an address",
		"http://localhost:80:*":              "has a wildcard port",
		"http://localhost/x:*":               "has a wildcard port",
		"example.com":                        "is not an address",
		"/path":                              "is not an address",
		"//example.com":                      "has another scheme than https",
		"http://example.com":                 "is plain http",
		"http://10.0.0.1":                    "is plain http",
		"ftp://example.com":                  "has another scheme than https",
		"javascript://example.com":           "has another scheme than https",
		"https://user@example.com":           "has user information",
		"https://example.com?x":              "has user information, a query or a fragment",
		"https://example.com?":               "has user information, a query or a fragment",
		"https://example.com#":               "has user information, a query or a fragment",
		"https://example.com/a/../b":         "has an ambiguous path",
		"https://example.com//":              "has an ambiguous path",
		"https://example.com/a//b":           "has an ambiguous path",
		"https://example.com/%2e%2e":         "has an ambiguous path",
		"https://example.com/a//":            "has an ambiguous path",
		"https://example.com.":               "has the host",
		"https://example.com:0":              "has the port",
		"https://example.com/{http.request}": "",
	} {
		err := CheckNextEntry(entry)
		if why == "" {
			if err != nil {
				t.Errorf("%q: %v", entry, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), "allow_next") {
			t.Errorf("%q: %v; expected it to contain %q", entry, err, why)
		}
	}
	if _, err := NewNextPolicy(newSite(t, "https://app.example.com"), true, "https://example.com", "nonsense"); err == nil {
		t.Error("a policy is made of nonsense")
	}
}
