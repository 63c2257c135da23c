package token

import (
	"fmt"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
)

// maxLegacyLifetime is how long the original's sessions lasted (contract 1.2).
const maxLegacyLifetime = 14 * 24 * time.Hour

// Legacy verifies the session tokens of the original service, which are signed
// with HS256 and the text of the private key's PEM (contract 1.2, O1). It is for
// the two weeks after a move (S4); no such token is ever issued.
type Legacy struct {
	secret []byte
}

// NewLegacy makes a verifier of the PEM text, which counts byte for byte.
func NewLegacy(privatePEM []byte) *Legacy { return &Legacy{secret: privatePEM} }

// Verify returns whose session it is. The token has only "userid" and "exp",
// which may lie no further ahead than the original put it; one with claims of
// other kinds is none of these. Errors wrap ErrInvalid or ErrExpired.
func (l *Legacy) Verify(raw string, now time.Time) (userID string, expires time.Time, err error) {
	c, err := parseCompact(raw)
	if err != nil {
		return "", time.Time{}, err
	}
	if err := c.header.check(jwa.HS256.String(), "JWT"); err != nil {
		return "", time.Time{}, err
	}
	if c.header.hasKid || len(c.claims) != 2 {
		return "", time.Time{}, invalid("not a session token of the original service")
	}
	if err := c.verify(jwa.HS256, l.secret); err != nil {
		return "", time.Time{}, err
	}
	if userID, err = c.claims.name("userid", 1); err != nil {
		return "", time.Time{}, err
	}
	if expires, err = c.claims.date("exp"); err != nil {
		return "", time.Time{}, err
	}
	if expires.After(now.Add(maxLegacyLifetime + leeway)) {
		return "", time.Time{}, invalid("exp: further ahead than the original put it")
	}
	return userID, expires, times{expiresAt: expires}.check(now)
}

// Format implements fmt.Formatter: no verb prints the secret (S41).
func (l *Legacy) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("legacy sessions")) }
