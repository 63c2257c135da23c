package token

import (
	"crypto/rsa"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// testPEM is a key pair for tests, the same in every process so that fuzzing
// workers agree about it.
//
//go:embed testdata/signing.pem
var testPEM []byte

const (
	testIssuer  = "https://app.example.com"
	otherIssuer = "https://evil.example"
	testSecret  = "dGVzdC1zZWNyZXQtdGVzdC1zZWNyZXQtdGVzdC1zZWM" // 32 bytes
)

// testNow is the clock of all tests.
var testNow = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)

func testSigningKey(t testing.TB) *SigningKey {
	t.Helper()
	key, err := ParseSigningKey(testPEM, nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func testSessionKey(t testing.TB) *SessionKey {
	t.Helper()
	key, err := ParseSessionKey([]byte(testSecret))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// testRing has the test keys.
func testRing(t testing.TB) *Ring {
	t.Helper()
	return NewRing(testIssuer, testSessionKey(t), testSigningKey(t))
}

// otherKey is somebody else's key pair.
func otherKey(t testing.TB) *SigningKey {
	t.Helper()
	key, err := generateOther()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

var generateOther = sync.OnceValues(GenerateSigningKey)

func testPermission() Permission {
	return Permission{
		ID:          "token-1",
		UserID:      "user-1",
		SessionID:   "session-1",
		Service:     "storage",
		Permissions: map[string]any{"read": true, "max": 50.0, "tags": []any{"a", "b"}, "deep": map[string]any{"x": nil}},
		IssuedAt:    testNow.Add(-30 * time.Second),
		ExpiresAt:   testNow.Add(time.Hour),
	}
}

func testSession() Session {
	return Session{UserID: "user-1", SessionID: "session-1", IssuedAt: testNow, ExpiresAt: testNow.Add(time.Hour)}
}

// permissionHeader and sessionHeader are what the test keys sign with.
func permissionHeader(t testing.TB) string {
	return `{"alg":"RS256","kid":"` + testSigningKey(t).ID() + `","typ":"JWT"}`
}

func sessionHeader(t testing.TB) string {
	return `{"alg":"HS256","kid":"` + testSessionKey(t).ID() + `","typ":"session+jwt"}`
}

// permissionPayload and sessionPayload are claims that are accepted. The pairs
// in replace are applied to the text, so that a test can spoil one thing.
func permissionPayload(replace ...string) string {
	return payloadText(`{"iss":"https://app.example.com","userid":"user-1","sid":"session-1","service":"storage",`+
		`"permissions":{"read":true},"jti":"token-1","iat":%d,"exp":%d}`, replace)
}

func sessionPayload(replace ...string) string {
	return payloadText(`{"iss":"https://app.example.com","userid":"user-1","sid":"session-1","iat":%d,"exp":%d}`, replace)
}

func payloadText(format string, replace []string) string {
	text := fmt.Sprintf(format, testNow.Unix(), testNow.Add(time.Hour).Unix())
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(text, replace[i]) {
			panic("nothing to replace: " + replace[i])
		}
		text = strings.Replace(text, replace[i], replace[i+1], 1)
	}
	return text
}

// expText and iatText are the members as payloadText writes them.
func expText() string { return fmt.Sprintf(`"exp":%d`, testNow.Add(time.Hour).Unix()) }
func iatText() string { return fmt.Sprintf(`"iat":%d`, testNow.Unix()) }

func b64(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// forge signs any header and payload with any key, whatever the header says: a
// forgery must not fail for its signature when something else is to be tested.
func forge(t testing.TB, alg jwa.SignatureAlgorithm, key any, header, payload string) string {
	t.Helper()
	signer, err := jws.NewSigner(alg)
	if err != nil {
		t.Fatal(err)
	}
	signed := b64(header) + "." + b64(payload)
	signature, err := signer.Sign([]byte(signed), key)
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + b64(string(signature))
}

// forgePermission and forgeSession sign with the right key.
func forgePermission(t testing.TB, header, payload string) string {
	t.Helper()
	return forge(t, jwa.RS256, testPrivate(t), header, payload)
}

func forgeSession(t testing.TB, header, payload string) string {
	t.Helper()
	return forge(t, jwa.HS256, testSessionKey(t).secret, header, payload)
}

func testPrivate(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	return testSigningKey(t).private
}

// checkRefused checks that err wraps want and not the other sentinel, gives the
// reason, and repeats nothing of the token.
func checkRefused(t *testing.T, err, want error, reason, raw string) {
	t.Helper()
	if err == nil {
		t.Fatal("accepted")
	}
	if !errors.Is(err, want) || errors.Is(err, ErrInvalid) == errors.Is(err, ErrExpired) {
		t.Errorf("error %q does not wrap exactly %q", err, want)
	}
	if !strings.Contains(err.Error(), reason) {
		t.Errorf("error %q does not give the reason %q", err, reason)
	}
	pieces := append(strings.Split(raw, "."), "user-1", "session-1", "evil")
	for _, piece := range pieces {
		if len(piece) >= 4 && strings.Contains(err.Error(), piece) {
			t.Errorf("error %q repeats %q of the token", err, piece)
		}
	}
}
