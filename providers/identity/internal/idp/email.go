package idp

import "strings"

const (
	maxEmail      = 254 // RFC 5321 section 4.5.3.1.3, less the angle brackets
	maxEmailLocal = 64
)

// ValidEmail reports whether s is an e-mail address in the strict form that
// may link accounts (S27): one "@", printable ASCII without blanks, at most 254
// bytes, a dot-atom before the "@" and a host name behind it. No display name,
// no quotes, no comments, no address literal.
func ValidEmail(s string) bool {
	local, domain, found := strings.Cut(s, "@")
	return found && len(s) <= maxEmail && len(local) <= maxEmailLocal &&
		dotted(local, isAtext) && dotted(domain, isHostByte)
}

// dotted reports whether s is one or more non-empty parts, joined by dots, of
// allowed bytes.
func dotted(s string, allowed func(byte) bool) bool {
	for part := range strings.SplitSeq(s, ".") {
		if part == "" {
			return false
		}
		for i := range len(part) {
			if !allowed(part[i]) {
				return false
			}
		}
	}
	return true
}

// isAtext is RFC 5322 section 3.2.3.
func isAtext(b byte) bool {
	return isAlphanumeric(b) || strings.IndexByte("!#$%&'*+-/=?^_`{|}~", b) >= 0
}

func isHostByte(b byte) bool { return isAlphanumeric(b) || b == '-' }

func isAlphanumeric(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
}
