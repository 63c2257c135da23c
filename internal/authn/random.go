package authn

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// secretLength is the length in bytes of what randomSecret returns.
const secretLength = 43

// randomSecret returns 256 random bits as unpadded base64url: what a state is
// made of, the value that binds a sign-in to a browser, or the value of a
// session cookie.
func randomSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// isSecret reports whether text has the form of a randomSecret, so that
// nothing else is looked up in the database.
func isSecret(text string) bool {
	if len(text) != secretLength {
		return false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && len(raw) == 32 // line breaks are skipped, so count
}

// IsCookie reports whether a value has the form of a session cookie's: 32
// bytes in base64url.
func IsCookie(value string) bool { return isSecret(value) }

// randomID returns 128 random bits in lower-case hexadecimal: the name of a
// user or a session (ruling 13).
func randomID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// hash is what the database keeps in place of a secret: whoever reads the
// database can use none of them. The secrets are random and long, so a plain
// SHA-256 is enough.
func hash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// CookieHash returns what a session is stored under: the SHA-256 of the
// cookie's value, taken over its text as the browser sends it (ruling 3).
func CookieHash(value string) []byte { return hash(value) }
