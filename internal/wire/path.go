package wire

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrBadPath says that a path could mean different things to the gateway and
// to an upstream.
var ErrBadPath = errors.New("ambiguous path")

// StrictPath checks a path as it stands in the request line, still escaped
// (S11): it begins with "/", has no empty or dot segment, no backslash, "?", "#",
// blank, control or non-ASCII byte, and no escape that hides a slash, backslash,
// dot, percent sign or control. Percent-encoded UTF-8 is fine; other bytes above
// 0x7F are not, since "%C0%AF" is a slash to a careless decoder.
func StrictPath(escaped string) error {
	if escaped == "" || escaped[0] != '/' {
		return ErrBadPath
	}
	for i := 0; i < len(escaped); i++ {
		switch c := escaped[i]; {
		case c <= ' ' || c >= 0x7f || c == '\\' || c == '#' || c == '?':
			return ErrBadPath
		case c == '%':
			n := plainEscape(escaped[i:])
			if n == 0 {
				return ErrBadPath
			}
			i += n - 1
		case c == '/' && i+1 < len(escaped):
			if !plainSegment(escaped[i+1:]) {
				return ErrBadPath
			}
		}
	}
	return nil
}

// plainSegment looks at the segment that begins rest: not empty before another
// slash, and neither "." nor ".." (with or without ";parameters", which some
// servers cut off, also when the ";" is escaped).
func plainSegment(rest string) bool {
	if rest[0] == '/' {
		return false
	}
	if rest[0] != '.' {
		return true
	}
	dots := 1
	if len(rest) > 1 && rest[1] == '.' {
		dots = 2
	}
	rest = rest[dots:]
	return rest != "" && rest[0] != '/' && rest[0] != ';' && !(len(rest) > 2 && strings.EqualFold(rest[:3], "%3b"))
}

// plainEscape returns the length of the escaped character that s begins with,
// all of its bytes, or 0 if it is malformed or would change a path's structure.
func plainEscape(s string) int {
	b, ok := EscapedByte(s)
	switch {
	case !ok || b < 0x20 || b == 0x7f || b == '/' || b == '\\' || b == '.' || b == '%':
		return 0
	case b < utf8.RuneSelf:
		return 3
	}
	var text [utf8.UTFMax]byte
	n := 0
	for n < len(text) {
		if text[n], ok = EscapedByte(s[3*n:]); !ok {
			break
		}
		n++
		if utf8.FullRune(text[:n]) {
			break
		}
	}
	r, size := utf8.DecodeRune(text[:n])
	if r == utf8.RuneError && size <= 1 || unicode.IsControl(r) {
		return 0
	}
	return 3 * size
}

// EscapedByte is the byte that s begins with in the form "%41".
func EscapedByte(s string) (b byte, ok bool) {
	if len(s) < 3 || s[0] != '%' {
		return 0, false
	}
	hi, lo := unhex(s[1]), unhex(s[2])
	return byte(hi<<4 | lo), hi >= 0 && lo >= 0
}

// ForwardPath checks the path of a request that goes on to an upstream, still
// escaped (S11). It refuses what StrictPath refuses, and what makes two names of
// one resource, of which a path matcher knows only one: ";parameters", which
// Java servers cut off; an escaped "?", "#" or ";", where the path ends for a
// server behind the next one, which sees it unescaped; and a segment that ends
// in a dot or a blank, which Windows leaves away.
func ForwardPath(escaped string) error {
	if err := StrictPath(escaped); err != nil {
		return err
	}
	for i := 0; i < len(escaped); i++ {
		switch escaped[i] {
		case ';':
			return ErrBadPath
		case '.':
			if endsSegment(escaped, i+1) {
				return ErrBadPath
			}
		case '%':
			b, _ := EscapedByte(escaped[i:])
			if b == ';' || b == '?' || b == '#' || b == ' ' && endsSegment(escaped, i+3) {
				return ErrBadPath
			}
			i += 2
		}
	}
	return nil
}

func endsSegment(path string, i int) bool { return i == len(path) || path[i] == '/' }

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
