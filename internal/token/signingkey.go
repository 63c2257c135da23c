package token

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
)

// SigningKey is an RSA key pair that signs permission tokens with RS256.
// Printing one, with any verb, prints its ID and nothing of the key.
type SigningKey struct {
	public     *PublicKey
	private    *rsa.PrivateKey
	privatePEM []byte
	publicPEM  []byte
}

// ParseSigningKey reads a key pair of at least 2048 bits.
//
// privatePEM is a block "PRIVATE KEY" (PKCS#8) or "RSA PRIVATE KEY" (PKCS#1),
// without a passphrase. publicPEM may be empty; else it is one block "PUBLIC
// KEY" (PKIX) or "RSA PUBLIC KEY" (PKCS#1), the public half of the same pair,
// and nothing beside. Quotes around either text and line breaks written as \n,
// as environment files have them, are undone.
//
// The errors say what was found and what is expected, and nothing of the key.
func ParseSigningKey(privatePEM, publicPEM []byte) (*SigningKey, error) {
	private, err := parsePrivate(repairPEM(privatePEM))
	if err != nil {
		return nil, fmt.Errorf("reading the private key: %w", err)
	}
	key, err := newSigningKey(private)
	if err != nil {
		return nil, fmt.Errorf("reading the private key: %w", err)
	}
	if len(bytes.TrimSpace(publicPEM)) == 0 {
		return key, nil
	}
	repaired := repairPEM(publicPEM)
	public, err := parsePublic(repaired)
	if err != nil {
		return nil, fmt.Errorf("reading the public key: %w", err)
	}
	if !public.Equal(&private.PublicKey) {
		return nil, errors.New("reading the public key: it does not belong to the private key")
	}
	key.publicPEM = bytes.Clone(repaired)
	return key, nil
}

// GenerateSigningKey makes a key pair of 2048 bits.
func GenerateSigningKey() (*SigningKey, error) {
	private, err := rsa.GenerateKey(rand.Reader, minBits)
	if err != nil {
		return nil, fmt.Errorf("making a signing key: %w", err)
	}
	key, err := newSigningKey(private)
	if err != nil {
		return nil, fmt.Errorf("making a signing key: %w", err)
	}
	return key, nil
}

// newSigningKey works out what does not change with each token.
func newSigningKey(private *rsa.PrivateKey) (*SigningKey, error) {
	public, err := newPublicKey(&private.PublicKey)
	if err != nil {
		return nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("encoding the private key: %w", err)
	}
	return &SigningKey{
		public:     public,
		private:    private,
		privatePEM: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}),
		publicPEM:  public.pem,
	}, nil
}

// ID returns the "kid" of the key's tokens: its RFC 7638 thumbprint, SHA-256 in
// base64url, 43 characters.
func (k *SigningKey) ID() string { return k.public.id }

// Public returns the public half.
func (k *SigningKey) Public() *PublicKey { return k.public }

// PrivatePEM returns the pair as one PKCS#8 block, for the key store only.
func (k *SigningKey) PrivatePEM() []byte { return bytes.Clone(k.privatePEM) }

// PublicPEM returns the public half as PEM text. It is the text that
// ParseSigningKey was given, byte for byte unless that had to be repaired to be
// PEM at all (contract, section 1.2); else a PKIX block.
func (k *SigningKey) PublicPEM() []byte { return bytes.Clone(k.publicPEM) }

// Format keeps the key out of logs and configuration dumps (S41, S43).
func (k SigningKey) Format(state fmt.State, _ rune) {
	_, _ = io.WriteString(state, "signing key "+k.public.id)
}
