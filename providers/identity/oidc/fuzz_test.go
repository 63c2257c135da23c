package oidc

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
)

// S24: of a key set, only public keys that fit the configured algorithm and
// cannot be factored are used; no text makes more of them than it has.
func FuzzParseKeys(f *testing.F) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		f.Fatal(err)
	}
	for _, k := range []any{
		jose.JSONWebKey{Key: &key.PublicKey, KeyID: "a", Use: "sig", Algorithm: "RS256"},
		jose.JSONWebKey{Key: key, KeyID: "private"},
		jose.JSONWebKey{Key: []byte("secret-secret-secret-secret-secret"), KeyID: "hmac"},
		map[string]any{"kty": "RSA", "n": "AQ", "e": "AQ"},
		map[string]any{"kty": "RSA", "n": "", "e": "AQAB"},
		map[string]any{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
		map[string]any{"kty": "OKP", "crv": "Ed25519", "x": "AA"},
		map[string]any{"kty": "RSA", "x5c": []string{"MIIB"}, "x5u": "https://evil.example"},
		42, nil,
	} {
		set, err := json.Marshal(map[string][]any{"keys": {k, k}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(set)
	}
	f.Add([]byte(`{"keys":null}`))
	f.Add([]byte(`{"keys":[],"Keys":[{}]}`))
	f.Add([]byte(`{"keys":[` + strings.Repeat("0,", maxKeys) + `0]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, algorithm := range []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256, jose.EdDSA} {
			keys, err := parseKeys(body, algorithm)
			if err != nil {
				if len(keys) > 0 || len(body) > 40 && strings.Contains(err.Error(), string(body)) {
					t.Errorf("%q: %d keys, %v", body, len(keys), err)
				}
				continue
			}
			if len(keys) > maxKeys {
				t.Errorf("%d keys", len(keys))
			}
			for _, key := range keys {
				if !key.IsPublic() || !key.Valid() || key.Use == "enc" || key.Algorithm != "" && key.Algorithm != string(algorithm) {
					t.Errorf("%q gives %+v for %s", body, key, algorithm)
				}
				if public, ok := key.Key.(*rsa.PublicKey); ok && (public.N.BitLen() < 2048 || public.E < 2 || algorithm != jose.RS256 && algorithm != jose.PS256) {
					t.Errorf("%q gives an RSA key of %d bits and exponent %d for %s", body, public.N.BitLen(), public.E, algorithm)
				}
				// What is no signature stays none, and none of it panics.
				if token, err := jose.ParseSignedCompact("eyJhbGciOiJSUzI1NiJ9.e30.AA", []jose.SignatureAlgorithm{jose.RS256}); err == nil {
					if payload, err := verifyWith(keys, token); err == nil {
						t.Errorf("%q verifies %q", body, payload)
					}
				}
			}
		}
	})
}

// S24, S27: an id_token is for this sign-in by the plain reading of its claims,
// and of an identity only the verified, well-formed address counts.
func FuzzIDTokenClaims(f *testing.F) {
	now := time.Unix(1_700_000_000, 0)
	good := `{"iss":"https://idp.example","aud":"gateway","sub":"1","nonce":"n","iat":1700000000,"exp":1700000060`
	for _, payload := range []string{
		good + `}`, good + `,"email":"a@example.com","email_verified":true}`, good + `,"email":"a@b@example.com","email_verified":"true"}`, good + `,"email":"a@example.com","email_verified":1}`,
		good + `,"azp":"gateway","aud":["x","gateway"]}`, good + `,"SUB":"2","Iss":"x"}`, good + `,"nbf":1800000000}`, good + `,"sub":"2","sub":"3"}`, good + `,"exp":"1700000060"}`, good + `,"nonce":null}`,
		`null`, `[]`, `{}`, good + `,"name":"a\nb\u0000","picture":"javascript:x","preferred_username":"../../a"}`, good + `,"groups":["a",1,{}]}`, good + `,"aud":{"gateway":"gateway"}}`, strings.Replace(good, `"gateway"`, `["gateway",1]`, 1) + `}`, strings.Replace(good, `"gateway"`, `[null,"gateway"],"azp":"gateway"`, 1) + `}`, good + `,"iat":1e300}`,
	} {
		f.Add([]byte(payload))
	}
	p := &Provider{issuer: "https://idp.example", clientID: "gateway", now: func() time.Time { return now }}
	f.Fuzz(func(t *testing.T, payload []byte) {
		members, err := idp.DecodeObject(payload)
		if err != nil {
			return
		}
		c := claims(members)
		err = p.checkClaims(c, "n")
		number := func(name string) float64 {
			if n, ok := c[name].(float64); ok && !math.IsInf(n, 0) {
				return n
			}
			return math.NaN()
		}
		audience := []any{c["aud"]}
		if list, ok := c["aud"].([]any); ok {
			audience = list
		}
		onlyTexts := !slices.ContainsFunc(audience, func(v any) bool { _, isText := v.(string); return !isText })
		azp, hasAzp := c["azp"]
		subject, _ := c["sub"].(string)
		const at = 1_700_000_000
		want := c["iss"] == "https://idp.example" && onlyTexts && slices.Contains(audience, any("gateway")) && (hasAzp && azp == "gateway" || !hasAzp && len(audience) == 1) &&
			subject != "" && len(subject) <= 255 && !strings.ContainsFunc(subject, func(r rune) bool { return r < ' ' || r > '~' }) && c["nonce"] == "n" &&
			number("exp") > at-60 && number("iat") < at+61 && number("iat") >= at-660
		if err == nil && !want {
			t.Errorf("%q is accepted", payload)
		}
		if _, has := c["nbf"]; err != nil && want && !has && math.Abs(number("exp")) < 1e11 && math.Trunc(number("exp")) == number("exp") {
			t.Errorf("%q: %v", payload, err)
		}
		if err != nil {
			return
		}
		identity := p.identity(maps.Clone(c))
		if identity.Issuer != p.issuer || identity.Subject != subject {
			t.Errorf("%q is %+v", payload, identity)
		}
		if identity.EmailVerified && (c["email_verified"] != true || identity.Email != c["email"]) || identity.Email != "" && !idp.ValidEmail(identity.Email) {
			t.Errorf("%q has the address %q, verified %t", payload, identity.Email, identity.EmailVerified)
		}
		if strings.ContainsAny(identity.Name+identity.Username, "\r\n\x00") || identity.AvatarURL != "" && !strings.HasPrefix(strings.ToLower(identity.AvatarURL), "http") {
			t.Errorf("%q is %+v", payload, identity)
		}
	})
}
