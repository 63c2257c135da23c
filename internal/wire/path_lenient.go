package wire

import (
	"net/url"
	"strings"
)

// LenientPath checks a path, still escaped, for an upstream that needs "%2F",
// "//", ";parameters", non-ASCII bytes or an escaped "%" in it. Caddy's path
// matchers see through the first two: they compare the unescaped path with its
// slashes merged. It refuses what they do not see through and what no upstream
// needs: controls, backslashes, a "#" that is not escaped, what is escaped twice,
// overlong UTF-8, and dot segments in any spelling.
func LenientPath(escaped string) error {
	plain, err := url.PathUnescape(escaped)
	if err != nil || !strings.HasPrefix(escaped, "/") || strings.Contains(escaped, "#") {
		return ErrBadPath
	}
	for i := range len(plain) {
		switch c := plain[i]; {
		case c < ' ' || c == 0x7f || c == '\\', c == 0xc2 && isControl(plain[i:]):
			return ErrBadPath
		case c == '%' && escapedTwice(plain[i:]), c >= 0xc0 && overlong(plain[i:]):
			return ErrBadPath
		}
	}
	for segment := range strings.SplitSeq(plain, "/") {
		name, _, _ := strings.Cut(segment, ";")
		if name = strings.TrimRight(name, " "); name == "." || name == ".." {
			return ErrBadPath
		}
	}
	return nil
}

// escapedTwice reports whether s, unescaped once, begins with an escape still,
// or with one in the form "%u002f" of IIS.
func escapedTwice(s string) bool {
	_, ok := EscapedByte(s)
	return ok || len(s) > 1 && (s[1] == 'u' || s[1] == 'U')
}

// isControl reports whether s begins with one of the controls U+0080 to U+009F.
func isControl(s string) bool {
	return len(s) > 1 && s[0] == 0xc2 && 0x80 <= s[1] && s[1] < 0xa0
}

// overlong reports whether s begins with the UTF-8 of a character in more bytes
// than it needs, such as "\xc0\xaf", which is a slash to a careless decoder.
// Other bytes above 0x7F may be text in another encoding.
func overlong(s string) bool {
	if len(s) < 2 || s[1] < 0x80 || s[1] > 0xbf {
		return false
	}
	switch s[0] {
	case 0xc0, 0xc1:
		return true
	case 0xe0:
		return s[1] < 0xa0
	case 0xf0:
		return s[1] < 0x90
	}
	return s[0] >= 0xf8
}
