package token

import "strings"

// HasOwnHeader reports whether raw begins with exactly the header that this
// ring's own tokens have. It proves nothing; it tells cheaply that a token is
// meant for us. False says nothing either: ask UnverifiedIssuer.
func (r *Ring) HasOwnHeader(raw string) bool {
	return strings.HasPrefix(raw, r.active.head) || strings.HasPrefix(raw, r.session.head)
}
