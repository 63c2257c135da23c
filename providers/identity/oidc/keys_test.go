package oidc

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/datahq/auth-gateway/providers"
	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

// S24: a flood of tokens with unknown keys does not become a flood on the
// provider, and the end of the flood is the end of the trouble.
func TestRefetchIsLimited(t *testing.T) {
	var clock clock
	w := newWorld(t, fakeidp.Config{Now: clock.now}, func(p *Provider) { p.now = clock.now })
	if _, err := w.signIn(t, ada); err != nil {
		t.Fatal(err)
	}
	for range 3 * maxRefetches {
		if _, err := w.signIn(t, ada, fakeidp.UnknownKey); err == nil {
			t.Fatal("an unknown key was accepted")
		}
	}
	if got := w.idp.Requests(fakeidp.JWKS); got != 1+maxRefetches {
		t.Errorf("the keys were fetched %d times, want %d", got, 1+maxRefetches)
	}
	if _, err := w.signIn(t, ada); err != nil {
		t.Errorf("a good sign-in during the flood: %v", err)
	}
	clock.offset = refetchWindow
	if _, err := w.signIn(t, ada, fakeidp.KeyRotation); err != nil {
		t.Errorf("a new key after the flood: %v", err)
	}
}

// A wrong signature under a known kid is no reason to ask again.
func TestBadSignatureFetchesNothing(t *testing.T) {
	w := newWorld(t, fakeidp.Config{})
	for range 3 {
		if _, err := w.signIn(t, ada, fakeidp.BadSignature); err == nil {
			t.Fatal("accepted")
		}
	}
	if got := w.idp.Requests(fakeidp.JWKS); got != 1 {
		t.Errorf("the keys were fetched %d times, want once", got)
	}
}

// Keys that the provider has withdrawn stop counting after an hour; while it
// cannot be asked, the old ones stay.
func TestKeysAreRefreshed(t *testing.T) {
	var clock clock
	w := newWorld(t, fakeidp.Config{Now: clock.now}, func(p *Provider) { p.now = clock.now })
	if _, err := w.signIn(t, ada); err != nil {
		t.Fatal(err)
	}
	clock.offset = metadataLifetime + time.Minute
	w.idp.Break(fakeidp.JWKS, fakeidp.Down)
	if _, err := w.signIn(t, ada); err != nil {
		t.Errorf("with the keys' endpoint down: %v", err)
	}
	w.idp.Break(fakeidp.JWKS, "")
	before := w.idp.Requests(fakeidp.JWKS)
	if _, err := w.signIn(t, ada); err != nil {
		t.Fatal(err)
	}
	if got := w.idp.Requests(fakeidp.JWKS); got != before+1 {
		t.Errorf("stale keys were fetched %d times, want once", got-before)
	}
}

// keyServer publishes a key set.
type keyServer struct {
	set   atomic.Value
	calls atomic.Int32
}

func (s *keyServer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	s.calls.Add(1)
	w.Header().Set("Content-Type", "application/jwk-set+json")
	_ = json.NewEncoder(w).Encode(s.set.Load())
}

func newTestKeys(t *testing.T, algorithm jose.SignatureAlgorithm, set any) *keySet {
	t.Helper()
	handler := &keyServer{}
	handler.set.Store(set)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client := idp.NewHTTPClient()
	t.Cleanup(client.CloseIdleConnections)
	return newKeySet(server.URL, algorithm, client, time.Now)
}

func rsaKey(t *testing.T, bits int, kid string) jose.JSONWebKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return jose.JSONWebKey{Key: key, KeyID: kid}
}

func signed(t *testing.T, algorithm jose.SignatureAlgorithm, key jose.JSONWebKey) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign([]byte(`{"sub":"1"}`))
	if err != nil {
		t.Fatal(err)
	}
	token, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

type jwks map[string][]any

func TestAlgorithms(t *testing.T) {
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsa2048 := rsaKey(t, 2048, "r")
	keys := map[jose.SignatureAlgorithm]jose.JSONWebKey{
		jose.RS256: rsa2048, jose.RS512: rsa2048, jose.PS256: rsa2048,
		jose.ES256: {Key: p256, KeyID: "e"}, jose.EdDSA: {Key: ed, KeyID: "d"},
	}
	ec, edKey := keys[jose.ES256], keys[jose.EdDSA]
	set := jwks{"keys": {rsa2048.Public(), ec.Public(), edKey.Public()}}
	for configured := range keys {
		k := newTestKeys(t, configured, set)
		for algorithm, key := range keys {
			_, err := k.verify(t.Context(), signed(t, algorithm, key))
			// S1: one algorithm, whatever key would fit.
			if (err == nil) != (algorithm == configured) {
				t.Errorf("%s where %s is configured: %v", algorithm, configured, err)
			}
		}
	}
}

func TestKeyChoice(t *testing.T) {
	a, b := rsaKey(t, 2048, "a"), rsaKey(t, 2048, "b")
	noKid, wrongKid := a, a
	noKid.KeyID, wrongKid.KeyID = "", "b"
	encryption := a.Public()
	encryption.Use = "enc"
	otherAlgorithm := a.Public()
	otherAlgorithm.Algorithm = "RS512"
	odd := map[string]any{"kty": "odd", "kid": "a"}
	tests := []struct {
		name string
		set  []any
		sign jose.JSONWebKey
		ok   bool
	}{
		{"by kid", []any{b.Public(), a.Public()}, a, true},
		{"beside keys of unknown kinds", []any{odd, 42, a.Public()}, a, true},
		{"kid of another key", []any{a.Public(), b.Public()}, wrongKid, false},
		{"no kid, one key", []any{a.Public()}, noKid, true},
		{"no kid, two keys", []any{a.Public(), b.Public()}, noKid, false},
		{"no key", []any{}, a, false},
		{"a key for encryption", []any{encryption}, a, false},
		{"a key for another algorithm", []any{otherAlgorithm}, a, false},
	}
	for _, test := range tests {
		k := newTestKeys(t, jose.RS256, jwks{"keys": test.set})
		if _, err := k.verify(t.Context(), signed(t, jose.RS256, test.sign)); (err == nil) != test.ok {
			t.Errorf("%s: %v, want ok %v", test.name, err, test.ok)
		}
	}
}

// RFC 7518 section 3.3: a key that can be factored signs nothing.
func TestWeakKeyIsIgnored(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0")
	weak := rsaKey(t, 1024, "w")
	k := newTestKeys(t, jose.RS256, jwks{"keys": {weak.Public()}})
	if _, err := k.verify(t.Context(), signed(t, jose.RS256, weak)); !errors.Is(err, errKeyUnknown) {
		t.Errorf("error %v, want that no key is known", err)
	}
}

// S2: a key that the token brings along is not a key of the provider's.
func TestEmbeddedKeyIsIgnored(t *testing.T) {
	ours, attacker := rsaKey(t, 2048, "a"), rsaKey(t, 2048, "a")
	k := newTestKeys(t, jose.RS256, jwks{"keys": {ours.Public()}})
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: attacker.Key}, &jose.SignerOptions{EmbedJWK: true})
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign([]byte(`{"sub":"1"}`))
	if err != nil {
		t.Fatal(err)
	}
	compact, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{compact, jws.FullSerialize(), "", "..", "a.b.c", strings.Repeat("a.", 1000)} {
		if payload, err := k.verify(t.Context(), token); err == nil {
			t.Errorf("%.40s was accepted: %s", token, payload)
		}
	}
}

func TestOddKeySets(t *testing.T) {
	many := make([]any, maxKeys+1)
	for _, set := range []any{
		jwks{"keys": many}, "text", []int{1}, map[string]string{"keys": "x"}, map[string]any{"keys": nil}, map[string]any{"KEYS": []any{}},
	} {
		k := newTestKeys(t, jose.RS256, set)
		if _, err := k.verify(t.Context(), signed(t, jose.RS256, rsaKey(t, 2048, "a"))); !errors.Is(err, providers.ErrUnavailable) {
			t.Errorf("%.40v: %v, want ErrUnavailable", set, err)
		}
	}
}

// S26: a key set that two readers could read in two ways has no keys, and the
// good ones of before stay.
func TestKeySetIsStrict(t *testing.T) {
	key, other := rsaKey(t, 2048, "a"), rsaKey(t, 2048, "a")
	text := func(key jose.JSONWebKey) string {
		encoded, err := json.Marshal(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		return string(encoded)
	}
	good, evil := text(key), text(other)
	for set, ok := range map[string]bool{
		`{"keys":[` + good + `]}`:                                                           true,
		`{"keys":[` + good + `],"KEYS":[` + evil + `]} `:                                    true, // another name
		`{"keys":[` + good + `]}garbage`:                                                    false,
		`{"keys":[` + good + `]}{"keys":[` + evil + `]}`:                                    false,
		`{"keys":[` + evil + `],"keys":[` + good + `]}`:                                     false,
		`{"keys":[{"kid":"b",` + good[1:] + `]}`:                                            false,
		`{"keys":[` + good + `,{"x":{"a":1,"a":2}}]}`:                                       false,
		"{\"keys\":[" + good + "],\"x\":\"\xff\"}":                                          false,
		`{"keys":[` + good + `,` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `]}`: false,
	} {
		keys, err := parseKeys([]byte(set), jose.RS256)
		if (err == nil) != ok || len(keys) > 0 != ok {
			t.Errorf("%.40s … %.60s: %d keys, %v; want ok %v", set, set[len(set)-60:], len(keys), err, ok)
		}
		if ok && (len(keys) != 1 || !keys[0].Key.(*rsa.PublicKey).Equal(key.Public().Key)) {
			t.Errorf("%.60s: not the key", set)
		}
	}
}
