package token

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"
)

// A second reading of tokens, written from S1 to S5 and RFC 7515 without a look
// at the first: encoding/json and go-jose in place of parseObject and jwx. The
// fuzz tests hold the two against each other.

// errUnsure is the reference's answer where its tools cannot tell: encoding/json
// makes the same of half a surrogate pair as of U+FFFD.
var errUnsure = errors.New("cannot tell")

// referenceObject reads one JSON object by I-JSON's rules (RFC 7493).
func referenceObject(data []byte, depth int) (map[string]any, error) {
	if !utf8.Valid(data) || !json.Valid(data) || data[0] != '{' || data[len(data)-1] != '}' {
		return nil, errors.New("not one object, in UTF-8, and nothing beside")
	}
	if err := referenceWalk(json.NewDecoder(bytes.NewReader(data)), depth); err != nil {
		return nil, err
	}
	var object map[string]any
	if err := json.Unmarshal(data, &object); err != nil {
		return nil, err
	}
	if bytes.Contains(bytes.ToLower(data), []byte(`\ud`)) {
		return object, errUnsure
	}
	return object, nil
}

// referenceWalk looks at names and depth, token by token.
func referenceWalk(decoder *json.Decoder, depth int) error {
	var names []map[string]bool // of the open objects; nil for an array
	wantName := false
	for {
		token, err := decoder.Token()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		top := len(names) - 1
		switch {
		case token == json.Delim('{'):
			names = append(names, map[string]bool{})
		case token == json.Delim('['):
			names = append(names, nil)
		case token == json.Delim('}') || token == json.Delim(']'):
			names = names[:top]
		case wantName:
			name := token.(string)
			if names[top][name] {
				return errors.New("a member twice")
			}
			names[top][name] = true
			wantName = false
			continue
		}
		if len(names) > depth {
			return errors.New("too deep")
		}
		wantName = len(names) > 0 && names[len(names)-1] != nil
	}
}

// referenceToken verifies the signature and returns header and claims.
func referenceToken(raw string, alg jose.SignatureAlgorithm, key any) (header, claims map[string]any, err error) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 || len(raw) > 8192 {
		return nil, nil, errors.New("not three parts of at most 8 KiB in all")
	}
	var decoded [3][]byte
	for i, part := range parts {
		if decoded[i], err = base64.RawURLEncoding.DecodeString(part); err != nil {
			return nil, nil, err
		}
		if part == "" || base64.RawURLEncoding.EncodeToString(decoded[i]) != part {
			return nil, nil, errors.New("a part that is empty or not canonical")
		}
	}
	header, errHeader := referenceObject(decoded[0], 1)
	claims, errClaims := referenceObject(decoded[1], 32)
	for _, err := range []error{errHeader, errClaims} {
		if err != nil && !errors.Is(err, errUnsure) {
			return nil, nil, err
		}
	}
	for name, value := range header {
		text, isText := value.(string)
		if !isText || !strings.Contains(" alg kid typ x5t x5t#S256 ", " "+name+" ") || strings.Contains(name, " ") || name == "" {
			return nil, nil, errors.New("a header that we do not make")
		}
		if name == "kid" && (text == "" || len(text) > 128) {
			return nil, nil, errors.New("kid")
		}
	}
	if header["alg"] != string(alg) {
		return nil, nil, errors.New("alg")
	}
	signed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{alg})
	if err != nil {
		return nil, nil, err
	}
	payload, err := signed.Verify(key)
	if err != nil || !bytes.Equal(payload, decoded[1]) {
		return nil, nil, errors.Join(err, errors.New("signature"))
	}
	return header, claims, errors.Join(errHeader, errClaims)
}

// referenceClaims checks what all our tokens have, and returns the claims that
// are strings and the times.
func referenceClaims(claims map[string]any, issuer string, now time.Time, minimum map[string]int) error {
	for name := range claims {
		lower := strings.ToLower(name)
		for _, known := range []string{"iss", "userid", "sid", "service", "permissions", "use", "jti", "iat", "nbf", "exp", "aud"} {
			if name != known && strings.EqualFold(lower, known) {
				return errors.New("a name in another case")
			}
		}
	}
	if _, has := claims["aud"]; has || claims["iss"] != issuer {
		return errors.New("aud or iss")
	}
	for name, least := range minimum {
		value, has := claims[name]
		if !has && least < 0 {
			continue
		}
		text, isText := value.(string)
		if !isText || len(text) < max(least, -least) || len(text) > 128 || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return errors.New(name)
		}
	}
	return referenceTimes(claims, now)
}

func referenceTimes(claims map[string]any, now time.Time) error {
	at := map[string]float64{}
	for _, name := range []string{"exp", "iat", "nbf"} {
		value, has := claims[name]
		if !has && name != "exp" {
			continue
		}
		number, isNumber := value.(float64)
		if !isNumber || math.IsNaN(number) || number < 0 || number > 253402300799 {
			return errors.New(name)
		}
		at[name] = number
	}
	seconds := float64(now.Unix())
	if at["iat"] > seconds+60 || at["nbf"] > seconds+60 || at["exp"] <= seconds {
		return errors.New("the times")
	}
	return nil
}
