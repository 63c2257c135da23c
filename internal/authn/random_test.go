package authn

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"testing"
)

// S21, ruling 3: states, bindings and cookies have 256 bits and never repeat.
func TestRandomSecret(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		secret := randomSecret()
		raw, err := base64.RawURLEncoding.DecodeString(secret)
		if err != nil || len(raw) != 32 {
			t.Fatalf("%q is not 32 bytes of base64url: %v", secret, err)
		}
		if seen[secret] {
			t.Fatal("a secret came twice")
		}
		if !isSecret(secret) {
			t.Fatalf("isSecret(%q) is false", secret)
		}
		seen[secret] = true
	}
}

func TestIsSecretRefusesOtherForms(t *testing.T) {
	good := randomSecret()
	for _, text := range []string{
		"", "x", good[:42], good + "A", good[:42] + "=", good[:42] + "+", good[:20] + "\n" + good[21:],
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB", // the unused bits are not zero
	} {
		if isSecret(text) {
			t.Errorf("isSecret(%q) is true", text)
		}
	}
}

// Ruling 13: user IDs are 128 random bits in lower-case hexadecimal.
func TestRandomID(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{32}$`)
	seen := map[string]bool{}
	for range 1000 {
		id := randomID()
		if !form.MatchString(id) || seen[id] {
			t.Fatalf("randomID() = %q", id)
		}
		seen[id] = true
	}
}

func TestCookieHashIsOverTheText(t *testing.T) {
	want, _ := hex.DecodeString("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad") // FIPS 180-2, "abc"
	if got := CookieHash("abc"); !bytes.Equal(got, want) || len(got) != sha256.Size {
		t.Errorf("CookieHash(abc) = %x", got)
	}
}
