package token

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
)

// minBits is the size of the smallest RSA key (S43; RFC 7518, section 3.3).
const minBits = 2048

// publishedKeys are the IDs of key pairs whose private half is public, so that
// anybody could sign with it: the default pair in os-conductor's source.
var publishedKeys = []string{"3K4g0Jt4kUBF627C0EqDIA8dPV0tumT5xOQUUrx3a0s"}

// PublicKey is a key that verifies permission tokens.
type PublicKey struct {
	id   string
	key  *rsa.PublicKey
	jwk  json.RawMessage
	pem  []byte
	head string // the encoded header of its tokens, with the period
}

// ParsePublicKey reads a key of at least 2048 bits, for tokens that another
// gateway signs, or that this one has signed or will sign: a public key as
// ParseSigningKey takes it, or a private key of which only the public half is
// used. The errors say what was found and what is expected, and nothing of the
// key.
func ParsePublicKey(text []byte) (*PublicKey, error) {
	text = repairPEM(text)
	if bytes.Contains(text, []byte("PRIVATE KEY")) {
		private, err := ParseSigningKey(text, nil)
		if err != nil {
			return nil, err
		}
		return private.public, nil
	}
	parsed, err := parsePublic(text)
	if err != nil {
		return nil, fmt.Errorf("reading the public key: %w", err)
	}
	key, err := newPublicKey(parsed)
	if err != nil {
		return nil, fmt.Errorf("reading the public key: %w", err)
	}
	return key, nil
}

// ID returns the "kid" of the key's tokens, see SigningKey.ID.
func (k *PublicKey) ID() string { return k.id }

// PEM returns the key as one PKIX block.
func (k *PublicKey) PEM() []byte { return bytes.Clone(k.pem) }

// newPublicKey checks a key and works out what does not change.
func newPublicKey(key *rsa.PublicKey) (*PublicKey, error) {
	if bits := key.N.BitLen(); bits < minBits {
		return nil, fmt.Errorf("an RSA key of %d bits, expected at least %d", bits, minBits)
	}
	if key.E < 3 || key.E%2 == 0 {
		return nil, errors.New("an RSA key with an exponent that is even or below 3")
	}
	set, err := jwk.FromRaw(key)
	if err != nil {
		return nil, fmt.Errorf("making a JWK: %w", err)
	}
	thumbprint, err := set.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("making the thumbprint: %w", err)
	}
	id := base64.RawURLEncoding.EncodeToString(thumbprint)
	if slices.Contains(publishedKeys, id) {
		return nil, errors.New("the default key pair of os-conductor, whose private key is public: make a pair of your own")
	}
	for name, value := range map[string]any{jwk.KeyIDKey: id, jwk.AlgorithmKey: jwa.RS256, jwk.KeyUsageKey: jwk.ForSignature} {
		if err := set.Set(name, value); err != nil {
			return nil, fmt.Errorf("making a JWK: %w", err)
		}
	}
	encoded, err := json.Marshal(set)
	if err != nil {
		return nil, fmt.Errorf("making a JWK: %w", err)
	}
	head, err := newHead(jwa.RS256.String(), id, typPermission)
	if err != nil {
		return nil, fmt.Errorf("making the header: %w", err)
	}
	pkix, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("encoding the public key: %w", err)
	}
	return &PublicKey{
		id: id, key: key, jwk: encoded, head: head,
		pem: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix}),
	}, nil
}
