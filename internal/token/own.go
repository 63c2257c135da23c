package token

// HasOwnHeader reports whether raw begins with exactly the header that tokens
// of this ring's keys have. It proves nothing; it tells cheaply that a token is
// meant for us. False says nothing either: ask UnverifiedIssuer.
func (r *Ring) HasOwnHeader(raw string) bool { return r.content.Load().own(raw) != KindUnknown }
