package token

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
)

func pemText(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// must is for what cannot fail with the keys of these tests.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func TestParseSigningKeyForms(t *testing.T) {
	private := testPrivate(t)
	pkcs8 := pemText("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(private)))
	pkcs1 := pemText("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(private))
	pkix := pemText("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(&private.PublicKey)))
	rsaPublic := pemText("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&private.PublicKey))
	escaped := func(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\n"), []byte(`\n`)) }
	quoted := func(text []byte) []byte { return []byte(`"` + string(text) + `"`) }
	crlf := func(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")) }

	tests := []struct {
		name            string
		private, public []byte
		published       []byte
	}{
		{"PKCS#8", pkcs8, nil, pkix},
		{"PKCS#1", pkcs1, nil, pkix},
		{"blank public key", pkcs8, []byte(" \n"), pkix},
		{"PKIX public key", pkcs8, pkix, pkix},
		{"PKCS#1 public key", pkcs1, rsaPublic, rsaPublic},
		// contract, section 1.2: the PUBLIC_KEY text as set.
		{"public key without line break at the end", pkcs8, bytes.TrimSpace(pkix), bytes.TrimSpace(pkix)},
		{"public key with blank lines around", pkcs8, []byte("\n" + string(pkix) + "\n"), []byte("\n" + string(pkix) + "\n")},
		{"Windows line breaks", crlf(pkcs8), crlf(pkix), crlf(pkix)},
		{`line breaks as \n`, escaped(pkcs8), escaped(pkix), pkix},
		{`line breaks as \r\n`, escaped(pkcs1), bytes.ReplaceAll(pkix, []byte("\n"), []byte(`\r\n`)), pkix},
		{`quoted, line breaks as \n`, quoted(escaped(pkcs1)), quoted(escaped(pkix)), pkix},
		{"quoted", quoted(pkcs8), quoted(pkix), pkix},
		{"single quotes", []byte("'" + string(pkcs8) + "'"), nil, pkix},
		{"text around the private key", []byte("Bag Attributes\n" + string(pkcs8)), nil, pkix},
		{"certificate before the private key", append(pemText("CERTIFICATE", []byte("x")), pkcs8...), nil, pkix},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			given := bytes.Clone(test.public)
			key, err := ParseSigningKey(test.private, given)
			if err != nil {
				t.Fatal(err)
			}
			if !key.private.Equal(private) {
				t.Error("it is another key")
			}
			for i := range given {
				given[i] = 'x' // what was given is the caller's
			}
			if got := key.PublicPEM(); !bytes.Equal(got, test.published) {
				t.Errorf("public text %q, want %q", got, test.published)
			}
			again, err := ParseSigningKey(key.PrivatePEM(), key.PublicPEM())
			if err != nil {
				t.Fatalf("reading what was written: %v", err)
			}
			if again.ID() != key.ID() || !bytes.HasPrefix(key.PrivatePEM(), []byte("-----BEGIN PRIVATE KEY-----\n")) {
				t.Error("what was written is another key, or not PKCS#8")
			}
		})
	}
}

func TestParseSigningKeyErrors(t *testing.T) {
	private := testPrivate(t)
	der := must(x509.MarshalPKCS8PrivateKey(private))
	pkcs1 := x509.MarshalPKCS1PrivateKey(private)
	good := pemText("PRIVATE KEY", der)
	pkix := pemText("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(&private.PublicKey)))
	other := otherKey(t).PublicPEM()
	small := must(rsa.GenerateKey(rand.Reader, 1024))
	ec := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	edPublic, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	encrypted := pem.EncodeToMemory(&pem.Block{
		Type: "RSA PRIVATE KEY", Bytes: pkcs1,
		Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00"},
	})

	tests := []struct {
		name            string
		private, public []byte
		want            string
	}{
		{"nothing", nil, nil, "private key: empty"},
		{"blanks", []byte(" \n "), nil, "private key: empty"},
		{"empty quotes", []byte(`""`), nil, "private key: empty"},
		{"not PEM", []byte("hunter2-hunter2"), nil, "private key: no PEM block"},
		{"a path", []byte("/run/secrets/private.pem"), nil, "private key: no PEM block"},
		{"line breaks lost", bytes.ReplaceAll(good, []byte("\n"), []byte(" ")), nil, "a damaged PEM block"},
		{"cut off", good[:len(good)/2], nil, "a damaged PEM block"},
		{"public key as private", pkix, nil, `type "PUBLIC KEY", expected PRIVATE KEY or RSA PRIVATE KEY`},
		{"certificate", pemText("CERTIFICATE", der), nil, `type "CERTIFICATE"`},
		{"OpenSSH", pemText("OPENSSH PRIVATE KEY", der), nil, `type "OPENSSH PRIVATE KEY"`},
		{"encrypted PKCS#8", pemText("ENCRYPTED PRIVATE KEY", der), nil, "encrypted"},
		{"encrypted PKCS#1", encrypted, nil, "encrypted"},
		{"PKCS#1 in a PKCS#8 block", pemText("PRIVATE KEY", pkcs1), nil, "does not hold a PKCS#8 key"},
		{"PKCS#8 in a PKCS#1 block", pemText("RSA PRIVATE KEY", der), nil, "does not hold a PKCS#1 key"},
		{"damaged", pemText("PRIVATE KEY", der[:500]), nil, "does not hold a PKCS#8 key"},
		{"elliptic curve in PKCS#8", pemText("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(ec))), nil, "not an RSA key but ecdsa.PrivateKey"},
		{"elliptic curve", pemText("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(ec))), nil, "not an RSA key but an EC PRIVATE KEY"},
		{"Ed25519", pemText("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(ed))), nil, "not an RSA key but ed25519.PrivateKey"},
		// S43
		{"1024 bits", pemText("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(small)), nil, "1024 bits, expected at least 2048"},

		{"public key not PEM", good, []byte("hunter2-hunter2"), "public key: no PEM block"},
		{"public key damaged", good, pemText("PUBLIC KEY", der[:30]), "public key: the PUBLIC KEY block"},
		{"public key of another pair", good, other, "public key: it does not belong to the private key"},
		{"public key not RSA", good, pemText("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(edPublic))), "public key: not an RSA key"},
		{"public key in a certificate", good, pemText("CERTIFICATE", der), `public key: a PEM block of type "CERTIFICATE"`},
		{"PKIX in a PKCS#1 block", good, pemText("RSA PUBLIC KEY", must(x509.MarshalPKIXPublicKey(&private.PublicKey))), "public key: the RSA PUBLIC KEY block"},
		// S43: the text is published as it is. All of these would publish more than
		// the public key.
		{"private key as public", good, good, "public key: it holds a private key"},
		{"both keys as public", good, append(bytes.Clone(pkix), good...), "public key: it holds a private key"},
		{"private key without its frame", good, append(bytes.Clone(pkix), bytes.Split(good, []byte("\n"))[1]...), "public key: there is text beside"},
		{"text before", good, append([]byte("password: hunter2-hunter2\n"), pkix...), "public key: there is text beside"},
		{"two public keys", good, append(bytes.Clone(pkix), other...), "public key: there is text beside"},
		{"public key with a header", good, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Headers: map[string]string{"Comment": "hunter2-hunter2"}, Bytes: must(x509.MarshalPKIXPublicKey(&private.PublicKey))}), "public key: there is text beside"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			key, err := ParseSigningKey(test.private, test.public)
			if err == nil {
				t.Fatalf("accepted as %v", key)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %q, want %q", err, test.want)
			}
			// S41: no line of what was given is in the error.
			for _, line := range strings.Fields(string(test.private) + "\n" + string(test.public)) {
				if len(line) > 12 && strings.Contains(err.Error(), line) {
					t.Errorf("error %q repeats %q", err, line)
				}
			}
		})
	}
}

// osConductorKey is the public half of the pair in os-conductor's source
// (contract, section 3): whoever runs it unconfigured signs with a key that
// everybody has.
const osConductorKey = "zSrV_SxRNKufc6f0GQIuYMASgBCOiJW5fvCnGtVMIrWvBQoCFAp9QwRHrbQrQJiPg6YqqnTvGhWssL5LMMvR8jXXOpFUKzYaSgYaQt1L" +
	"NMCwtqMB0FGSDjBrbmEmnDSo6g0Naxhi-SJX3BMcce1WTgKRybv3N3F-gJ9d8wPkyx9xhd3H4200lHk4T5XK5-LyAPSnP7FNUYTdJRRxKFWgZFuII-Ex6mtUKU9LZsg9xeAC" +
	"6033dmSYe5yWfdrFehmQvPBUVH4HLtL1fXTNyXuzZwtO1v61Qc1u_j7gMsrHXW-4csjS3lDwiiPIg6q1hTA7QJdB1M-rja2MG-owL0U9ow"

func TestPublishedKeyIsRefused(t *testing.T) {
	modulus := new(big.Int).SetBytes(must(base64.RawURLEncoding.DecodeString(osConductorKey)))
	public := &rsa.PublicKey{N: modulus, E: 65537}
	if _, err := newPublicKey(public); err == nil || !strings.Contains(err.Error(), "os-conductor") {
		t.Errorf("got error %v", err)
	}
	_, err := NewVerifier(testIssuer, pemText("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(public))))
	if err == nil || !strings.Contains(err.Error(), "os-conductor") {
		t.Errorf("verifier: got error %v", err)
	}
}

// An exponent of 1 makes every signature its own message.
func TestWeakExponentIsRefused(t *testing.T) {
	for _, exponent := range []int{0, 1, 2, 4, 65536} {
		if _, err := newPublicKey(&rsa.PublicKey{N: testPrivate(t).N, E: exponent}); err == nil {
			t.Errorf("exponent %d is accepted", exponent)
		}
	}
}

// The ID is the RFC 7638 thumbprint, worked out here by hand.
func TestSigningKeyID(t *testing.T) {
	key := testSigningKey(t)
	text := `{"e":"AQAB","kty":"RSA","n":"` + base64.RawURLEncoding.EncodeToString(key.private.N.Bytes()) + `"}`
	sum := sha256.Sum256([]byte(text))
	if want := base64.RawURLEncoding.EncodeToString(sum[:]); key.ID() != want {
		t.Errorf("got %s, want %s", key.ID(), want)
	}
}

func TestGenerateSigningKey(t *testing.T) {
	a, b := must(GenerateSigningKey()), otherKey(t)
	if a.ID() == b.ID() {
		t.Error("the same key twice")
	}
	if bits := a.private.N.BitLen(); bits != 2048 {
		t.Errorf("%d bits", bits)
	}
	if _, err := ParseSigningKey(a.PrivatePEM(), a.PublicPEM()); err != nil {
		t.Errorf("reading what was written: %v", err)
	}
}

// S41, S43: no verb of fmt and no encoder that a logger or a configuration dump
// might use shows the key.
func TestKeysAreNotPrinted(t *testing.T) {
	signing, session := testSigningKey(t), testSessionKey(t)
	secrets := []string{
		"PRIVATE", testSecret, string(session.secret), fmt.Sprint(session.secret), fmt.Sprintf("%x", session.secret),
		signing.private.D.String(), signing.private.D.Text(16), signing.private.Primes[0].String(), fmt.Sprint(signing.privatePEM[40:60]),
	}
	for _, key := range []any{signing, session, *signing, *session} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X"} {
			text := fmt.Sprintf(verb, key)
			for _, secret := range secrets {
				if strings.Contains(text, secret) {
					t.Errorf("%s of %T shows the key", verb, key)
				}
			}
			if !strings.Contains(text, signing.ID()) && !strings.Contains(text, session.ID()) {
				t.Errorf("%s of %T does not name the key: %q", verb, key, text)
			}
		}
		if text := must(json.Marshal(key)); string(text) != "{}" {
			t.Errorf("%T as JSON: %s", key, text)
		}
	}
}
