package authz

import (
	"crypto/sha256"

	"github.com/datahq/auth-gateway/internal/cache"
)

// CredentialKind tells what a credential's value is.
type CredentialKind byte

const (
	// TokenCredential is a session token or a permission token.
	TokenCredential CredentialKind = 't'
	// CookieCredential is the opaque value of the session cookie.
	CookieCredential CredentialKind = 'c'
)

// Credential is what a request showed.
type Credential struct {
	Kind  CredentialKind
	Value string
}

// Token is a session token or permission token.
func Token(value string) Credential { return Credential{TokenCredential, value} }

// Cookie is a session cookie's value.
func Cookie(value string) Credential { return Credential{CookieCredential, value} }

// key is the credential's place in the cache, for one service under one
// configuration (S40).
func (c Credential) key(s *service) cache.Key {
	text := make([]byte, 0, 1536)
	text = append(text, s.fingerprint[:]...)
	text = append(text, byte(c.Kind))
	text = append(text, c.Value...)
	return sha256.Sum256(text)
}
