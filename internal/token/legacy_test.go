package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// original makes a token as PyJWT 1.7 did in the original service.
func original(secret, header, claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(header)) + "." + encode([]byte(claims))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil))
}

// S4, contract 1.2: the original's sessions, and nothing that resembles them.
func TestLegacy(t *testing.T) {
	const pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIE...\n-----END RSA PRIVATE KEY-----\n"
	const header = `{"typ":"JWT","alg":"HS256"}`
	now := time.Now()
	in := func(d time.Duration) int64 { return now.Add(d).Unix() }
	good := fmt.Sprintf(`{"userid":"5f4dcc3b","exp":%d}`, in(time.Hour))
	legacy := NewLegacy([]byte(pem))

	userID, expires, err := legacy.Verify(original(pem, header, good), now)
	if err != nil || userID != "5f4dcc3b" || expires.Unix() != in(time.Hour) {
		t.Fatalf("%q %v %v", userID, expires, err)
	}
	if _, _, err := legacy.Verify(original(pem, header, fmt.Sprintf(`{"userid":"a","exp":%d}`, in(14*24*time.Hour))), now); err != nil {
		t.Errorf("a session of this moment: %v", err)
	}
	if _, _, err := legacy.Verify(original(pem, header, fmt.Sprintf(`{"userid":"a","exp":%d}`, in(-time.Second))), now); !errors.Is(err, ErrExpired) {
		t.Errorf("a session that is over: %v", err)
	}
	for name, raw := range map[string]string{
		"another secret":               original("x", header, good),
		"the secret with a blank more": original(pem+" ", header, good),
		"no expiry":                    original(pem, header, `{"userid":"a"}`),
		"good for ever":                original(pem, header, fmt.Sprintf(`{"userid":"a","exp":%d}`, in(400*24*time.Hour))),
		"no user":                      original(pem, header, fmt.Sprintf(`{"exp":%d}`, in(time.Hour))),
		"a state token (O4)":           original(pem, header, fmt.Sprintf(`{"next":"/","provider":"google","exp":%d,"nbf":1}`, in(time.Hour))),
		"a claim more":                 original(pem, header, fmt.Sprintf(`{"userid":"a","exp":%d,"service":"x"}`, in(time.Hour))),
		"another algorithm's name":     original(pem, `{"typ":"JWT","alg":"HS512"}`, good),
		"no algorithm":                 original(pem, `{"typ":"JWT","alg":"none"}`, good),
		"a session token's type":       original(pem, `{"typ":"session+jwt","alg":"HS256"}`, good),
		"a key ID":                     original(pem, `{"typ":"JWT","alg":"HS256","kid":"x"}`, good),
	} {
		if _, _, err := legacy.Verify(raw, now); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The last line break comes and goes on the way from one configuration to another.
	bare := strings.TrimRight(pem, "\n")
	for _, configured := range []string{pem, bare, bare + "\r\n", pem + "\n"} {
		for _, secret := range []string{pem, bare, configured} {
			if _, _, err := NewLegacy([]byte(configured)).Verify(original(secret, header, good), now); err != nil {
				t.Errorf("configured with %q, signed with %q: %v", configured[len(configured)-4:], secret[len(secret)-4:], err)
			}
		}
	}
	if text := fmt.Sprintf("%v %+v %#v", legacy, legacy, *legacy); strings.Contains(text, "MIIE") {
		t.Errorf("S41: printed as %s", text)
	}
}
