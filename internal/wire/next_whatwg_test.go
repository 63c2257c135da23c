package wire

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	whatwg "github.com/nlnwa/whatwg-url/url"
)

// loginPageURL is where a browser is that reads our Location headers and links.
const loginPageURL = "https://app.example.com/auth/login"

// browserGoes is where a browser goes that finds text in a Location header or
// link of the login page (WHATWG URL standard), "" where it goes nowhere.
func browserGoes(text string) (*whatwg.Url, error) {
	return whatwg.ParseRef(loginPageURL, text)
}

// The claims of the table, against an independent implementation of the
// standard that browsers follow.
func TestHostileNextsGoWhereTheTableSays(t *testing.T) {
	for _, tt := range hostileNexts {
		goes := ""
		if u, err := browserGoes(tt.next); err == nil {
			goes = u.Href(false)
		}
		if goes != tt.goes {
			t.Errorf("%q goes to %q, the table says %q", tt.next, goes, tt.goes)
		}
	}
}

// checkBrowser is S19 itself: where we send somebody, a browser goes, to a place
// of one entry of the list, and Go's parser understands the same.
func checkBrowser(t *testing.T, next, target string) {
	t.Helper()
	for _, text := range []string{target, next} {
		b, err := browserGoes(text)
		if err != nil {
			t.Errorf("%q is allowed as %q, and no URL to a browser: %v", next, target, err)
			return
		}
		g, err := url.Parse(text)
		if err != nil {
			t.Errorf("%q is allowed as %q: %v", next, target, err)
			return
		}
		base, _ := url.Parse(loginPageURL)
		g = base.ResolveReference(g)
		if b.Username() != "" || b.Password() != "" || g.User != nil {
			t.Errorf("%q has user information", next)
		}
		if why := outside(strings.TrimSuffix(b.Protocol(), ":"), b.Hostname(), b.Port(), b.Pathname()); why != "" {
			t.Errorf("%q is allowed, and leads a browser to %q: %s", next, b.Href(false), why)
		}
		port := g.Port()
		if g.Scheme == "https" && port == "443" || g.Scheme == "http" && port == "80" {
			port = ""
		}
		host := strings.ToLower(g.Hostname())
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		if b.Protocol() != strings.ToLower(g.Scheme)+":" || b.Hostname() != host || b.Port() != port {
			t.Errorf("%q: a browser goes to %q, Go to %q", next, b.Href(false), g)
		}
		// Escapes may be spelled in two ways, the structure may not.
		if !samePath(b.Pathname(), g.EscapedPath()) {
			t.Errorf("%q: the path is %q to a browser and %q to Go", next, b.Pathname(), g.EscapedPath())
		}
	}
}

func samePath(a, b string) bool {
	if a == "" {
		a = "/"
	}
	if b == "" {
		b = "/"
	}
	as, bs := strings.Split(a, "/"), strings.Split(b, "/")
	if len(as) != len(bs) {
		return false
	}
	for i := range as {
		x, errX := url.PathUnescape(as[i])
		y, errY := url.PathUnescape(bs[i])
		if errX != nil || errY != nil || x != y {
			return false
		}
	}
	return true
}

// outside says why a place is in no entry of the test's policy, "" if it is in
// one.
func outside(scheme, host, port, path string) string {
	switch {
	case scheme == "https" && port == "" && (host == "app.example.com" || host == "frontend.example.com"):
		return ""
	case scheme == "https" && port == "" && host == "example.com":
		if path == "/app" || strings.HasPrefix(path, "/app/") {
			return ""
		}
		return "it is beside the prefix"
	case scheme == "http" && (host == "localhost" || host == "127.0.0.1" || host == "[::1]"):
		return ""
	}
	return "it is on no list"
}

// S19: whatever is accepted goes where the list says, in the browser's reading
// and in Go's. The forms are put together from what has made parsers disagree.
func TestAcceptedNextsGoWhereTheListSays(t *testing.T) {
	policy := newPolicy(t, "https://frontend.example.com", "https://example.com/app")
	schemes := []string{"", "/", "//", "///", "https://", "HTTPS://", "https:", "https:/", "https:///", "https:\\\\", "http://", "hTTp://", "/\\", "javascript:", "https:////", "/%2f", "/%5c", "/.//", "/;//", "/?//", "/#//"}
	users := []string{"", "@", ":@", "a@", "a:b@", "evil.com%40", "evil.com\\@", "evil.com#@", "evil.com?@", "evil.com/@", "[::1]@", "a%00@"}
	hosts := []string{
		"", "app.example.com", "APP.EXAMPLE.COM", "frontend.example.com", "example.com", "localhost", "127.0.0.1", "[::1]", "evil.com",
		"app.example.com.", "app.example.com.evil.com", "app%2eexample.com", "app.example.com%00", "app.example.com%2f", "app\u3002example.com", "\u24d0pp.example.com",
		"[::1%25lo]", "[::1%lo]", "[0::1]", "[::ffff:127.0.0.1]", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "127.0.0.1.", "localhost.", "local\u00adhost",
		"xn--app-example-com.evil.com", "app.example.com\\", "app.example.com\t", "evil.com,app.example.com", "evil.com;app.example.com", "app.example.com&evil.com", "*.example.com",
	}
	ports := []string{"", ":", ":443", ":0443", ":80", ":080", ":0", ":8443", ":65535", ":65536", ":-1", ":+443", ":4 43", ":٤٤٣", ":443:443", ":*"}
	paths := []string{
		"", "/", "/app", "/app/", "/app/x", "/app/../x", "/app/%2e%2e/x", "/app/.%2E/x", "/app/..;/x", "/app/..%3b/x", "/app%2f..%2fx", "/app/..%2fx", "/app/..%5cx", "/app\\..\\x",
		"/app//x", "/app/%2fx", "/app/%252e%252e/x", "/apple", "/app%20", "/app;x", "/app%00", "/app/%c0%af", "/app/%c0%ae%c0%ae/x", "/app/%e0%80%ae", "/app/\x00", "/app/%", "/app/%2", "/app/%zz",
		"/./app", "/..", "/.", "//evil.com", "/app?x", "/app#x", "/app?//evil.com/../", "/app#//evil.com/..", "?/app", "#/app", "/app/%u002e", "/app/\u2025/x", "/app/x\r\ny", "/app/'\"<>`{}|^[]", "/app/x@evil.com:80/",
	}
	accepted := 0
	try := func(next string) {
		if target, err := policy.Check(next); err == nil {
			accepted++
			checkBrowser(t, next, target)
		}
	}
	for _, scheme := range schemes {
		for _, host := range hosts {
			for _, user := range users {
				for _, path := range paths {
					try(scheme + user + host + path)
				}
			}
			for _, port := range ports {
				for _, path := range []string{"", "/app", "/app/../x", "@evil.com/", "?/app", "#@evil.com", "\\@evil.com/"} {
					try(scheme + host + port + path)
				}
			}
		}
		if t.Failed() {
			return
		}
	}
	if accepted < 500 {
		t.Errorf("only %d forms were accepted: the test says little", accepted)
	}
}

// Every byte in every place of an accepted form.
func TestAcceptedNextsWithAnyByte(t *testing.T) {
	policy := newPolicy(t, "https://frontend.example.com", "https://example.com/app")
	bases := []string{"/a/b", "https://app.example.com/a", "https://example.com/app/x", "https://frontend.example.com:443/x?y#z", "http://localhost:3000/x", "http://[::1]:80/", "http://127.0.0.1:8001"}
	for _, base := range bases {
		for at := range len(base) + 1 {
			for c := range 256 {
				for _, insert := range []string{string([]byte{byte(c)}), fmt.Sprintf("%%%02x", c), fmt.Sprintf("%%%02X", c), fmt.Sprintf("%%25%02x", c)} {
					forms := []string{base[:at] + insert + base[at:]}
					if at < len(base) {
						forms = append(forms, base[:at]+insert+base[at+1:])
					}
					for _, next := range forms {
						if target, err := policy.Check(next); err == nil {
							checkBrowser(t, next, target)
						}
					}
				}
			}
		}
		if t.Failed() {
			return
		}
	}
}
