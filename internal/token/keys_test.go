package token

import (
	"bytes"
	"sync"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwa"
)

// S2, S43: the session key rotates as the signing key does: a key is known
// before it signs and after it has signed, by its exact kid alone.
func TestSessionRotation(t *testing.T) {
	old, fresh, signing := testSessionKey(t), must(GenerateSessionKey()), testSigningKey(t)
	ring := NewRingOf(testIssuer, Keys{Session: old, OtherSessions: []*SessionKey{fresh, old}, Signing: signing})
	oldToken := must(ring.SignSession(testSession()))
	freshToken := must(NewRing(testIssuer, fresh, signing).SignSession(testSession()))
	bare := forge(t, jwa.HS256, old.secret, `{"alg":"HS256","typ":"session+jwt"}`, sessionPayload())
	// The header names the other key than the one that signed.
	crossed := forge(t, jwa.HS256, fresh.secret, sessionHeader(t), sessionPayload())

	verify := func(raw, refusal string) {
		t.Helper()
		_, err := ring.VerifySession(raw, testNow)
		if refusal == "" {
			if err != nil {
				t.Error(err)
			}
			return
		}
		checkRefused(t, err, ErrInvalid, refusal, raw)
	}
	verify(oldToken, "")
	verify(freshToken, "")
	verify(bare, "")
	verify(crossed, "signature: does not match")

	ring.Set(Keys{Session: fresh, OtherSessions: []*SessionKey{old}, Signing: signing})
	verify(oldToken, "")
	verify(freshToken, "")
	verify(bare, "signature: does not match") // S2: only the current key speaks for it
	if signed, _ := decodeText(t, must(ring.SignSession(testSession()))); !bytes.Contains([]byte(signed), []byte(fresh.ID())) {
		t.Errorf("signed with %s", signed)
	}

	// In an emergency the old key is taken out: whoever knows it can forge no more.
	ring.Set(Keys{Session: fresh, Signing: signing})
	verify(oldToken, "unknown kid")
	verify(freshToken, "")
}

// S2, S43: of keys that do not sign, the public half is enough.
func TestSetExchangesSigningKeys(t *testing.T) {
	session, old, fresh := testSessionKey(t), testSigningKey(t), otherKey(t)
	known := must(ParsePublicKey(fresh.PublicPEM()))
	ring := NewRingOf(testIssuer, Keys{Session: session, Signing: old, OtherSigning: []*PublicKey{known}})
	raw := must(NewRing(testIssuer, session, fresh).SignPermission(testPermission()))
	if _, err := ring.VerifyPermission(raw, testNow); err != nil {
		t.Errorf("a key that will sign soon: %v", err)
	}
	if kind := ring.Kind(raw); kind != KindPermission || !ring.HasOwnHeader(raw) {
		t.Errorf("its token is a %s token, own header %t", kind, ring.HasOwnHeader(raw))
	}
	if n := testing.AllocsPerRun(100, func() { ring.HasOwnHeader(raw) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if !bytes.Equal(ring.PublicKeyPEM(), old.PublicPEM()) {
		t.Error("public-key does not give the key that signs")
	}
	if jwks := ring.JWKS(); bytes.Index(jwks, []byte(old.ID())) > bytes.Index(jwks, []byte(fresh.ID())) || !bytes.Contains(jwks, []byte(fresh.ID())) {
		t.Errorf("key set %s", jwks)
	}

	ring.Set(Keys{Session: session, Signing: fresh})
	if !bytes.Equal(ring.PublicKeyPEM(), fresh.PublicPEM()) || bytes.Contains(ring.JWKS(), []byte(old.ID())) {
		t.Error("the old key is still published")
	}
	gone := must(NewRing(testIssuer, session, old).SignPermission(testPermission()))
	_, err := ring.VerifyPermission(gone, testNow)
	checkRefused(t, err, ErrInvalid, "unknown kid", gone)
}

// No request fails while keys are exchanged: whatever content a call begins
// with, it accepts the tokens of the other.
func TestSetUnderLoad(t *testing.T) {
	one, two, signing := testSessionKey(t), must(GenerateSessionKey()), testSigningKey(t)
	before := Keys{Session: one, OtherSessions: []*SessionKey{two}, Signing: signing}
	after := Keys{Session: two, OtherSessions: []*SessionKey{one}, Signing: signing}
	ring := NewRingOf(testIssuer, before)
	stop := make(chan struct{})
	var load sync.WaitGroup
	for range 4 {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				raw, err := ring.SignSession(testSession())
				if err == nil {
					_, err = ring.VerifySession(raw, testNow)
				}
				if err != nil || !ring.HasOwnHeader(raw) || len(ring.JWKS()) == 0 {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 1000 {
		ring.Set([]Keys{after, before}[i%2])
	}
	close(stop)
	load.Wait()
}

func TestSetWantsAllKeys(t *testing.T) {
	ring := testRing(t)
	for name, keys := range map[string]Keys{
		"no session key": {Signing: testSigningKey(t)},
		"no signing key": {Session: testSessionKey(t)},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			ring.Set(keys)
		}()
	}
	if _, err := ring.SignSession(testSession()); err != nil {
		t.Errorf("after what was refused: %v", err)
	}
}

// S43: whatever way a further key is given, it is RSA of 2048 bits or more.
func TestParsePublicKey(t *testing.T) {
	key := testSigningKey(t)
	for name, text := range map[string][]byte{
		"public":         key.PublicPEM(),
		"private":        testPEM,
		"PKCS#8":         key.PrivatePEM(),
		"one line":       bytes.ReplaceAll(bytes.TrimSpace(key.PublicPEM()), []byte("\n"), []byte(`\n`)),
		"quoted private": []byte(`"` + string(bytes.TrimSpace(testPEM)) + `"`),
	} {
		parsed, err := ParsePublicKey(text)
		if err != nil || parsed.ID() != key.ID() || !bytes.Equal(parsed.PEM(), key.Public().PEM()) {
			t.Errorf("%s: %v", name, err)
		} else if bytes.Contains(parsed.PEM(), []byte("PRIVATE")) {
			t.Errorf("%s: the private half has stayed", name)
		}
	}
	for name, text := range map[string]string{
		"nothing": "", "no PEM": "secret-text", "damaged": "-----BEGIN PUBLIC KEY-----\nsecret-text\n",
		"damaged private": "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n",
	} {
		if _, err := ParsePublicKey([]byte(text)); err == nil || bytes.Contains([]byte(err.Error()), []byte("secret")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
