package idp

import (
	"net/url"
	"strings"
	"unicode"
)

const (
	maxLine   = 256
	maxWebURL = 512 // the width of the original's avatar_url column
)

// Line makes what somebody typed at the provider fit for one line of a page: no
// control characters, no blanks around it, at most 256 characters.
func Line(s string) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, s))
	if runes := []rune(s); len(runes) > maxLine {
		return strings.TrimSpace(string(runes[:maxLine]))
	}
	return s
}

// WebURL returns s if it is the address of something on the web, of at most
// 512 bytes, and "" otherwise.
func WebURL(s string) string {
	u, err := url.Parse(s)
	if err != nil || len(s) > maxWebURL || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return s
}
