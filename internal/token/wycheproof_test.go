package token

import (
	"bytes"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"slices"
	"testing"

	"github.com/c2sp/wycheproof"
	"github.com/lestrrat-go/jwx/v2/jwa"
)

// Project Wycheproof's vectors: attacks that other people's libraries have
// fallen for. Those about signatures are also put into tokens that are ours in
// all else, so that nothing but the signature can be what is refused.

type wycheproofGroup struct {
	Comment         string
	PublicKeyPem    string
	Public, Private json.RawMessage // JWK
	Tests           []wycheproofCase
}

type wycheproofCase struct {
	TcID               int
	Comment, Result    string
	Key, Msg, Sig, Tag string // hex
	JWS                json.RawMessage
}

func wycheproofGroups(t *testing.T, file string) []wycheproofGroup {
	t.Helper()
	reader, err := wycheproof.TestVectors.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	var vectors struct{ TestGroups []wycheproofGroup }
	if err := json.NewDecoder(reader).Decode(&vectors); err != nil || len(vectors.TestGroups) == 0 {
		t.Fatalf("%s: %d groups, %v", file, len(vectors.TestGroups), err)
	}
	return vectors.TestGroups
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// S1: RSASSA-PKCS1-v1_5 with SHA-256 is checked to the bit: paddings that were
// changed, are BER, or hide bytes (Bleichenbacher's forgery with a small
// exponent, CVE-2006-4339 and kin) are no signatures. Neither is one with a
// DigestInfo without its NULL, which the vectors leave open.
func TestWycheproofRSA(t *testing.T) {
	for _, file := range []string{"rsa_signature_2048_sha256_test.json", "rsa_signature_3072_sha256_test.json", "rsa_signature_4096_sha256_test.json"} {
		good, forged := 0, 0
		for _, group := range wycheproofGroups(t, file) {
			block, _ := pem.Decode([]byte(group.PublicKeyPem))
			parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			key := parsed.(*rsa.PublicKey)
			for _, test := range group.Tests {
				message, signature := unhex(t, test.Msg), unhex(t, test.Sig)
				c := compact{signed: message, signature: signature}
				if err := c.verify(jwa.RS256, key); (err == nil) != (test.Result == "valid") {
					t.Errorf("%s %d (%s, %s): %v", file, test.TcID, test.Result, test.Comment, err)
				}
				if token, ok := transplant(t, key, message, signature); ok {
					_, err := testRing(t).VerifyPermission(token, testNow)
					if (err == nil) != (test.Result == "valid") {
						t.Errorf("%s %d (%s, %s) in our token: %v", file, test.TcID, test.Result, test.Comment, err)
					}
					if test.Result == "valid" {
						good++
					} else {
						forged++
					}
				}
			}
		}
		if file == "rsa_signature_2048_sha256_test.json" && (good < 5 || forged < 200) {
			t.Errorf("%s: only %d good and %d forged tokens were made", file, good, forged)
		}
	}
}

// transplant makes a permission token whose signature has the fault of a vector:
// what the vector's signature opens to, with the digest of our token in place of
// its own, closed with our key.
func transplant(t *testing.T, key *rsa.PublicKey, message, signature []byte) (token string, ok bool) {
	t.Helper()
	private := testPrivate(t)
	s := new(big.Int).SetBytes(signature)
	if key.N.BitLen() != private.N.BitLen() || s.Cmp(key.N) >= 0 {
		return "", false
	}
	opened := new(big.Int).Exp(s, big.NewInt(int64(key.E)), key.N).FillBytes(make([]byte, key.Size()))
	digest := sha256.Sum256(message)
	signed := b64(permissionHeader(t)) + "." + b64(permissionPayload())
	own := sha256.Sum256([]byte(signed))
	image := new(big.Int).SetBytes(bytes.Replace(opened, digest[:], own[:], 1))
	if image.Cmp(private.N) >= 0 {
		return "", false
	}
	closed := image.Exp(image, private.D, private.N).FillBytes(make([]byte, private.Size()))
	// A signature of another length keeps it.
	if extra := len(signature) - key.Size(); extra > 0 {
		closed = append(make([]byte, extra), closed...)
	} else if extra < 0 {
		closed = closed[-extra:]
	}
	return signed + "." + b64(string(closed)), true
}

// S1: a MAC counts in full length and to the bit.
func TestWycheproofHMAC(t *testing.T) {
	full := 0
	for _, group := range wycheproofGroups(t, "hmac_sha256_test.json") {
		for _, test := range group.Tests {
			key, message, tag := unhex(t, test.Key), unhex(t, test.Msg), unhex(t, test.Tag)
			want := test.Result == "valid" && len(tag) == sha256.Size
			c := compact{signed: message, signature: tag}
			if err := c.verify(jwa.HS256, key); (err == nil) != want {
				t.Errorf("%d (%s, %s, %d bytes): %v", test.TcID, test.Result, test.Comment, len(tag), err)
			}
			// The same fault in a session token of ours: what differs from the right
			// MAC, and the length.
			mac := hmac.New(sha256.New, key)
			mac.Write(message)
			signed := b64(sessionHeader(t)) + "." + b64(sessionPayload())
			own := hmac.New(sha256.New, testSessionKey(t).secret)
			own.Write([]byte(signed))
			fault, image := mac.Sum(nil), own.Sum(nil)
			for i := range tag {
				fault[i] ^= tag[i]
				image[i] ^= fault[i]
			}
			if _, err := testRing(t).VerifySession(signed+"."+b64(string(image[:len(tag)])), testNow); (err == nil) != want {
				t.Errorf("%d (%s, %s) in our token: %v", test.TcID, test.Result, test.Comment, err)
			}
			if want {
				full++
			}
			// A session key has 32 bytes or more (RFC 7518, section 3.2).
			text := []byte(base64.RawURLEncoding.EncodeToString(key))
			if _, err := ParseSessionKey(text); (err == nil) != (len(key) >= 32) {
				t.Errorf("a session key of %d bytes: %v", len(key), err)
			}
		}
	}
	if full < 30 {
		t.Errorf("only %d good MACs", full)
	}
}

// S1, S2, S3: JWS vectors. None is a token of ours, for its claims, so no
// verifier accepts one. Where the key is of our kinds, form and signature alone
// must tell the good ones from the bad.
func TestWycheproofJWS(t *testing.T) {
	// What we refuse though the vectors call it valid: S3 wants parts that are not
	// empty, in canonical base64url.
	stricter := []string{"emptyPayload", "InvalidCharacterInsertedInHeader", "InvalidCharacterInsertedInPayload"}
	ring := testRing(t)
	accepted, refused := 0, 0
	for _, file := range []string{"json_web_signature_test.json", "json_web_crypto_test.json", "json_web_key_test.json"} {
		for _, group := range wycheproofGroups(t, file) {
			alg, key := group.key(t)
			for _, test := range group.Tests {
				if test.JWS == nil {
					continue // a JWE
				}
				var raw string
				if json.Unmarshal(test.JWS, &raw) != nil {
					raw = string(test.JWS) // the JSON serialisation
				}
				_, errPermission := ring.VerifyPermission(raw, testNow)
				_, errSession := ring.VerifySession(raw, testNow)
				_, _, errLegacy := NewLegacy(testPEM).Verify(raw, testNow)
				if errPermission == nil || errSession == nil || errLegacy == nil {
					t.Errorf("%s %d (%s) is a token of ours", file, test.TcID, test.Comment)
				}
				if key == nil || group.Comment == "jws_rsa_roca_key" {
					continue // how an operator's key was made cannot be seen (CVE-2017-15361)
				}
				err := verifyAnyPayload(raw, alg, key)
				if want := test.Result == "valid" && !slices.Contains(stricter, test.Comment); (err == nil) != want {
					t.Errorf("%s %d (%s, %s): %v", file, test.TcID, test.Result, test.Comment, err)
				}
				if err == nil {
					accepted++
				} else {
					refused++
				}
			}
		}
	}
	if accepted < 10 || refused < 250 {
		t.Errorf("%d vectors were accepted and %d refused", accepted, refused)
	}
}

// key is the group's one key, if it is for one of our two algorithms and fits
// (S43); nil otherwise.
func (g wycheproofGroup) key(t *testing.T) (alg jwa.SignatureAlgorithm, fit any) {
	t.Helper()
	text := g.Public
	if text == nil {
		text = g.Private
	}
	type key struct{ Alg, Kty, Use, K, N, E string }
	var set struct {
		key
		Keys []key
	}
	if err := json.Unmarshal(text, &set); err != nil {
		t.Fatal(err)
	}
	jwk := set.key
	if len(set.Keys) == 1 {
		jwk = set.Keys[0]
	}
	decode := func(text string) []byte {
		data, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	switch {
	case jwk.Use == "enc":
	case jwk.Kty == "oct" && jwk.Alg == "HS256":
		if secret, err := ParseSessionKey([]byte(base64.RawURLEncoding.EncodeToString(decode(jwk.K)))); err == nil {
			return jwa.HS256, secret.secret
		}
	case jwk.Kty == "RSA" && jwk.Alg == "RS256":
		public := &rsa.PublicKey{N: new(big.Int).SetBytes(decode(jwk.N)), E: int(new(big.Int).SetBytes(decode(jwk.E)).Int64())}
		if accepted, err := newPublicKey(public); err == nil {
			return jwa.RS256, accepted.key
		}
	}
	return "", nil
}

// verifyAnyPayload does what a verifier does, but for the payload, which need
// not be claims.
func verifyAnyPayload(raw string, alg jwa.SignatureAlgorithm, key any) error {
	first, second, third, ok := split(raw)
	if !ok {
		return ErrInvalid
	}
	head, err := parseHeader(first)
	if err != nil {
		return err
	}
	if head.alg != alg.String() {
		return ErrInvalid
	}
	_, okPayload := decodePart(second)
	signature, okSignature := decodePart(third)
	if !okPayload || !okSignature {
		return ErrInvalid
	}
	return (&compact{signed: []byte(first + "." + second), signature: signature}).verify(alg, key)
}

// S43: keys that anybody could sign with are none, whatever the vectors' tokens
// look like.
func TestWycheproofKeys(t *testing.T) {
	seen := 0
	for _, group := range wycheproofGroups(t, "json_web_key_test.json") {
		if !slices.Contains([]string{"keysize_too_small", "exponentOne"}, group.Comment) && !(group.Comment == "HS256" && group.Tests[0].Result == "invalid") {
			continue
		}
		seen++
		if _, key := group.key(t); key != nil {
			t.Errorf("%s (%s) is a key", group.Comment, group.Tests[0].Comment)
		}
	}
	if seen < 4 {
		t.Errorf("only %d bad keys", seen)
	}
}
