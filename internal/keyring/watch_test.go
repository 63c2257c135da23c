package keyring

import (
	"errors"
	"io/fs"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/datahq/auth-gateway/internal/token"
)

// Gateways on one storage exchange keys at the same moment, whenever each of
// them has last looked; and each accepts the other's tokens all the time.
func TestGatewaysSwitchTogether(t *testing.T) {
	s, now := clockedStore(t)
	a, b := openRing(t, s), openRing(t, s)
	old := a.ring.PublicKeyPEM()
	if _, err := s.Rotate(t.Context(), []Kind{Signing, Session}, Rotation{Now: true}); err != nil {
		t.Fatal(err)
	}
	both := func(when string) {
		t.Helper()
		for _, pair := range [][2]*Ring{{a, b}, {b, a}, {a, a}} {
			if _, err := pair[1].ring.VerifyPermission(sampleToken(t, pair[0].ring), time.Now()); err != nil {
				t.Errorf("%s: permission token: %v", when, err)
			}
			raw, err := pair[0].ring.SignSession(token.Session{UserID: "u", SessionID: "s", ExpiresAt: time.Now().Add(time.Hour)})
			if err == nil {
				_, err = pair[1].ring.VerifySession(raw, time.Now())
			}
			if err != nil {
				t.Errorf("%s: session token: %v", when, err)
			}
		}
	}
	a.refresh(t.Context())
	both("one has looked")
	*now = now.Add(Pace)
	b.refresh(t.Context())
	both("both have looked")
	if string(a.ring.PublicKeyPEM()) != string(old) {
		t.Error("the new key signs before its time")
	}
	*now = now.Add(Settle - Pace)
	a.refresh(t.Context()) // b is late
	both("one has switched")
	b.refresh(t.Context())
	both("both have switched")
	if fresh := a.ring.PublicKeyPEM(); string(fresh) == string(old) || string(fresh) != string(b.ring.PublicKeyPEM()) {
		t.Error("they do not sign with the new key")
	}
}

// The decisions that are remembered survive a next key and an exchange, and end
// when a key is taken out whose tokens have not ended.
func TestRemovedKeysAreTold(t *testing.T) {
	s, now := clockedStore(t)
	k := openRing(t, s)
	var told atomic.Int32
	k.removed = func() { told.Add(1) }
	step := func(what string, want int32) {
		t.Helper()
		k.refresh(t.Context())
		if told.Load() != want {
			t.Errorf("%s: told %d times, want %d", what, told.Load(), want)
		}
	}
	before := k.Fingerprint()
	rotate := func(r Rotation) {
		t.Helper()
		if _, err := s.Rotate(t.Context(), []Kind{Signing}, r); err != nil {
			t.Fatal(err)
		}
	}
	rotate(Rotation{After: day})
	step("a next key", 0)
	*now = now.Add(day)
	step("an exchange", 0)
	if len(k.ring.Keys().OtherSigning) != 1 {
		t.Error("the old key is not accepted any more")
	}
	*now = now.Add(12*time.Hour + grace)
	step("a key whose time is over", 0)
	if len(k.ring.Keys().OtherSigning) != 0 || len(k.file.Signing) != 1 {
		t.Error("the old key stays")
	}
	if k.Fingerprint() != before {
		t.Error("the fingerprint has changed without need")
	}
	raw := sampleToken(t, k.ring)
	rotate(Rotation{Now: true, Drop: true})
	step("an emergency", 1)
	if _, err := k.ring.VerifyPermission(raw, time.Now()); !errors.Is(err, token.ErrInvalid) {
		t.Errorf("a token of the key that is out: %v", err)
	}
	if k.Fingerprint() == before {
		t.Error("the fingerprint is that of before")
	}
}

// S39: without its storage a gateway goes on with the keys that it knows, and
// they change when it is time. It tells that once.
func TestKeysWithoutStorage(t *testing.T) {
	s, now := clockedStore(t)
	core, logs := observer.New(zap.WarnLevel)
	k := openRing(t, s, func(c *Config) { c.Logger = zap.New(core) })
	old := k.ring.PublicKeyPEM()
	if _, err := s.Rotate(t.Context(), []Kind{Signing}, Rotation{After: day}); err != nil {
		t.Fatal(err)
	}
	k.refresh(t.Context())
	if err := s.storage.Delete(t.Context(), fileName); err != nil {
		t.Fatal(err)
	}
	k.refresh(t.Context())
	k.store.storage = brokenStorage{s.storage, errors.New("broken"), nil}
	k.refresh(t.Context())
	if string(k.ring.PublicKeyPEM()) != string(old) || len(k.ring.Keys().OtherSigning) != 1 {
		t.Error("it has lost keys")
	}
	*now = now.Add(day)
	k.refresh(t.Context())
	if string(k.ring.PublicKeyPEM()) == string(old) {
		t.Error("it has not changed the key")
	}
	if logs.Len() != 1 {
		t.Errorf("the log was told %v", logs.All())
	}
	if _, err := s.Load(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it has made keys that nobody else has: %v", err)
	}
}

// Without being asked, a ring sees what has changed.
func TestWatch(t *testing.T) {
	s := Store{&certmagic.FileStorage{Path: t.TempDir()}, time.Now}
	k := openRing(t, s)
	k.pace = 10 * time.Millisecond
	removed := make(chan struct{}, 1)
	var changed atomic.Bool
	k.Watch(func() { removed <- struct{}{} }, func(token.Keys) { changed.Store(true) })
	defer k.Close()
	old := k.ring.PublicKeyPEM()
	if _, err := s.Rotate(t.Context(), []Kind{Signing}, Rotation{Now: true, Drop: true}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-removed:
	case <-time.After(20 * time.Second):
		t.Fatal("nobody was told")
	}
	if string(k.ring.PublicKeyPEM()) == string(old) {
		t.Error("the old key signs")
	}
	if !changed.Load() {
		t.Error("the other keys were not told")
	}
	k.Close()
	k.Close() // as often as one likes
	var none *Ring
	none.Close()
}
