package cache

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync/atomic"
)

const (
	// minSecret is the shortest secret, in bytes.
	minSecret = 16
	// sealPurpose sets the sealing keys apart from all else that is derived from
	// the same secret.
	sealPurpose = "auth-gateway redis v1"
)

// errUnsealed says that a value was not sealed here for this place.
var errUnsealed = errors.New("not sealed by this gateway for this key")

// sealer encrypts what goes to Redis, so that nobody there can read, change or
// move it (S40): AES-256-GCM, with the Redis key as additional data. Each Redis
// key has a sealing key of its own, derived by HKDF (RFC 5869): that random
// nonces are enough does not depend on how much is written in all.
type sealer struct {
	roots atomic.Pointer[[][]byte]
}

// newSealer makes a sealer. The first secret seals; what any of them has sealed
// opens, so that gateways with a new and an old one understand each other.
func newSealer(secrets [][]byte) (*sealer, error) {
	s := new(sealer)
	return s, s.use(secrets)
}

// use exchanges the secrets.
func (s *sealer) use(secrets [][]byte) error {
	if len(secrets) == 0 {
		return errors.New("no secret to seal with")
	}
	roots := make([][]byte, len(secrets))
	for i, secret := range secrets {
		if len(secret) < minSecret {
			return fmt.Errorf("a secret to seal with has %d bytes; expected at least %d", len(secret), minSecret)
		}
		root, err := hkdf.Extract(sha256.New, secret, []byte(sealPurpose))
		if err != nil {
			return fmt.Errorf("deriving the sealing key: %w", err)
		}
		roots[i] = root
	}
	s.roots.Store(&roots)
	return nil
}

// seal encrypts text for a place.
func (s *sealer) seal(place string, text []byte) ([]byte, error) {
	box, err := boxFor((*s.roots.Load())[0], place)
	if err != nil {
		return nil, err
	}
	return box.Seal(nil, nil, text, []byte(place)), nil
}

// open decrypts what was sealed for a place; else it is errUnsealed.
func (s *sealer) open(place string, sealed []byte) ([]byte, error) {
	for _, root := range *s.roots.Load() {
		box, err := boxFor(root, place)
		if err != nil {
			return nil, err
		}
		if text, err := box.Open(nil, nil, sealed, []byte(place)); err == nil {
			return text, nil
		}
	}
	return nil, errUnsealed
}

func boxFor(root []byte, place string) (cipher.AEAD, error) {
	key, err := hkdf.Expand(sha256.New, root, place, 32)
	if err != nil {
		return nil, fmt.Errorf("deriving a sealing key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("making a cipher: %w", err)
	}
	return cipher.NewGCMWithRandomNonce(block)
}
