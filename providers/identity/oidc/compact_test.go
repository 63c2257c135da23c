package oidc

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"
)

// compactOf signs a header and a payload as they are, with RS256.
func compactOf(t testing.TB, key jose.JSONWebKey, header, payload string) string {
	t.Helper()
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	return text + "." + base64.RawURLEncoding.EncodeToString(signatureOf(t, key, text))
}

func signatureOf(t testing.TB, key jose.JSONWebKey, text string) []byte {
	t.Helper()
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key.Key.(*rsa.PrivateKey), crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

// S2, S3, S24: a header that says more than this verifier does. All of them are
// signed by the provider's key.
func TestIDTokenHeader(t *testing.T) {
	key := rsaKey(t, 2048, "a")
	k := newTestKeys(t, jose.RS256, jwks{"keys": {key.Public()}})
	for header, text := range map[string]string{ // in the error; "" means that it is believed
		`{"alg":"RS256","kid":"a"}`:                               "",
		`{"alg":"RS256","kid":"a","typ":"JWT"}`:                   "",
		`{"alg":"RS256","kid":"a","typ":"jwt"}`:                   "",
		`{"alg":"RS256","kid":"a","typ":"application/jwt"}`:       "",
		`{"alg":"RS256","kid":"a","typ":"APPLICATION/JWT","x":1}`: "",
		`{"alg":"RS256","kid":"a","typ":"at+jwt"}`:                "typ",
		`{"alg":"RS256","kid":"a","typ":"logout+jwt"}`:            "typ",
		`{"alg":"RS256","kid":"a","typ":"JWE"}`:                   "typ",
		`{"alg":"RS256","kid":"a","typ":"JWT "}`:                  "typ",
		`{"alg":"RS256","kid":"a","typ":""}`:                      "typ",
		`{"alg":"RS256","kid":"a","typ":null}`:                    "typ",
		`{"alg":"RS256","kid":"a","typ":1}`:                       "typ",
		`{"alg":"RS256","kid":"a","typ":["JWT"]}`:                 "typ",
		`{"alg":"RS256","kid":"a","crit":["exp"],"exp":1}`:        "crit",
		`{"alg":"RS256","kid":"a","crit":[]}`:                     "crit",
		`{"alg":"RS256","kid":"a","crit":null}`:                   "crit",
		`{"alg":"RS256","kid":"a","b64":true}`:                    "b64",
		`{"alg":"RS256","kid":"a","b64":false,"crit":["b64"]}`:    "crit",
		`{"alg":"RS256","kid":"a","zip":"DEF"}`:                   "zip",
		`{"alg":"RS256","kid":"a","zip":null}`:                    "zip",
		`{"alg":"none","alg":"RS256","kid":"a"}`:                  "twice",
		`{"alg":"RS256","kid":"a","kid":"a"}`:                     "twice",
		`{"alg":"RS256","kid":"b","k\u0069d":"a"}`:                "twice",
		`{"alg":"RS256","kid":"a"}{}`:                             "behind",
		`{"alg":"RS256","kid":"a"`:                                "not JSON",
		"{\"alg\":\"RS256\",\"kid\":\"a\",\"x\":\"\xff\"}":        "UTF-8",
		`[{"alg":"RS256","kid":"a"}]`:                             "not a JSON object",
		`null`:                                                    "not a JSON object",
		`{"alg":"RS256","kid":1}`:                                 "RS256",
		`{"alg":"rs256","kid":"a"}`:                               "RS256",
		`{"ALG":"RS256","kid":"a"}`:                               "RS256",
		`{"alg":["RS256"],"kid":"a"}`:                             "RS256",
		`{"alg":"RS256","kid":"a","x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`: "deep",
	} {
		payload, err := k.verify(t.Context(), compactOf(t, key, header, `{"sub":"1"}`))
		if text == "" {
			if err != nil || string(payload) != `{"sub":"1"}` {
				t.Errorf("%s: %s, %v; want the payload", header, payload, err)
			}
			continue
		}
		if err == nil || payload != nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %s, %v; want an error with %q", header, payload, err, text)
		}
	}
}

// S3: one token has one spelling. Whoever can write it in a second way gets
// past what remembers tokens by their text.
func TestIDTokenSpelling(t *testing.T) {
	key := rsaKey(t, 2048, "a")
	k := newTestKeys(t, jose.RS256, jwks{"keys": {key.Public()}})
	// Parts of 1 and 2 bytes beyond a multiple of 3, so that all end in stray bits.
	good := compactOf(t, key, `{"alg":"RS256","kid":"a"}`, `{"sub":"11"}`+" ")
	if _, err := k.verify(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	with := func(i int, part string) string {
		changed := []string{parts[0], parts[1], parts[2]}
		changed[i] = part
		return strings.Join(changed, ".")
	}
	refuse := func(name, token string) {
		t.Helper()
		if payload, err := k.verify(t.Context(), token); err == nil || !strings.Contains(err.Error(), "not a JWT") {
			t.Errorf("%s: %s, %v; want that it is not a JWT", name, payload, err)
		}
	}
	for i, part := range parts {
		stray := part[:len(part)-1] + string(next(part[len(part)-1]))
		a, errA := base64.RawURLEncoding.DecodeString(part)
		b, errB := base64.RawURLEncoding.DecodeString(stray)
		if errA != nil || errB != nil || string(a) != string(b) {
			t.Fatalf("%q and %q are not the same bytes", part, stray)
		}
		signedAgain := with(i, stray)
		if i < 2 { // the signature is about the text, so the attacker is the signer
			head := signedAgain[:strings.LastIndexByte(signedAgain, '.')]
			signedAgain = head + "." + base64.RawURLEncoding.EncodeToString(signatureOf(t, key, head))
		}
		refuse("stray bits", signedAgain)
		for name, other := range map[string]string{
			"empty": "", "padded": part + "==", "once padded": part + "=", "LF": part + "\n", "CR LF inside": part[:4] + "\r\n" + part[4:],
			"blank": part + " ", "blank before": " " + part, "the other alphabet": part[:len(part)-1] + "+", "a byte of another": part + "\x00", "not ASCII": part + "é",
		} {
			refuse(name, with(i, other))
		}
	}
	for name, token := range map[string]string{
		"nothing": "", "one part": parts[0], "two parts": parts[0] + "." + parts[1], "four parts": good + "." + parts[2],
		"five parts, a JWE": good + ".AA.AA", "a dot before": "." + good, "a dot behind": good + ".", "no signature": parts[0] + "." + parts[1] + ".",
		"JSON": `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
	} {
		refuse(name, token)
	}
}

// next is the base64url letter after another.
func next(letter byte) byte {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return letters[strings.IndexByte(letters, letter)+1]
}

// S3: an id_token has a limit of its own, below that of the answer it is in.
func TestIDTokenSize(t *testing.T) {
	key := rsaKey(t, 2048, "a")
	k := newTestKeys(t, jose.RS256, jwks{"keys": {key.Public()}})
	for bytes, ok := range map[int]bool{30_000: true, 48_000: true, 49_200: false, 500_000: false} {
		token := compactOf(t, key, `{"alg":"RS256","kid":"a"}`, `{"sub":"`+strings.Repeat("x", bytes)+`"}`)
		if _, err := k.verify(t.Context(), token); (err == nil) != ok {
			t.Errorf("a token of %d bytes: %v, want ok %v", len(token), err, ok)
		}
	}
}

// S3, S24: the claims are one strict JSON object, though the provider signed
// them.
func TestIDTokenPayload(t *testing.T) {
	key := rsaKey(t, 2048, "a")
	now := time.Unix(1_700_000_000, 0)
	p := &Provider{issuer: "i", clientID: "c", now: func() time.Time { return now }}
	meta := &metadata{keys: newTestKeys(t, jose.RS256, jwks{"keys": {key.Public()}})}
	const good = `{"iss":"i","aud":"c","sub":"1","nonce":"n","iat":1700000000,"exp":1700000060`
	for payload, text := range map[string]string{ // in the error; "" means that it is believed
		good + "}":                        "",
		" " + good + `,"SUB":"2"}` + "\n": "",
		good + "}garbage":                 "behind",
		good + `}{"sub":"2"}`:             "behind",
		good + `,"sub":"2"}`:              "twice",
		`{"sub":"2",` + good[1:] + "}":    "twice",
		good + `,"\u0073ub":"1"}`:         "twice",
		good + `,"a":[{"b":1,"b":1}]}`:    "twice",
		good + ",\"name\":\"\xff\"}":      "UTF-8",
		good:                              "not JSON",
		"[" + good + "}]":                 "not a JSON object",
		"null":                            "not a JSON object",
		good + `,"n":1e999}`:              "not a JSON object",
		good + `,"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "}": "deep",
	} {
		token := compactOf(t, key, `{"alg":"RS256","kid":"a"}`, payload)
		response := new(oauth2.Token).WithExtra(map[string]any{"id_token": token})
		c, err := p.idToken(t.Context(), meta, response, "n")
		if text == "" {
			if err != nil || c.text("sub") != "1" {
				t.Errorf("%s: %v, %v; want the claims", payload, c, err)
			}
			continue
		}
		if err == nil || c != nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v, %v; want an error with %q", payload, c, err, text)
		}
	}
}

// S2, S3: what passes is three parts, each the one spelling of its bytes.
func FuzzCheckCompact(f *testing.F) {
	encode := base64.RawURLEncoding.EncodeToString
	for _, header := range []string{`{"alg":"RS256"}`, `{"alg":"RS256","typ":"JWT"}`, `{"typ":1}`, `{"crit":[]}`, `{}{}`, `{"a":1,"a":1}`, `null`} {
		f.Add(encode([]byte(header)) + ".e30.AA")
	}
	for _, token := range []string{"", "..", "e30.e30.AB", "e30.e30.AA==", "e30.e3\n0.AA", "e30.e30.AA.AA", "e30.e30"} {
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if checkCompact(token) != nil {
			return
		}
		parts := strings.Split(token, ".")
		if len(parts) != 3 || len(token) > maxIDToken {
			t.Fatalf("%q is accepted", token)
		}
		for _, part := range parts {
			data, err := base64.RawURLEncoding.DecodeString(part)
			if err != nil || len(data) == 0 || encode(data) != part {
				t.Errorf("%q is accepted: part %q is %q, %v", token, part, data, err)
			}
		}
	})
}
