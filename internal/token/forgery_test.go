package token

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwa"
)

// forgery is a token that must not verify, and why it does not.
type forgery struct{ name, raw, reason string }

// refusedAsPermission checks that neither the ring nor a service's verifier
// takes any of the forgeries.
func refusedAsPermission(t *testing.T, forgeries []forgery) {
	t.Helper()
	ring := testRing(t)
	service, err := NewVerifier(testIssuer, ring.PublicKeyPEM())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range forgeries {
		t.Run(f.name, func(t *testing.T) {
			_, err := ring.VerifyPermission(f.raw, testNow)
			checkRefused(t, err, ErrInvalid, f.reason, f.raw)
			_, err = service.Permission(f.raw, testNow)
			checkRefused(t, err, ErrInvalid, f.reason, f.raw)
		})
	}
}

func refusedAsSession(t *testing.T, forgeries []forgery) {
	t.Helper()
	ring := testRing(t)
	for _, f := range forgeries {
		t.Run(f.name, func(t *testing.T) {
			_, err := ring.VerifySession(f.raw, testNow)
			checkRefused(t, err, ErrInvalid, f.reason, f.raw)
		})
	}
}

// The forgeries below change one thing of these two tokens, which are accepted:
// so each is refused for what was changed.
func TestForgeriesWouldBeAcceptedUnchanged(t *testing.T) {
	ring := testRing(t)
	if _, err := ring.VerifyPermission(forgePermission(t, permissionHeader(t), permissionPayload()), testNow); err != nil {
		t.Errorf("permission: %v", err)
	}
	if _, err := ring.VerifySession(forgeSession(t, sessionHeader(t), sessionPayload()), testNow); err != nil {
		t.Errorf("session: %v", err)
	}
}

// publicForms are the texts of the public key that an attacker can have.
func publicForms(t *testing.T) map[string][]byte {
	t.Helper()
	public := &testPrivate(t).PublicKey
	pkix, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	pkcs1 := x509.MarshalPKCS1PublicKey(public)
	pkixPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix})
	return map[string][]byte{
		"PKIX PEM":                   pkixPEM,
		"PKIX PEM without last line": bytes.TrimSpace(pkixPEM),
		"PKIX DER":                   pkix,
		"PKCS#1 PEM":                 pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: pkcs1}),
		"PKCS#1 DER":                 pkcs1,
		"modulus":                    public.N.Bytes(),
		"JWKS":                       testRing(t).JWKS(),
	}
}

// S1: the algorithm comes from the key. The token's header must equal it and
// chooses nothing.
func TestForgedAlgorithm(t *testing.T) {
	var permissions, sessions []forgery
	add := func(name, reason, permission, session string) {
		permissions = append(permissions, forgery{name, permission, reason})
		sessions = append(sessions, forgery{name, session, reason})
	}
	withAlg := func(header, alg string) string {
		header = strings.Replace(header, `"alg":"RS256"`, `"alg":`+alg, 1)
		return strings.Replace(header, `"alg":"HS256"`, `"alg":`+alg, 1)
	}

	// An unsecured token (RFC 7519, section 6), and the spellings that got past
	// comparisons with "none" in other libraries. With a signature, so that what
	// refuses it is not the empty third part.
	for _, alg := range []string{`"none"`, `"None"`, `"NONE"`, `"nOnE"`, `"none "`, `"\u006eone"`, `""`} {
		ph, sh := withAlg(permissionHeader(t), alg), withAlg(sessionHeader(t), alg)
		add("alg "+alg+" and no signature", "signature: not canonical",
			b64(ph)+"."+b64(permissionPayload())+".", b64(sh)+"."+b64(sessionPayload())+".")
		add("alg "+alg+" and a signature", "wrong alg",
			forgePermission(t, ph, permissionPayload()), forgeSession(t, sh, sessionPayload()))
	}
	// The right signature, and a header that is only nearly right.
	for _, alg := range []string{`"rs256"`, `"Rs256"`, `"RS256 "`, `" RS256"`, `"RS256\u0000"`, `"hs256"`, `"HS256 "`, `"RSA256"`} {
		add("alg "+alg, "wrong alg",
			forgePermission(t, withAlg(permissionHeader(t), alg), permissionPayload()),
			forgeSession(t, withAlg(sessionHeader(t), alg), sessionPayload()))
	}
	for _, alg := range []string{`null`, `256`, `true`, `["RS256"]`, `{"alg":"RS256"}`} {
		add("alg "+alg, "header: ",
			forgePermission(t, withAlg(permissionHeader(t), alg), permissionPayload()),
			forgeSession(t, withAlg(sessionHeader(t), alg), sessionPayload()))
	}
	add("no alg", "wrong alg", forgePermission(t, `{"typ":"JWT"}`, permissionPayload()), forgeSession(t, `{"typ":"session+jwt"}`, sessionPayload()))

	// Another algorithm of the same family, truly signed with the right key.
	for _, alg := range []jwa.SignatureAlgorithm{jwa.RS384, jwa.RS512, jwa.PS256, jwa.PS384, jwa.PS512} {
		permissions = append(permissions, forgery{
			alg.String() + " with our key",
			forge(t, alg, testPrivate(t), withAlg(permissionHeader(t), `"`+alg.String()+`"`), permissionPayload()), "wrong alg",
		}, forgery{
			alg.String() + " that says RS256",
			forge(t, alg, testPrivate(t), permissionHeader(t), permissionPayload()), "signature: does not match",
		})
	}
	for _, alg := range []jwa.SignatureAlgorithm{jwa.HS384, jwa.HS512} {
		sessions = append(sessions, forgery{
			alg.String() + " with our key",
			forge(t, alg, testSessionKey(t).secret, withAlg(sessionHeader(t), `"`+alg.String()+`"`), sessionPayload()), "wrong alg",
		}, forgery{
			alg.String() + " that says HS256",
			forge(t, alg, testSessionKey(t).secret, sessionHeader(t), sessionPayload()), "signature: does not match",
		})
	}

	// Algorithm confusion (CVE-2015-9235, CVE-2017-11424, CVE-2022-29217): the
	// public key, which everybody has, as the secret of an HMAC. And O1, the other
	// way round: sessions keyed with the text of the private key.
	secrets := publicForms(t)
	secrets["private PEM (O1)"] = testPEM
	secrets["empty"] = []byte{0}
	for name, secret := range secrets {
		for _, alg := range []jwa.SignatureAlgorithm{jwa.HS256, jwa.HS384, jwa.HS512} {
			permissions = append(permissions, forgery{
				alg.String() + " with " + name,
				forge(t, alg, secret, withAlg(permissionHeader(t), `"`+alg.String()+`"`), permissionPayload()), "wrong alg",
			}, forgery{
				alg.String() + " with " + name + " that says RS256",
				forge(t, alg, secret, permissionHeader(t), permissionPayload()), "signature: does not match",
			})
		}
		sessions = append(sessions, forgery{
			"HS256 with " + name,
			forge(t, jwa.HS256, secret, sessionHeader(t), sessionPayload()), "signature: does not match",
		})
	}

	// The attacker's own keys.
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for alg, key := range map[jwa.SignatureAlgorithm]any{jwa.ES256: ec, jwa.EdDSA: ed, jwa.RS512: otherKey(t).private} {
		add(alg.String()+" with a key of theirs", "wrong alg",
			forge(t, alg, key, withAlg(permissionHeader(t), `"`+alg.String()+`"`), permissionPayload()),
			forge(t, alg, key, withAlg(sessionHeader(t), `"`+alg.String()+`"`), sessionPayload()))
	}
	add("RS256 with a key of theirs", "signature: does not match",
		forge(t, jwa.RS256, otherKey(t).private, permissionHeader(t), permissionPayload()),
		forge(t, jwa.HS256, []byte("a secret of theirs, quite as long"), sessionHeader(t), sessionPayload()))

	t.Run("permission", func(t *testing.T) { refusedAsPermission(t, permissions) })
	t.Run("session", func(t *testing.T) { refusedAsSession(t, sessions) })
}
