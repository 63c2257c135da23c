package token

import (
	"bytes"
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
	// secrets are the ways in which the original may have had the text.
	secrets [][]byte
}

// NewLegacy makes a verifier of the PEM text. It counts byte for byte, but for
// its last line break: a shell, an editor or Caddy's {file.*} may have taken that
// away or put it there since.
func NewLegacy(privatePEM []byte) *Legacy {
	bare := bytes.TrimRight(privatePEM, "\r\n")
	return &Legacy{secrets: [][]byte{privatePEM, bare, append(bytes.Clone(bare), '\n')}}
}

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
	for _, secret := range l.secrets {
		if err = c.verify(jwa.HS256, secret); err == nil {
			break
		}
	}
	if err != nil {
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
