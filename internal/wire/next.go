package wire

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// ErrBadNext says that a browser may not be sent there.
var ErrBadNext = errors.New("destination is not allowed")

// maxNext is how long a destination may be, in bytes.
const maxNext = 8 << 10

// NextPolicy is the one list of places a browser may be sent to after signing
// in or out (S19): the site itself, loopback unless switched off, and what the
// operator lists. The origins of the same list may call the API (S32).
type NextPolicy struct {
	site     *Site
	loopback bool
	entries  []nextEntry
}

type nextEntry struct {
	scheme, host string // canonical
	anyPort      bool   // "http://localhost:*"
	prefix       string // "" or "/app"
}

// NewNextPolicy reads the allow-list. An entry is an origin, optionally with a
// path prefix: "https://app.example.com", "https://example.com/app",
// "http://localhost:*". Plain http is for loopback alone.
func NewNextPolicy(site *Site, loopback bool, entries ...string) (*NextPolicy, error) {
	n := &NextPolicy{site: site, loopback: loopback}
	for _, text := range entries {
		e, err := parseNextEntry(text)
		if err != nil {
			return nil, err
		}
		n.entries = append(n.entries, e)
	}
	return n, nil
}

// CheckNextEntry tells what is wrong with an entry of the allow-list.
func CheckNextEntry(text string) error {
	_, err := parseNextEntry(text)
	return err
}

func parseNextEntry(text string) (nextEntry, error) {
	fail := func(why string) (nextEntry, error) {
		return nextEntry{}, fmt.Errorf("allow_next %q %s; expected an origin with an optional path, such as https://app.example.com or http://localhost:*", ShownAddress(text), why)
	}
	var e nextEntry
	plain := text
	if rest, found := strings.CutSuffix(plain, ":*"); found {
		plain, e.anyPort = rest, true
	}
	u, err := url.Parse(plain)
	switch {
	case err != nil || u.Host == "":
		return fail("is not an address")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(plain, "#"):
		return fail("has user information, a query or a fragment")
	case u.Scheme == "http" && !IsLoopbackHost(u.Hostname()):
		return fail("is plain http, which is for loopback alone")
	case u.Scheme != "http" && u.Scheme != "https":
		return fail("has another scheme than https")
	case e.anyPort && (u.Port() != "" || u.Path != "" || !IsLoopbackHost(u.Hostname())):
		return fail("has a wildcard port, which is for loopback origins alone")
	}
	e.scheme = u.Scheme
	if e.host, err = canonicalHost(u.Scheme, u.Host); err != nil {
		return fail(err.Error())
	}
	if path := u.EscapedPath(); path != "" && StrictPath(path) != nil {
		return fail("has an ambiguous path")
	}
	e.prefix = strings.TrimSuffix(u.EscapedPath(), "/")
	return e, nil
}

// Check judges a destination and returns the absolute URL to send the browser
// to: the text as it came, or with the site's origin in front of a "/path". The
// error wraps ErrBadNext and says why, without quoting more than the host.
func (n *NextPolicy) Check(next string) (string, error) {
	bad := func(why string) (string, error) { return "", fmt.Errorf("%w: %s", ErrBadNext, why) }
	if next == "" || len(next) > maxNext {
		return bad("it is empty or too long")
	}
	for i := range len(next) {
		if c := next[i]; c <= ' ' || c >= 0x7f || c == '\\' {
			return bad("it contains a blank, a backslash, a control or a non-ASCII character")
		}
	}
	if !validEscapes(pathOf(next)) || !validEscapes(fragmentOf(next)) {
		return bad("it contains a broken escape")
	}
	if next[0] == '/' {
		if StrictPath(pathOf(next)) != nil {
			return bad("its path is ambiguous")
		}
		return n.site.origin + next, nil
	}
	scheme, rest, found := strings.Cut(next, "://")
	scheme = strings.ToLower(scheme)
	if !found || (scheme != "https" && scheme != "http") {
		return bad("it is neither a path nor an https address")
	}
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
	}
	host, err := canonicalHost(scheme, authority)
	if err != nil {
		return bad("it has no plain host")
	}
	path := pathOf(rest[len(authority):])
	// Also where the whole host is listed: what its server unescapes must not be
	// another place there than the one that was judged.
	if strings.Contains(path, "//") || path != "" && LenientPath(path) != nil {
		return bad("its path is ambiguous")
	}
	if !n.allows(scheme, host, path) {
		return bad("the host " + host + " is not listed")
	}
	return next, nil
}

// validEscapes reports whether every "%" begins an escape.
func validEscapes(text string) bool {
	for i := range len(text) {
		if text[i] == '%' && (i+2 >= len(text) || unhex(text[i+1]) < 0 || unhex(text[i+2]) < 0) {
			return false
		}
	}
	return true
}

// pathOf is what comes before the query and the fragment.
func pathOf(text string) string {
	if i := strings.IndexAny(text, "?#"); i >= 0 {
		return text[:i]
	}
	return text
}

func fragmentOf(text string) string {
	_, fragment, _ := strings.Cut(text, "#")
	return fragment
}

func (n *NextPolicy) allows(scheme, host, path string) bool {
	if scheme+"://"+host == n.site.origin {
		return path == "" || StrictPath(path) == nil
	}
	if n.loopback && isLoopbackOrigin(scheme, host) {
		return true
	}
	for _, e := range n.entries {
		if e.matchesOrigin(scheme, host) && e.matchesPath(path) {
			return true
		}
	}
	return false
}

// isLoopbackOrigin: command-line tools listen there (RFC 8252 section 7.3).
func isLoopbackOrigin(scheme, host string) bool {
	name, _ := splitHost(host)
	switch name {
	case "localhost", "127.0.0.1", "::1", "[::1]":
		return scheme == "http"
	}
	return false
}

func (e nextEntry) matchesOrigin(scheme, host string) bool {
	if scheme != e.scheme {
		return false
	}
	if !e.anyPort {
		return host == e.host
	}
	name, _, err := splitAuthority(host)
	return err == nil && name == e.host
}

func (e nextEntry) matchesPath(path string) bool {
	if e.prefix == "" {
		return true
	}
	if StrictPath(path) != nil {
		return false
	}
	rest, found := strings.CutPrefix(path, e.prefix)
	return found && (rest == "" || rest[0] == '/')
}

// AllowsOrigin reports whether pages of an origin, as in an Origin header, may
// call the API and read its answers.
func (n *NextPolicy) AllowsOrigin(origin string) bool {
	scheme, authority, found := strings.Cut(origin, "://")
	if !found || (scheme != "https" && scheme != "http") {
		return false
	}
	host, err := canonicalHost(scheme, authority)
	if err != nil || host != authority {
		return false
	}
	if origin == n.site.origin || n.loopback && isLoopbackOrigin(scheme, host) {
		return true
	}
	for _, e := range n.entries {
		if e.matchesOrigin(scheme, host) {
			return true
		}
	}
	return false
}
