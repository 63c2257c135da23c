package requestlog

import (
	"net/http"
	"slices"

	"github.com/datahq/auth-gateway/internal/wire"
)

// Caddy drops names with "_" and "." that its expected_underscore_headers and
// expected_dot_headers do not list; those that it leaves are read here as an
// upstream like CGI reads them.

// headersTell reports whether a request's headers show a secret, or who
// somebody is. It is on every request's way: most names are done with after one
// letter at each end.
func headersTell(h http.Header) bool {
	for name, values := range h {
		if len(name) < len("uri") || len(values) == 0 {
			continue
		}
		if first := name[0] | 0x20; (first == 'x' || first == 'a') && isIdentity(name) {
			return true
		}
		if holdsAddress(name) && (len(values) > 1 && name == "Referer" || slices.ContainsFunc(values, tells)) {
			return true
		}
	}
	return false
}

// isIdentity reports whether a header is one in which tokens come and go, or
// one that says who somebody is.
func isIdentity(name string) bool {
	return wire.EqualFolded(name, "auth-token") || wire.HasFoldedPrefix(name, "x-auth-")
}

// holdsAddress reports whether a header holds an address, or the path of one:
// Referer, and those that claim another one than the request has, such as
// X-Forwarded-Uri, X-Original-URL and X-Rewrite-Path.
func holdsAddress(name string) bool {
	switch name[len(name)-1] | 0x20 {
	case 'r':
		return name == "Referer"
	case 'i':
		return wire.HasFoldedSuffix(name, "uri")
	case 'l':
		return wire.HasFoldedSuffix(name, "url")
	case 'h':
		return wire.HasFoldedSuffix(name, "-path")
	case 'x':
		return wire.HasFoldedSuffix(name, "-prefix")
	}
	return false
}
