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
	// APICredential is a token that was sent to the auth endpoints, where those of
	// the original service may count.
	APICredential CredentialKind = 'a'
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

// APIToken is a token that was sent to the auth endpoints.
func APIToken(value string) Credential { return Credential{APICredential, value} }

// Cookie is a session cookie's value.
func Cookie(value string) Credential { return Credential{CookieCredential, value} }

// key is the credential's place in the cache, for one service under one
// configuration (S40).
func (c Credential) key(s *service) cache.Key {
	// Both buffers stay on the stack. A cookie does not pay for the room that a
	// token needs.
	if len(c.Value) <= 64 {
		return c.hash(s, make([]byte, 0, 96))
	}
	return c.hash(s, make([]byte, 0, 1536))
}

func (c Credential) hash(s *service, text []byte) cache.Key {
	text = append(text, s.fingerprint[:]...)
	text = append(text, byte(c.Kind))
	text = append(text, c.Value...)
	return sha256.Sum256(text)
}
