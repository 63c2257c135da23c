package token

import (
	"crypto/rsa"
	"fmt"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
)

// Verifier verifies permission tokens with public keys alone, as a service does.
// It may be used by many goroutines at once.
type Verifier struct {
	issuer string // "" for any
	active *rsa.PublicKey
	keys   map[string]*rsa.PublicKey // by "kid"; the active one among them
}

// NewVerifier returns a verifier that knows one key. issuer is what "iss" must
// be, or "" for any. publicPEM is what the gateway's public-key endpoint gives:
// one block "PUBLIC KEY" (PKIX) or "RSA PUBLIC KEY" (PKCS#1) of an RSA key of at
// least 2048 bits.
func NewVerifier(issuer string, publicPEM []byte) (*Verifier, error) {
	parsed, err := parsePublic(repairPEM(publicPEM))
	if err != nil {
		return nil, fmt.Errorf("reading the public key: %w", err)
	}
	key, err := newPublicKey(parsed)
	if err != nil {
		return nil, fmt.Errorf("reading the public key: %w", err)
	}
	return &Verifier{
		issuer: issuer,
		active: key.key,
		keys:   map[string]*rsa.PublicKey{key.id: key.key},
	}, nil
}

// Permission verifies a permission token at the time now. The error wraps
// ErrInvalid or ErrExpired.
//
// The caller still has to compare Service with its own name (S6) and to decide
// about Use.
func (v *Verifier) Permission(raw string, now time.Time) (Permission, error) {
	c, err := parseCompact(raw)
	if err != nil {
		return Permission{}, err
	}
	if err := c.header.check(jwa.RS256.String(), typPermission); err != nil {
		return Permission{}, err
	}
	key := v.active
	if c.header.hasKid {
		key = v.keys[c.header.kid]
	}
	if key == nil {
		return Permission{}, invalid("header: unknown kid")
	}
	if err := c.verify(jwa.RS256, key); err != nil {
		return Permission{}, err
	}
	p, t, err := c.claims.permission(v.issuer)
	if err != nil {
		return Permission{}, err
	}
	if err := t.check(now); err != nil {
		return Permission{}, err
	}
	return p, nil
}
