package keyring

import (
	"time"

	"github.com/datahq/auth-gateway/internal/token"
)

// Key is one stored key with its times.
type Key struct {
	// ID is the token package's, by which tokens name their key.
	ID string `json:"id"`
	// Key is the private key: PEM, or base64 for session keys.
	Key       string    `json:"key"`
	CreatedAt time.Time `json:"created_at"`
	// SignsFrom is when it takes over from the one before it.
	SignsFrom time.Time `json:"signs_from"`
	// TokenSeconds is the longest lifetime of its tokens at any gateway.
	TokenSeconds int64 `json:"token_seconds"`

	signing *token.SigningKey // one of the two, when read
	session *token.SessionKey
}

// parse reads the key itself.
func (k *Key) parse(kind Kind) (err error) {
	if kind == Signing {
		if k.signing, err = token.ParseSigningKey([]byte(k.Key), nil); err == nil {
			k.ID = k.signing.ID()
		}
		return err
	}
	if k.session, err = token.ParseSessionKey([]byte(k.Key)); err == nil {
		k.ID = k.session.ID()
	}
	return err
}

// readKey makes an entry of a private key's text.
func readKey(kind Kind, text []byte, now time.Time) (Key, error) {
	key := Key{Key: string(text), CreatedAt: now, SignsFrom: now}
	return key, key.parse(kind)
}

// makeKey makes a new key.
func makeKey(kind Kind, now time.Time) (Key, error) {
	if kind == Signing {
		key, err := token.GenerateSigningKey()
		if err != nil {
			return Key{}, err
		}
		return readKey(kind, key.PrivatePEM(), now)
	}
	key, err := token.GenerateSessionKey()
	if err != nil {
		return Key{}, err
	}
	return readKey(kind, key.Text(), now)
}
