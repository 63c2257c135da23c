package wire

import (
	"errors"
	"strings"
)

// ErrBadPath says that a path could mean different things to the gateway and
// to an upstream.
var ErrBadPath = errors.New("ambiguous path")

// StrictPath checks a path as it stands in the request line, still escaped
// (S11): it begins with "/", has no empty or dot segment, no backslash, no
// control or non-ASCII byte, and no escape that hides a slash, backslash, dot,
// percent sign or control. Percent-encoded UTF-8 is fine.
func StrictPath(escaped string) error {
	if escaped == "" || escaped[0] != '/' {
		return ErrBadPath
	}
	for i := 0; i < len(escaped); i++ {
		switch c := escaped[i]; {
		case c <= ' ' || c >= 0x7f || c == '\\' || c == '#':
			return ErrBadPath
		case c == '%':
			if !plainEscape(escaped[i:]) {
				return ErrBadPath
			}
			i += 2
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
// servers cut off).
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
	return len(rest) > dots && rest[dots] != '/' && rest[dots] != ';'
}

// plainEscape reports whether s begins with a well-formed escape of a byte
// that changes nothing in a path's structure.
func plainEscape(s string) bool {
	if len(s) < 3 {
		return false
	}
	hi, lo := unhex(s[1]), unhex(s[2])
	if hi < 0 || lo < 0 {
		return false
	}
	switch b := byte(hi<<4 | lo); {
	case b < 0x20 || b == 0x7f:
		return false
	case b == '/' || b == '\\' || b == '.' || b == '%':
		return false
	}
	return true
}

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

// hidesDotSegment reports whether a path has a dot segment once its escapes
// of dots are undone, as a browser undoes them (WHATWG URL).
func hidesDotSegment(path string) bool {
	if !strings.Contains(path, "%2") && !strings.Contains(path, "/.") {
		return false
	}
	plain := strings.NewReplacer("%2e", ".", "%2E", ".").Replace(path)
	for segment := range strings.SplitSeq(plain, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}
