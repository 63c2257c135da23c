package token

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// partEncoding refuses padding and trailing bits that are not zero.
var partEncoding = base64.RawURLEncoding.Strict()

// compact is a token in its only accepted form, the JWS compact serialisation
// (RFC 7515, section 7.1), strictly read and not yet verified.
type compact struct {
	header    header
	claims    claims
	signed    []byte // the first two parts as they came, which the signature is about
	signature []byte
}

// parseCompact reads a token as strictly as S3 asks. Two texts that differ never
// read as the same token, so a token's text may be its cache key.
func parseCompact(raw string) (*compact, error) {
	first, second, third, ok := split(raw)
	if !ok {
		return nil, invalid("not three parts, or longer than 8 KiB")
	}
	head, err := parseHeader(first)
	if err != nil {
		return nil, err
	}
	payload, ok := decodePart(second)
	if !ok {
		return nil, invalid("payload: not canonical base64url")
	}
	members, err := parseObject(payload, maxDepth)
	if err != nil {
		return nil, invalid("payload: " + err.Error())
	}
	signature, ok := decodePart(third)
	if !ok {
		return nil, invalid("signature: not canonical base64url")
	}
	return &compact{
		header:    head,
		claims:    members,
		signed:    []byte(raw[:len(first)+1+len(second)]),
		signature: signature,
	}, nil
}

// split cuts a token into its parts, any of which may still be empty.
func split(raw string) (first, second, third string, ok bool) {
	if len(raw) > maxToken {
		return "", "", "", false
	}
	first, rest, ok := strings.Cut(raw, ".")
	if !ok {
		return "", "", "", false
	}
	second, third, ok = strings.Cut(rest, ".")
	return first, second, third, ok && strings.IndexByte(third, '.') < 0
}

// decodePart decodes one part of a token, not empty, in the one spelling that
// encoding the result would give.
func decodePart(part string) ([]byte, bool) {
	// The decoder skips line breaks even when it is strict.
	if part == "" || strings.ContainsAny(part, "\r\n") {
		return nil, false
	}
	data, err := partEncoding.DecodeString(part)
	return data, err == nil
}

// verify checks the signature with the algorithm of the key, not of the token.
//
// It uses jwx's verifier for the algorithm rather than jws.Verify, which would
// parse the token a second time, with a laxer parser, and check the signature
// over its own encoding of what it understood.
func (c *compact) verify(alg jwa.SignatureAlgorithm, key any) error {
	verifier, err := jws.NewVerifier(alg)
	if err != nil {
		return invalid("signature: no verifier for the key's algorithm")
	}
	if err := verifier.Verify(c.signed, c.signature, key); err != nil {
		return invalid("signature: does not match")
	}
	return nil
}

// sign makes a token of an encoded header, which ends in a period, and a
// payload.
func sign(head string, payload []byte, alg jwa.SignatureAlgorithm, key any) (string, error) {
	size := len(head) + base64.RawURLEncoding.EncodedLen(len(payload))
	signed := base64.RawURLEncoding.AppendEncode(append(make([]byte, 0, size), head...), payload)
	signer, err := jws.NewSigner(alg)
	if err != nil {
		return "", fmt.Errorf("choosing the signer: %w", err)
	}
	signature, err := signer.Sign(signed, key)
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	raw := string(signed) + "." + base64.RawURLEncoding.EncodeToString(signature)
	if len(raw) > maxToken {
		return "", fmt.Errorf("%w: longer than 8 KiB", ErrUnsignable)
	}
	return raw, nil
}
