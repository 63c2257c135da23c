package wire

import (
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	whatwg "github.com/nlnwa/whatwg-url/url"
)

// S19, S20: with any entry of the list, a browser (WHATWG URL) and Go agree that
// an allowed destination is at the entry's origin, or our own, and below its
// path. What is delivered there is the token, once, to every reader.
func FuzzNextCheck(f *testing.F) {
	entries := []string{"https://frontend.example.com", "https://example.com/app", "http://localhost:*", "https://example.com:8443/a/b/", "http://[::1]:3000", "HTTPS://Example.COM:443/App"}
	for i, tt := range hostileNexts {
		f.Add(entries[i%len(entries)], tt.next)
	}
	for _, next := range []string{
		"/", "/a?b#c", "https://app.example.com/a", "https://frontend.example.com", "https://example.com/app/x?y", "http://localhost:3000", "http://[::1]:3000/#x",
		"https://example.com/app?jwt=x&%6awt=y#jwt=z", "https://example.com/app?a;jwt=x", "https://EXAMPLE.com:443/app/%C3%A4", "https://example.com:8443/a/b/c", "/a?jwt", "/?j%77t=%zz&+jwt=1",
	} {
		for _, entry := range entries {
			f.Add(entry, next)
		}
	}
	site := newSite(f, "https://app.example.com")
	f.Fuzz(func(t *testing.T, entry, next string) {
		policy, err := NewNextPolicy(site, false, entry)
		if err != nil || strings.Contains(strings.ToLower(entry), "xn--") { // a host that is no Punycode leads nowhere
			if policy, err = NewNextPolicy(site, false); err != nil {
				t.Fatal(err)
			}
			entry = ""
		}
		target, err := policy.Check(next)
		if err != nil {
			return
		}
		if again, err := policy.Check(target); err != nil || again != target {
			t.Errorf("%q becomes %q, which becomes %q, %v", next, target, again, err)
		}
		delivered := Deliver(target, "T.o-k_n")
		for _, text := range []string{next, target, delivered} {
			checkArrives(t, entry, text)
		}
		if _, err := policy.Check(delivered); err != nil && len(target) < maxNext-32 {
			t.Errorf("%q is delivered to as %q: %v", target, delivered, err)
		}
		checkDelivered(t, target, delivered)
	})
}

// checkArrives parses a destination as a browser on our page and as Go.
func checkArrives(t *testing.T, entry, text string) {
	t.Helper()
	browser, err := whatwg.ParseRef("https://app.example.com/auth/login?x", text)
	if err != nil {
		t.Fatalf("%q is allowed, a browser: %v", text, err)
	}
	parsed, err := url.Parse(text)
	if err != nil {
		t.Fatalf("%q is allowed, Go: %v", text, err)
	}
	program := (&url.URL{Scheme: "https", Host: "app.example.com", Path: "/auth/login"}).ResolveReference(parsed)
	if browser.Username() != "" || browser.Password() != "" || program.User != nil || program.Opaque != "" {
		t.Errorf("%q has more than a host: %s", text, browser)
	}
	if misread.MatchString(browser.Host()) || misread.MatchString(program.Host) {
		return
	}
	host, port := strings.ToLower(program.Hostname()), program.Port()
	if port == map[string]string{"https": "443", "http": "80"}[program.Scheme] {
		port = ""
	}
	if program.Scheme != browser.Scheme() || host != strings.Trim(browser.Hostname(), "[]") || port != browser.Port() {
		t.Errorf("%q leads a browser to %s and Go to %s", text, browser, program)
	}
	if program.Scheme == "https" && host == "app.example.com" && port == "" {
		return
	}
	wildcard := strings.HasSuffix(entry, ":*")
	allowed, err := whatwg.Parse(strings.TrimSuffix(entry, ":*"))
	if err != nil || entry == "" {
		t.Fatalf("%q is allowed by %q (%v)", text, entry, err)
	}
	if allowed.Scheme() != browser.Scheme() || allowed.Hostname() != browser.Hostname() || !wildcard && allowed.Port() != browser.Port() {
		t.Errorf("%q is allowed by %q and leads to %s", text, entry, browser)
	}
	if browser.Scheme() == "http" && !IsLoopbackHost(host) {
		t.Errorf("%q goes by plain http", text)
	}
	prefix := strings.TrimSuffix(allowed.Pathname(), "/")
	for _, seen := range []string{browser.Pathname(), program.EscapedPath(), path.Clean("/" + program.Path)} {
		if prefix != "" && seen != prefix && !strings.HasPrefix(seen, prefix+"/") && decode(prefix) == prefix {
			t.Errorf("%q is allowed by %q and leads to %q", text, entry, seen)
		}
	}
}

// misread are hosts about which whatwg-url is mistaken, and browsers are not:
// "0-0", "7_" and "99999999999999999999a" are no numbers, and so no IPv4 addresses
// (WHATWG URL, IPv4 number parser).
var misread = regexp.MustCompile(`(^|\.)[0-9]([0-9A-Za-z]*[-_]|[0-9]{18})[^.]*$`)

// checkDelivered compares what stood in a destination with what stands there
// after the delivery.
func checkDelivered(t *testing.T, target, delivered string) {
	t.Helper()
	browser, err := whatwg.Parse(delivered)
	if err != nil {
		t.Fatal(err)
	}
	if got := browser.SearchParams().GetAll("jwt"); !slices.Equal(got, []string{"T.o-k_n"}) {
		t.Errorf("%q: a browser's jwt are %q", delivered, got)
	}
	parsed, err := url.Parse(delivered)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := url.ParseQuery(parsed.RawQuery); !slices.Equal(got["jwt"], []string{"T.o-k_n"}) {
		t.Errorf("%q: Go's jwt are %q", delivered, got["jwt"])
	}
	if !slices.Equal(QueryValues(parsed.RawQuery, "jwt"), []string{"T.o-k_n"}) || !strings.HasSuffix(parsed.RawQuery, "jwt=T.o-k_n") {
		t.Errorf("%q: our jwt are %q", delivered, QueryValues(parsed.RawQuery, "jwt"))
	}
	before, fragment, hadFragment := strings.Cut(target, "#")
	after, newFragment, hasFragment := strings.Cut(delivered, "#")
	if fragment != newFragment || hadFragment != hasFragment || !strings.HasPrefix(after, pathOf(before)) {
		t.Errorf("%q is delivered to as %q", target, delivered)
	}
}

// S16, S19: a host that we call our own is the one a browser goes to.
func FuzzSite(f *testing.F) {
	for _, address := range []string{"https://app.example.com", "app.example.com/", "http://localhost:8080", "https://[2001:db8::1]:8443", "HTTPS://A.Example:443", "http://127.0.0.1", "https://0x7f.1", "https://a.b.1", "https://xn--e1afmkfd.example", "https://a_b.example."} {
		f.Add(address, "app.example.com:443")
		f.Add(address, "LOCALHOST:8080")
		f.Add(address, "[2001:DB8::1]:8443")
	}
	f.Fuzz(func(t *testing.T, address, host string) {
		site, err := NewSite(address, "")
		if err != nil || strings.Contains(strings.ToLower(address), "xn--") {
			return // what is no Punycode leads nowhere
		}
		origin, err := whatwg.Parse(site.Origin())
		if misread.MatchString(site.Host()) {
			return
		}
		if err != nil || origin.Protocol()+"//"+origin.Host() != site.Origin() || origin.Host() != site.Host() {
			t.Fatalf("%q has the origin %q; a browser: %s, %v", address, site.Origin(), origin, err)
		}
		if again, err := NewSite(site.Origin(), ""); err != nil || *again != *site {
			t.Errorf("%q becomes %q, which becomes %+v, %v", address, site.Origin(), again, err)
		}
		if !site.IsOwnHost(host) && !site.IsAlias(host) {
			return
		}
		other, err := whatwg.Parse(origin.Scheme() + "://" + host + "/")
		if err != nil {
			t.Fatalf("%q is our own host; a browser: %v", host, err)
		}
		if site.IsOwnHost(host) && other.Host() != origin.Host() || other.Port() != origin.Port() || other.Pathname() != "/" || other.Username() != "" {
			t.Errorf("%q is taken for %q; a browser: %s", host, site.Host(), other)
		}
		if !site.IsOwnHost(host) && (site.Secure() || !IsLoopbackHost(other.Hostname())) {
			t.Errorf("%q is an alias of %q", host, site.Origin())
		}
	})
}
