package wire

import (
	"errors"
	"slices"
	"testing"
)

// S11: what upstreams might read in another way than the gateway does.
var badPaths = []string{
	// No path at all: authority-form, asterisk-form, a rewrite gone wrong.
	"", "*", "a", "admin/x", "app.example.com:443",
	// Empty segments: merged by nginx, kept by others.
	"//", "//a", "/a//", "/a//b", "/a/b//", "///",
	// Dot segments.
	"/.", "/..", "/./", "/../", "/a/.", "/a/..", "/a/./b", "/a/../b", "/../../etc/passwd", "/./a",
	// Tomcat and Jetty cut off ";parameters" before they resolve dots.
	"/..;/a", "/a/..;/b", "/a/..;x=y/b", "/.;/a", "/a/.;x/b", "/a/..;", "/.;", "/a/..%3b/b", "/a/..%3Bx/b", "/a/.%3b/b",
	// Encoded slashes, backslashes and dots.
	"/a%2fb", "/a%2Fb", "/%2f", "/a%2f..%2fb", "/..%2fb", "/a%5cb", "/a%5Cb", "/..%5cb", "/%2e", "/%2E", "/%2e%2e", "/%2e%2e/a", "/.%2e/a",
	"/%2E./a", "/a/%2e%2e/b", "/a/%2e/b", "/a%2eb", "/a%2e", "/%2e%2e%2fa",
	// Encoded twice: an upstream that decodes twice sees the above.
	"/%252e%252e/a", "/a%252fb", "/%25", "/a%2525b", "/%255c", "/%2500", "/%25%32%65",
	// Backslashes: a slash to IIS.
	"/\\", "/a\\b", "/a\\..\\b", "\\a", "/a/\\b",
	// NUL and other controls, raw and encoded.
	"/a\x00", "/a\x00b", "/a\tb", "/a\nb", "/a\rb", "/a\x1fb", "/a\x7fb", "/\x01", "/a%00", "/a%00.txt", "/%00", "/a%0ab", "/a%0d%0ab", "/a%09b", "/a%1f", "/a%7f", "/a%7F",
	"/a%c2%80b", "/a%C2%9F", // C1 controls
	// Blanks: the end of the path to a sloppy parser.
	"/a b", "/ a", "/a ", " /a",
	// What would end the path.
	"/a?b", "/?", "/a#b", "/#",
	// Raw non-ASCII.
	"/ä", "/a\xc3\xa4", "/a\xff", "/a\x80b", "/…",
	// Broken escapes.
	"/%", "/a%", "/%2", "/a%2", "/%zz", "/%2g", "/%g2", "/a%%20", "/% 2", "/%u0041", "/%-1", "/%+1",
	// Escapes that are no UTF-8: overlong forms of "/", ".", "\" and NUL, a lone
	// half, surrogates, beyond Unicode, cut short.
	"/a%c0%afb", "/%c0%ae%c0%ae/a", "/%c0%2e", "/%c1%9c", "/%c0%80", "/%e0%80%af", "/%e0%80%ae", "/%f0%80%80%af", "/%f8%80%80%80%af",
	"/%80", "/%bf", "/%ff", "/%fe", "/%c3", "/%c3a", "/%c3/%a4", "/%e2%82", "/%e2%82x", "/%f0%9f%98", "/%ed%a0%80", "/%f4%90%80%80", "/%e4",
}

var goodPaths = []string{
	"/", "/a", "/a/", "/a/b", "/a/b/", "/auth/check", "/index.html", "/a.b.c", "/.well-known/x", "/.git", "/..a", "/...", "/a/...", "/a..", "/a../b", "/a.", "/.a.", "/..a/b",
	"/a;v=1", "/a;/b", "/;", "/a;x=..", "/a/.b;c",
	"/a%20b", "/%20", "/a%3Fb", "/a%3fb", "/a%23b", "/a%3Bb", "/a%2Bb", "/%41", "/%7E", "/a%22b", "/.%20a", "/..%20",
	"/%C3%A4", "/%c3%a4", "/%E2%82%AC", "/%f0%9f%98%80", "/b%C3%BCcher/%E6%9C%AC", "/%EF%BC%8F", "/%EF%BF%BD", "/%C2%A0", "/%F4%8F%BF%BF",
	"/*", "/a*b", "/a/*", "/a+b", "/a&b=c", "/a=b", "/a:b", "/a@b", "/a,b", "/a!b", "/a$b", "/a'b", "/(a)", "/~a", "/a_b-c", "/[a]", "/{a}", "/a|b", "/a^b", `/a"b`, "/a<b>", "/a`b",
}

func TestStrictPath(t *testing.T) {
	for _, path := range badPaths {
		if err := StrictPath(path); !errors.Is(err, ErrBadPath) {
			t.Errorf("%q passes: %v", path, err)
		}
	}
	for _, path := range goodPaths {
		if err := StrictPath(path); err != nil {
			t.Errorf("%q does not pass: %v", path, err)
		}
	}
}

// Two names of one resource, of which a path matcher knows only one.
var aliases = []string{
	// Java servers cut ";parameters" off.
	"/a;v=1", "/a;/b", "/;", "/a;x=..", "/a/.b;c", "/admin;", "/admin;/", "/admin;x/y", "/;/admin", "/;a/admin", "/a%3Bb", "/a%3b", "/%3B",
	// Unescaped on the way, they end the path at the next server.
	"/a%3Fb", "/a%3fb", "/a%3f", "/%3f", "/a%23b", "/a%23", "/a/%23",
	// Windows leaves dots and blanks at the end away.
	"/a.", "/a..", "/a./b", "/a../b", "/...", "/a/...", "/.../b", "/.a.", "/..a./b", "/a%20", "/a%20/b", "/%20", "/%20/a", "/..%20", "/..%20/a", "/.%20", "/a.%20", "/a%20.", "/a%20%20",
}

// S11: what is judged is what is forwarded, whatever the upstream makes of it.
func TestForwardPath(t *testing.T) {
	for _, path := range append(slices.Clone(badPaths), aliases...) {
		if err := ForwardPath(path); !errors.Is(err, ErrBadPath) {
			t.Errorf("%q passes: %v", path, err)
		}
	}
	for _, path := range goodPaths {
		if slices.Contains(aliases, path) {
			continue
		}
		if err := ForwardPath(path); err != nil {
			t.Errorf("%q does not pass: %v", path, err)
		}
	}
	for _, path := range []string{"/a.b/c.d", "/..a/..b", "/.well-known/x", "/a%20b/c%20d", "/a/%20b", "/a.%41", "/a%2Bb%26c%3Dd"} {
		if err := ForwardPath(path); err != nil {
			t.Errorf("%q does not pass: %v", path, err)
		}
	}
}
