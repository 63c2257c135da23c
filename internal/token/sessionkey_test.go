package token

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"strings"
	"testing"
)

func TestParseSessionKeyForms(t *testing.T) {
	// Bytes that need both characters in which the alphabets differ.
	secret := bytes.Repeat([]byte{0xfb, 0xef, 0xff, 0x01}, 8)
	long := bytes.Repeat([]byte{0xfb, 0xef, 0xff, 0x01}, 16)
	tests := []struct {
		name, text string
		want       []byte
	}{
		{"base64", base64.StdEncoding.EncodeToString(secret), secret},
		{"base64 without padding", base64.RawStdEncoding.EncodeToString(secret), secret},
		{"base64url", base64.URLEncoding.EncodeToString(secret), secret},
		{"base64url without padding", base64.RawURLEncoding.EncodeToString(secret), secret},
		{"hex", hex.EncodeToString(secret), secret},
		{"hex in capitals", strings.ToUpper(hex.EncodeToString(secret)), secret},
		{"line break at the end", base64.StdEncoding.EncodeToString(secret) + "\n", secret},
		{"blanks around", "  " + hex.EncodeToString(secret) + "\r\n", secret},
		{"64 bytes", base64.StdEncoding.EncodeToString(long), long},
		{"64 bytes, two lines", base64.StdEncoding.EncodeToString(long)[:64] + "\n" + base64.StdEncoding.EncodeToString(long)[64:], long},
		{"hex, two lines", hex.EncodeToString(secret)[:40] + "\r\n" + hex.EncodeToString(secret)[40:], secret},
		{"only digits is hex", strings.Repeat("12345678", 8), bytes.Repeat([]byte{0x12, 0x34, 0x56, 0x78}, 8)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			key, err := ParseSessionKey([]byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(key.secret, test.want) {
				t.Errorf("got %x, want %x", key.secret, test.want)
			}
			if want := base64.RawURLEncoding.EncodeToString(test.want); string(key.Text()) != want {
				t.Errorf("text %q, want %q", key.Text(), want)
			}
		})
	}
}

func TestParseSessionKeyErrors(t *testing.T) {
	private := testPrivate(t)
	pkcs8 := must(x509.MarshalPKCS8PrivateKey(private))
	pkix := must(x509.MarshalPKIXPublicKey(&private.PublicKey))
	b64 := base64.StdEncoding.EncodeToString
	tests := []struct{ name, text, want string }{
		{"nothing", "", "empty, expected 32 random bytes as base64 or hex"},
		{"blanks", " \n", "empty, expected 32 random bytes as base64 or hex"},
		{"a pass phrase", "correct horse battery staple correct horse", "neither base64 nor hex"},
		{"31 bytes", b64(bytes.Repeat([]byte{0xfb}, 31)), "31 bytes, expected at least 32"},
		{"31 bytes of hex", strings.Repeat("fb", 31), "31 bytes, expected at least 32"},
		{"a word", "secret12", "6 bytes, expected at least 32"},
		// As base64 these would pass for 32 and 36 bytes.
		{"43 hex digits", strings.Repeat("f", 43), "neither base64 nor hex"},
		{"24 bytes of hex", strings.Repeat("fb", 24), "24 bytes, expected at least 32"},
		{"43 hex digits, padded", strings.Repeat("f", 43) + "=", "neither base64 nor hex"},
		{"24 bytes of hex, padded", strings.Repeat("fb", 24) + "==", "24 bytes, expected at least 32"},
		{"24 bytes of hex, two lines", strings.Repeat("fb", 12) + "\n" + strings.Repeat("fb", 12), "24 bytes, expected at least 32"},
		{"mixed alphabets", strings.Repeat("+/", 20) + strings.Repeat("-_", 20), "neither base64 nor hex"},
		// O1: one secret for everything. The signing key is not to be the session
		// key, in whatever wrapping, nor is what the public-key endpoint gives.
		{"private PEM", string(testPEM), "it is a PEM text"},
		{"private PEM, lines lost", strings.ReplaceAll(string(testPEM), "\n", " "), "it is a PEM text"},
		{"public PEM", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix})), "it is a PEM text"},
		{"private PEM in base64", b64(testPEM), "it is an encoded key pair"},
		{"private PEM in hex", hex.EncodeToString(testPEM), "it is an encoded key pair"},
		{"private PEM without its frame", b64(pkcs8), "it is an encoded key pair"},
		{"PKCS#1 without its frame", b64(x509.MarshalPKCS1PrivateKey(private)), "it is an encoded key pair"},
		{"public PEM without its frame", b64(pkix), "it is an encoded key pair"},
		{"PKCS#1 public PEM without its frame", b64(x509.MarshalPKCS1PublicKey(&private.PublicKey)), "it is an encoded key pair"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			key, err := ParseSessionKey([]byte(test.text))
			if err == nil {
				t.Fatalf("accepted as %v", key)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %q, want %q", err, test.want)
			}
			for _, word := range strings.Fields(test.text) {
				if len(word) > 6 && strings.Contains(err.Error(), word) {
					t.Errorf("error %q repeats %q", err, word)
				}
			}
		})
	}
}

func TestGenerateSessionKey(t *testing.T) {
	a, b := must(GenerateSessionKey()), must(GenerateSessionKey())
	if len(a.secret) != 32 || bytes.Equal(a.secret, b.secret) || a.ID() == b.ID() {
		t.Error("not 256 random bits")
	}
	again := must(ParseSessionKey(a.Text()))
	if !bytes.Equal(again.secret, a.secret) || again.ID() != a.ID() {
		t.Error("what was written is read as another key")
	}
}

// The same key has the same name everywhere, and the name is no part of it.
func TestSessionKeyID(t *testing.T) {
	key := testSessionKey(t)
	if len(key.ID()) != 22 || strings.Contains(testSecret, key.ID()) {
		t.Errorf("ID %q", key.ID())
	}
	if again := testSessionKey(t); again.ID() != key.ID() {
		t.Errorf("%q and then %q", key.ID(), again.ID())
	}
}
