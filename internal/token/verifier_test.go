package token

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
)

// A service that has fetched the public key once can verify.
func TestVerifier(t *testing.T) {
	ring := testRing(t)
	raw := must(ring.SignPermission(testPermission()))
	pkcs1 := pemText("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&testPrivate(t).PublicKey))
	for name, text := range map[string][]byte{
		"PKIX": ring.PublicKeyPEM(), "PKCS#1": pkcs1, "from an environment file": []byte(strings.ReplaceAll(string(pkcs1), "\n", `\n`)),
	} {
		for _, issuer := range []string{testIssuer, ""} {
			verifier, err := NewVerifier(issuer, text)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got, err := verifier.Permission(raw, testNow)
			if err != nil {
				t.Fatalf("%s, issuer %q: %v", name, issuer, err)
			}
			if !reflect.DeepEqual(got, testPermission()) {
				t.Errorf("%s: got %+v", name, got)
			}
			_, err = verifier.Permission(raw, testNow.Add(time.Hour))
			checkRefused(t, err, ErrExpired, "exp: in the past", raw)
		}
	}
}

// Issuer "" is any, but there must be one.
func TestVerifierIssuer(t *testing.T) {
	pem := testSigningKey(t).PublicPEM()
	pinned, open := must(NewVerifier(otherIssuer, pem)), must(NewVerifier("", pem))
	raw := must(testRing(t).SignPermission(testPermission()))
	_, err := pinned.Permission(raw, testNow)
	checkRefused(t, err, ErrInvalid, "iss: ", raw)
	raw = forgePermission(t, permissionHeader(t), permissionPayload(`"iss":"https://app.example.com",`, ""))
	_, err = open.Permission(raw, testNow)
	checkRefused(t, err, ErrInvalid, "iss: ", raw)
}

// S2: during a rotation a service with the old key refuses the new key's tokens,
// with and without kid, and fetches nothing.
func TestVerifierOfAnotherKey(t *testing.T) {
	verifier := must(NewVerifier(testIssuer, otherKey(t).PublicPEM()))
	raw := must(testRing(t).SignPermission(testPermission()))
	_, err := verifier.Permission(raw, testNow)
	checkRefused(t, err, ErrInvalid, "unknown kid", raw)
	raw = forge(t, jwa.RS256, testPrivate(t), `{"alg":"RS256","typ":"JWT"}`, permissionPayload())
	_, err = verifier.Permission(raw, testNow)
	checkRefused(t, err, ErrInvalid, "signature: does not match", raw)
}

// The zero Verifier knows no key and accepts nothing.
func TestZeroVerifier(t *testing.T) {
	raw := must(testRing(t).SignPermission(testPermission()))
	_, err := new(Verifier).Permission(raw, testNow)
	checkRefused(t, err, ErrInvalid, "unknown kid", raw)
	raw = forge(t, jwa.RS256, testPrivate(t), `{"alg":"RS256","typ":"JWT"}`, permissionPayload())
	_, err = new(Verifier).Permission(raw, testNow)
	checkRefused(t, err, ErrInvalid, "unknown kid", raw)
}

func TestNewVerifierErrors(t *testing.T) {
	small := must(rsa.GenerateKey(rand.Reader, 1024))
	for _, test := range []struct {
		name, pem, want string
	}{
		{"nothing", "", "empty, expected PEM"},
		{"not PEM", "hunter2-hunter2", "no PEM block"},
		{"private key", string(testPEM), "it holds a private key"},
		{"1024 bits (S43)", string(pemText("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&small.PublicKey))), "1024 bits, expected at least 2048"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := NewVerifier(testIssuer, []byte(test.pem))
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}
