package token

import (
	"crypto"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
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

// publicKey is a key that verifies permission tokens.
type publicKey struct {
	id  string
	key *rsa.PublicKey
	jwk json.RawMessage
}

// newPublicKey checks a key and works out its ID and JWK.
func newPublicKey(key *rsa.PublicKey) (publicKey, error) {
	if bits := key.N.BitLen(); bits < minBits {
		return publicKey{}, fmt.Errorf("an RSA key of %d bits, expected at least %d", bits, minBits)
	}
	if key.E < 3 || key.E%2 == 0 {
		return publicKey{}, errors.New("an RSA key with an exponent that is even or below 3")
	}
	set, err := jwk.FromRaw(key)
	if err != nil {
		return publicKey{}, fmt.Errorf("making a JWK: %w", err)
	}
	thumbprint, err := set.Thumbprint(crypto.SHA256)
	if err != nil {
		return publicKey{}, fmt.Errorf("making the thumbprint: %w", err)
	}
	id := base64.RawURLEncoding.EncodeToString(thumbprint)
	if slices.Contains(publishedKeys, id) {
		return publicKey{}, errors.New("the default key pair of os-conductor, whose private key is public: make a pair of your own")
	}
	for name, value := range map[string]any{jwk.KeyIDKey: id, jwk.AlgorithmKey: jwa.RS256, jwk.KeyUsageKey: jwk.ForSignature} {
		if err := set.Set(name, value); err != nil {
			return publicKey{}, fmt.Errorf("making a JWK: %w", err)
		}
	}
	encoded, err := json.Marshal(set)
	if err != nil {
		return publicKey{}, fmt.Errorf("making a JWK: %w", err)
	}
	return publicKey{id: id, key: key, jwk: encoded}, nil
}
