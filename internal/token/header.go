package token

import (
	"encoding/base64"
	"encoding/json"
)

// The values of the "typ" header, by which kinds differ besides their keys (S4).
// They are compared byte for byte. RFC 7519 makes "typ" optional; here it is
// not, since every token that was ever issued has it.
const (
	typSession    = "session+jwt"
	typPermission = "JWT"
)

// header is what is used of a token's header.
type header struct {
	alg, kid, typ  string
	hasKid, hasTyp bool
}

// parseHeader reads the first part of a token. Members that it does not know
// make the token invalid, though RFC 7515 would have them ignored: whoever signs
// tokens with our keys sets none, and so "crit", "b64", "zip", "jwk", "jku",
// "x5u", "x5c", "enc", "cty" and all spellings of the others are refused without
// a list that could be incomplete (S2, S3).
func parseHeader(part string) (header, error) {
	data, ok := decodePart(part)
	if !ok {
		return header{}, invalid("header: not canonical base64url")
	}
	members, err := parseObject(data, 1)
	if err != nil {
		return header{}, invalid("header: " + err.Error())
	}
	var h header
	for name, value := range members {
		text, ok := value.(string)
		if !ok {
			return header{}, invalid("header: a member is not a string")
		}
		switch name {
		case "alg":
			h.alg = text
		case "kid":
			h.kid, h.hasKid = text, true
		case "typ":
			h.typ, h.hasTyp = text, true
		case "x5t", "x5t#S256":
			// Only the name of a certificate: nothing is looked up by it.
		default:
			return header{}, invalid("header: a member that is not allowed")
		}
	}
	if h.hasKid && (h.kid == "" || len(h.kid) > maxName) {
		return header{}, invalid("header: kid is empty or too long")
	}
	return h, nil
}

// check compares the header with what the kind prescribes (S1, S4).
func (h header) check(alg, typ string) error {
	if h.alg != alg {
		return invalid("header: wrong alg")
	}
	if h.typ != typ {
		return invalid("header: wrong typ")
	}
	return nil
}

// newHead returns the encoded header of the tokens that a key signs, with the
// period after it.
func newHead(alg, kid, typ string) (string, error) {
	data, err := json.Marshal(struct {
		Alg string `json:"alg"`
		Kid string `json:"kid"`
		Typ string `json:"typ"`
	}{alg, kid, typ})
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(data) + ".", nil
}
