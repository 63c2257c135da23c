package token

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// The signature covers every bit of the token, and all of the signature counts.
func TestTamperedSignature(t *testing.T) {
	ring := testRing(t)
	permission := forgePermission(t, permissionHeader(t), permissionPayload())
	session := forgeSession(t, sessionHeader(t), sessionPayload())

	check := func(t *testing.T, raw string, what string, at int) {
		t.Helper()
		_, errPermission := ring.VerifyPermission(raw, testNow)
		_, errSession := ring.VerifySession(raw, testNow)
		if !errors.Is(errPermission, ErrInvalid) || !errors.Is(errSession, ErrInvalid) {
			t.Fatalf("%s at %d: permission %v, session %v", what, at, errPermission, errSession)
		}
	}
	for name, good := range map[string]string{"permission": permission, "session": session} {
		t.Run(name, func(t *testing.T) {
			dot := strings.LastIndexByte(good, '.')
			signature, ok := decodePart(good[dot+1:])
			if !ok {
				t.Fatal("no signature")
			}
			for bit := range len(signature) * 8 {
				flipped := bytes.Clone(signature)
				flipped[bit/8] ^= 1 << (bit % 8)
				check(t, good[:dot+1]+b64(string(flipped)), "bit flipped", bit)
			}
			for n := range len(signature) {
				check(t, good[:dot+1]+b64(string(signature[:n])), "signature cut off", n)
				check(t, good[:dot+1]+b64(string(signature[n+1:])), "signature cut off in front", n)
			}
			check(t, good[:dot+1]+b64(string(signature)+"\x00"), "a byte appended", len(signature))
			check(t, good[:dot+1]+b64("\x00"+string(signature)), "a byte in front", 0)
			check(t, good[:dot+1]+b64(strings.Repeat("\x00", len(signature))), "all zero", 0)
			for at := range good {
				for _, c := range []byte("A_.=") {
					if good[at] != c {
						check(t, good[:at]+string(c)+good[at+1:], "character replaced", at)
					}
				}
				check(t, good[:at], "cut off", at)
				check(t, good[:at]+good[at+1:], "character dropped", at)
			}
		})
	}
	// Parts of different good tokens do not go together.
	other := forgePermission(t, permissionHeader(t), permissionPayload("user-1", "user-2"))
	a, b := strings.Split(permission, "."), strings.Split(other, ".")
	for _, mixed := range []string{a[0] + "." + b[1] + "." + a[2], a[0] + "." + a[1] + "." + b[2]} {
		_, err := ring.VerifyPermission(mixed, testNow)
		checkRefused(t, err, ErrInvalid, "signature: does not match", mixed)
	}
}
