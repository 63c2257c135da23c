package oidc

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
)

// maxIDToken is the size of the largest id_token. With a picture in it or
// hundreds of groups they grow beyond the 8 KiB of our own tokens.
const maxIDToken = 64 << 10

// partEncoding refuses padding and trailing bits that are not zero.
var partEncoding = base64.RawURLEncoding.Strict()

// checkCompact reports what is wrong with the form of an id_token, before any
// of it is believed: go-jose lets pass what other readers do not (S2, S3, RFC
// 7515 section 7.1).
func checkCompact(token string) error {
	if len(token) > maxIDToken {
		return fmt.Errorf("it is longer than %d bytes", maxIDToken)
	}
	parts := strings.SplitN(token, ".", 4)
	if len(parts) != 3 {
		return errors.New("it has not three parts")
	}
	var header []byte
	for i, part := range parts {
		// The decoder skips line breaks even when it is strict.
		data, err := partEncoding.DecodeString(part)
		if err != nil || part == "" || strings.ContainsAny(part, "\r\n") {
			return fmt.Errorf("its part %d is empty or not canonical base64url", i+1)
		}
		if i == 0 {
			header = data
		}
	}
	return checkHeader(header)
}

// checkHeader reports what is wrong with a header, but for "alg" and "kid",
// which go-jose and verifyWith compare.
func checkHeader(text []byte) error {
	header, err := idp.DecodeObject(text)
	if err != nil {
		return fmt.Errorf("its header is not what it should be: %w", err)
	}
	// S2: members that would change what is signed. Whatever their value is, they
	// are in no id_token.
	for _, name := range []string{"crit", "b64", "zip"} {
		if _, present := header[name]; present {
			return fmt.Errorf("its header has %q", name)
		}
	}
	// RFC 8725 section 3.11: what says that it is an access token, a logout token
	// or whatever else the same key signs, is no id_token.
	value, present := header["typ"]
	if kind, _ := value.(string); present && !strings.EqualFold(kind, "JWT") && !strings.EqualFold(kind, "application/jwt") {
		return errors.New(`its "typ" is not "JWT"`)
	}
	return nil
}
