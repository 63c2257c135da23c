package wire

import "strings"

// leftOut stands for what ShownAddress leaves out.
const leftOut = "…"

// ShownAddress is what an error about the configuration may show of an address:
// no user information, query or fragment, which may hold a password or a token
// (S41). It reads the text by itself, for the error is often that it is no URL.
func ShownAddress(text string) string {
	scheme, rest := "", text
	if i := strings.Index(text, "://"); i >= 0 {
		scheme, rest = text[:i+len("://")], text[i+len("://"):]
	}
	if strings.ContainsAny(scheme, "@?#") {
		return leftOut
	}
	query := ""
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		rest, query = rest[:i], leftOut
		if strings.Contains(text[len(scheme)+i:], "@") { // a password with a question mark in it
			return scheme + leftOut
		}
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		return scheme + leftOut + rest[i:] + query
	}
	authority, _, _ := strings.Cut(rest, "/")
	if _, port, found := strings.Cut(authority, ":"); found && !isShownPort(port) && !strings.HasPrefix(authority, "[") {
		return scheme + leftOut // "user:pass", of which a blank has cut off the rest
	}
	return scheme + rest + query
}

// isShownPort reports whether text may be meant as a port.
func isShownPort(text string) bool {
	return len(text) <= len("65535") && strings.Trim(text, "0123456789*") == ""
}
