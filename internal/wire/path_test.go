package wire

import (
	"errors"
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

// Ruling 24: some upstreams need "%2F" and "//". None needs what leads out of
// the route: Caddy's matchers do not see it in "\" and see only one meaning of
// the rest.
func TestLenientPath(t *testing.T) {
	for _, path := range append([]string{
		"//", "//a", "/a//b", "/a%2fb", "/a%2F", "/%2f%2fa", "/a%5cb", "/a\\b", "/a%2eb", "/%252e%252e/a", "/a%25b", "/a b", "/ä", "/%e4", "/a%c0%afb", "/....//a", "/..a%2fb",
	}, goodPaths...) {
		if err := LenientPath(path); err != nil {
			t.Errorf("%q does not pass: %v", path, err)
		}
	}
	for _, path := range []string{
		"/..", "/../a", "/a/..", "/a/./b", "/a//../b", "/%2e%2e/a", "/.%2E/a", "/%2e", "/a%2f..%2fb", "/a%2f../b", "/..%2fa", "/a%2F%2e%2e%2Fb",
		"/..\\a", "/a\\..\\b", "/a%5c..%5cb", "/..%5Ca", "/a\\../b", "\\..\\a", "/..;/a", "/a/..;x=y/b", "/..%3b/a", "/a%2f..;%2fb", "/.;x/a",
		"/a\x00b", "/a%00b", "/a\nb", "/a%0d%0ab", "/a\x7f", "/a%7f", "/%1f",
		"/%", "/%2", "/%zz",
		"", "*", "a", "%2fa", "\\a",
	} {
		if err := LenientPath(path); !errors.Is(err, ErrBadPath) {
			t.Errorf("%q passes: %v", path, err)
		}
	}
}

func TestHidesDotSegment(t *testing.T) {
	// The spellings of single-dot and double-dot segments in the WHATWG URL
	// standard, section 4.1.
	for _, path := range []string{"/.", "/./a", "/%2e", "/%2E/a", "/..", "/../a", "/a/..", "/.%2e/a", "/.%2E", "/%2e./a", "/%2E.", "/%2e%2e", "/%2E%2e/a", "/%2e%2E/", "/a/%2E%2E/b"} {
		if !hidesDotSegment(path) {
			t.Errorf("%q is said to have no dot segment", path)
		}
	}
	for _, path := range []string{"", "/", "/a", "/.a", "/a.", "/...", "/%2e%2e%2e", "/a%2e", "/%2ea", "/%252e", "/..%2f", "/a/b.c/", "/%2f"} {
		if hidesDotSegment(path) {
			t.Errorf("%q is said to have a dot segment", path)
		}
	}
}
