package fakeidp

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"sync"

	"github.com/go-jose/go-jose/v4"
)

const rsaBits = 2048

// signingKeys holds the key that signs and, made when a fault asks for it, a
// key that nobody knows.
type signingKeys struct {
	mu       sync.Mutex
	current  *jose.JSONWebKey
	stranger *jose.JSONWebKey
}

// key returns the signing key, and makes it at the first call.
func (k *signingKeys) key() (jose.JSONWebKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return made(&k.current)
}

// unknown returns a key that the JWKS never has.
func (k *signingKeys) unknown() (jose.JSONWebKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return made(&k.stranger)
}

func (k *signingKeys) rotate() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.current = nil
}

func made(at **jose.JSONWebKey) (jose.JSONWebKey, error) {
	if *at == nil {
		private, err := rsa.GenerateKey(rand.Reader, rsaBits)
		if err != nil {
			return jose.JSONWebKey{}, fmt.Errorf("making a signing key: %w", err)
		}
		*at = &jose.JSONWebKey{Key: private, KeyID: random(), Algorithm: string(jose.RS256), Use: "sig"}
	}
	return **at, nil
}

// publicPEM returns the public key as the text that everybody can have.
func publicPEM(key jose.JSONWebKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key.Public().Key)
	if err != nil {
		return nil, fmt.Errorf("writing the public key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}
