package token

import (
	"unicode/utf16"
	"unicode/utf8"
)

// literal reads a string. It returns what is between the quotes and whether that
// has escapes, all of which have been checked.
func (s *scanner) literal() (raw []byte, escaped bool, err error) {
	if !s.take('"') {
		return nil, false, errSyntax
	}
	start := s.pos
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return s.data[start : s.pos-1], escaped, nil
		case c < ' ':
			return nil, false, errSyntax
		case c == '\\':
			_, size, ok := unescape(s.data[s.pos:])
			if !ok {
				return nil, false, errSyntax
			}
			escaped = true
			s.pos += size
		default:
			s.pos++
		}
	}
	return nil, false, errSyntax
}

// unquote returns the text of a literal.
func unquote(raw []byte, escaped bool) string {
	if !escaped {
		return string(raw)
	}
	text := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			text = append(text, raw[i])
			i++
			continue
		}
		r, size, _ := unescape(raw[i:])
		text = utf8.AppendRune(text, r)
		i += size
	}
	return string(text)
}

// unescape reads the escape that text begins with, a surrogate pair as one, and
// returns its length. It refuses half a pair: encoding/json makes U+FFFD of it,
// and so the same name out of two different ones.
func unescape(text []byte) (r rune, size int, ok bool) {
	if len(text) < 2 {
		return 0, 0, false
	}
	switch text[1] {
	case '"', '\\', '/':
		return rune(text[1]), 2, true
	case 'b':
		return '\b', 2, true
	case 'f':
		return '\f', 2, true
	case 'n':
		return '\n', 2, true
	case 'r':
		return '\r', 2, true
	case 't':
		return '\t', 2, true
	}
	r, ok = codeUnit(text)
	if !ok || !utf16.IsSurrogate(r) {
		return r, 6, ok
	}
	low, ok := codeUnit(text[6:])
	if !ok {
		return 0, 0, false
	}
	r = utf16.DecodeRune(r, low)
	return r, 12, r != utf8.RuneError
}

// codeUnit reads the \uXXXX that text begins with.
func codeUnit(text []byte) (r rune, ok bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	for _, c := range text[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
