package token

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwa"
)

// sessionKeySize is the size of a session key in bytes; a longer one is taken
// too.
const sessionKeySize = 32

// SessionKey is the secret that signs session tokens with HS256. It has nothing
// to do with the signing key (O1, S4). Printing one, with any verb, prints its
// ID and nothing of the key.
type SessionKey struct {
	id     string
	secret []byte
	head   string // the encoded header of its tokens, with the period
}

// ParseSessionKey reads a key of at least 32 random bytes, written as base64
// (either alphabet, padded or not) or hex, such as "openssl rand -base64 32" and
// "openssl rand -hex 32" print; white space around it is ignored. It refuses PEM
// text and encoded RSA keys, which other parts of a deployment know. The errors
// say what is expected, and nothing of the key.
func ParseSessionKey(text []byte) (*SessionKey, error) {
	trimmed := string(bytes.TrimSpace(text))
	if trimmed == "" {
		return nil, errors.New("reading the session key: empty, expected 32 random bytes as base64 or hex")
	}
	if isKeyPair([]byte(trimmed)) {
		return nil, errors.New("reading the session key: it is a PEM text, expected a secret of its own: 32 random bytes as base64 or hex")
	}
	secret, ok := decodeSecret(trimmed)
	if !ok {
		return nil, errors.New("reading the session key: neither base64 nor hex, expected 32 random bytes in one of them")
	}
	if isKeyPair(secret) {
		return nil, errors.New("reading the session key: it is an encoded key pair, expected a secret of its own: 32 random bytes as base64 or hex")
	}
	if len(secret) < sessionKeySize {
		return nil, fmt.Errorf("reading the session key: %d bytes, expected at least %d random bytes as base64 or hex", len(secret), sessionKeySize)
	}
	return newSessionKey(secret)
}

// GenerateSessionKey makes a key of 256 random bits.
func GenerateSessionKey() (*SessionKey, error) {
	secret := make([]byte, sessionKeySize)
	if _, err := rand.Read(secret); err != nil {
		return nil, fmt.Errorf("making a session key: %w", err)
	}
	return newSessionKey(secret)
}

// newSessionKey names the key by a MAC, which tells nothing about it, so that
// all gateways with the same key give it the same name. The text under the MAC
// cannot be the beginning of a token.
func newSessionKey(secret []byte) (*SessionKey, error) {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("auth-gateway: the name of the session key"))
	id := base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
	head, err := newHead(jwa.HS256.String(), id, typSession)
	if err != nil {
		return nil, fmt.Errorf("making the header: %w", err)
	}
	return &SessionKey{id: id, secret: secret, head: head}, nil
}

// ID returns the "kid" of the key's tokens, 22 characters. It depends on
// nothing but the key.
func (k *SessionKey) ID() string { return k.id }

// Text returns the key as unpadded base64url, for the key store only.
func (k *SessionKey) Text() []byte {
	return base64.RawURLEncoding.AppendEncode(nil, k.secret)
}

// Format keeps the key out of logs and configuration dumps (S41, S43).
func (k SessionKey) Format(state fmt.State, _ rune) {
	_, _ = io.WriteString(state, "session key "+k.id)
}

// decodeSecret decodes hex or any of the four forms of base64. Text of nothing
// but hex digits is hex: read as base64 it would look longer than it is random.
func decodeSecret(text string) ([]byte, bool) {
	// openssl breaks long lines, which base64's decoder skips. Neither that nor
	// padding may make base64 of what is hex.
	text = strings.TrimRight(strings.NewReplacer("\r", "", "\n", "").Replace(text), "=")
	if strings.Trim(text, "0123456789abcdefABCDEF") == "" {
		secret, err := hex.DecodeString(text)
		return secret, err == nil
	}
	for _, encoding := range []*base64.Encoding{base64.RawURLEncoding, base64.RawStdEncoding} {
		if secret, err := encoding.DecodeString(text); err == nil {
			return secret, true
		}
	}
	return nil, false
}

// isKeyPair reports whether text is PEM, or the DER that is in one.
func isKeyPair(text []byte) bool {
	if bytes.Contains(text, []byte("-----BEGIN")) {
		return true
	}
	_, errPKCS8 := x509.ParsePKCS8PrivateKey(text)
	_, errPKCS1 := x509.ParsePKCS1PrivateKey(text)
	_, errPKIX := x509.ParsePKIXPublicKey(text)
	_, errPublic := x509.ParsePKCS1PublicKey(text)
	return errPKCS8 == nil || errPKCS1 == nil || errPKIX == nil || errPublic == nil
}
