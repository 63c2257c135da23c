package caddymodule

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/datahq/auth-gateway/internal/token"
	"github.com/datahq/auth-gateway/internal/wire"
)

// ringApp is an app as far as keys go.
func ringApp(t *testing.T, s certmagic.Storage, log *zap.Logger) *App {
	t.Helper()
	site, err := wire.NewSite("https://app.example.com", "")
	if err != nil {
		t.Fatal(err)
	}
	return &App{site: site, storage: s, logger: log}
}

// openRing is the ring of a gateway on a storage.
func openRing(t *testing.T, s keyStorage, change ...func(*App)) *keyRing {
	t.Helper()
	app := ringApp(t, s.storage, zap.NewNop())
	for _, f := range change {
		f(app)
	}
	k, err := app.openKeys(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sampleToken(t *testing.T, r *token.Ring) string {
	t.Helper()
	raw, err := r.SignPermission(token.Permission{UserID: "u", SessionID: "s", Service: "storage", ExpiresAt: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Gateways on one storage exchange keys at the same moment, whenever each of
// them has last looked; and each accepts the other's tokens all the time.
func TestGatewaysSwitchTogether(t *testing.T) {
	s, now := clockedStorage(t)
	a, b := openRing(t, s), openRing(t, s)
	old := a.ring.PublicKeyPEM()
	if _, err := s.rotate(t.Context(), []keyKind{signingKeys, sessionKeys}, rotation{now: true}); err != nil {
		t.Fatal(err)
	}
	both := func(when string) {
		t.Helper()
		for _, pair := range [][2]*keyRing{{a, b}, {b, a}, {a, a}} {
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
	*now = now.Add(keyPace)
	b.refresh(t.Context())
	both("both have looked")
	if string(a.ring.PublicKeyPEM()) != string(old) {
		t.Error("the new key signs before its time")
	}
	*now = now.Add(keySettle - keyPace)
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
	s, now := clockedStorage(t)
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
	before := k.fingerprint("https://app.example.com")
	rotate := func(r rotation) {
		t.Helper()
		if _, err := s.rotate(t.Context(), []keyKind{signingKeys}, r); err != nil {
			t.Fatal(err)
		}
	}
	rotate(rotation{after: dayAhead})
	step("a next key", 0)
	*now = now.Add(dayAhead)
	step("an exchange", 0)
	if len(k.ring.Keys().OtherSigning) != 1 {
		t.Error("the old key is not accepted any more")
	}
	*now = now.Add(12*time.Hour + keyGrace)
	step("a key whose time is over", 0)
	if len(k.ring.Keys().OtherSigning) != 0 || len(k.file.Signing) != 1 {
		t.Error("the old key stays")
	}
	if k.fingerprint("https://app.example.com") != before {
		t.Error("the fingerprint has changed without need")
	}
	raw := sampleToken(t, k.ring)
	rotate(rotation{now: true, drop: true})
	step("an emergency", 1)
	if _, err := k.ring.VerifyPermission(raw, time.Now()); !errors.Is(err, token.ErrInvalid) {
		t.Errorf("a token of the key that is out: %v", err)
	}
	if k.fingerprint("https://app.example.com") == before {
		t.Error("the fingerprint is that of before")
	}
}

// S39: without its storage a gateway goes on with the keys that it knows, and
// they change when it is time. It tells that once.
func TestKeysWithoutStorage(t *testing.T) {
	s, now := clockedStorage(t)
	core, logs := observer.New(zap.WarnLevel)
	k := openRing(t, s, func(a *App) { a.logger = zap.New(core) })
	old := k.ring.PublicKeyPEM()
	if _, err := s.rotate(t.Context(), []keyKind{signingKeys}, rotation{after: dayAhead}); err != nil {
		t.Fatal(err)
	}
	k.refresh(t.Context())
	if err := s.storage.Delete(t.Context(), keyFileName); err != nil {
		t.Fatal(err)
	}
	k.refresh(t.Context())
	k.storage.storage = brokenStorage{s.storage, errors.New("broken"), nil}
	k.refresh(t.Context())
	if string(k.ring.PublicKeyPEM()) != string(old) || len(k.ring.Keys().OtherSigning) != 1 {
		t.Error("it has lost keys")
	}
	*now = now.Add(dayAhead)
	k.refresh(t.Context())
	if string(k.ring.PublicKeyPEM()) == string(old) {
		t.Error("it has not changed the key")
	}
	if logs.Len() != 1 {
		t.Errorf("the log was told %v", logs.All())
	}
	if _, err := s.load(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it has made keys that nobody else has: %v", err)
	}
}

// Without being asked, a ring sees what has changed.
func TestWatch(t *testing.T) {
	s := keyStorage{&certmagic.FileStorage{Path: t.TempDir()}, time.Now}
	k := openRing(t, s)
	k.pace = 10 * time.Millisecond
	removed := make(chan struct{}, 1)
	k.watch(func() { removed <- struct{}{} })
	defer k.close()
	old := k.ring.PublicKeyPEM()
	if _, err := s.rotate(t.Context(), []keyKind{signingKeys}, rotation{now: true, drop: true}); err != nil {
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
	k.close()
	k.close() // as often as one likes
	var none *keyRing
	none.close()
}

// No request fails while keys are exchanged under load, on two gateways that
// look at different times.
func TestRotationUnderLoad(t *testing.T) {
	s, now := clockedStorage(t)
	var clock atomic.Int64
	clock.Store(now.UnixNano())
	s.now = func() time.Time { return time.Unix(0, clock.Load()) }
	a, b := openRing(t, s), openRing(t, s)
	stop := make(chan struct{})
	var load sync.WaitGroup
	var served atomic.Int64
	for i := range 4 {
		load.Go(func() {
			from, to := a, b
			if i%2 == 1 {
				from, to = b, a
			}
			for {
				select {
				case <-stop:
					return
				default:
				}
				raw, err := from.ring.SignSession(token.Session{UserID: "u", SessionID: "s", ExpiresAt: time.Now().Add(time.Hour)})
				if err == nil {
					_, err = to.ring.VerifySession(raw, time.Now())
				}
				if err != nil {
					t.Error(err)
					return
				}
				served.Add(1)
			}
		})
	}
	for range 5 {
		if _, err := s.rotate(t.Context(), []keyKind{sessionKeys}, rotation{now: true}); err != nil {
			t.Error(err)
		}
		for _, k := range []*keyRing{a, b, b, a} {
			clock.Add(int64(keyPace))
			k.refresh(context.Background())
			until := served.Load() + 50
			for deadline := time.Now().Add(10 * time.Second); served.Load() < until && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
		}
	}
	close(stop)
	load.Wait()
}

// S2: configured keys and stored ones go together; the active one of the
// configuration goes over those in storage.
func TestGivenKeys(t *testing.T) {
	s, _ := clockedStorage(t)
	stored := openRing(t, s)
	signing, err := token.GenerateSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	further, err := token.GenerateSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	ids := func(k *keyRing) []string {
		signing, _ := keyIDs(k.ring.Keys())
		return signing
	}
	own := ids(stored)[0]
	moving := openRing(t, s, func(a *App) { a.keys.signingNext = []*token.PublicKey{signing.Public()} })
	if got := ids(moving); !slices.Equal(got, []string{own, signing.ID()}) {
		t.Errorf("a next key besides the stored one: %v", got)
	}
	if moving.fingerprint("x") != stored.fingerprint("x") {
		t.Error("a next key changes the fingerprint")
	}
	given := openRing(t, s, func(a *App) {
		a.keys.signing = signing
		a.keys.signingNext, a.keys.signingRetired = []*token.PublicKey{further.Public()}, []*token.PublicKey{stored.ring.Keys().Signing.Public()}
	})
	if got := ids(given); !slices.Equal(got, []string{signing.ID(), further.ID(), own}) {
		t.Errorf("given keys: %v", got)
	}
	if given.fingerprint("x") == stored.fingerprint("x") {
		t.Error("another key has the same fingerprint")
	}
}

// Caddy's own storage is on one machine; a shared cache means that there are
// more.
func TestWarnOfLocalKeys(t *testing.T) {
	for name, test := range map[string]struct {
		shared bool
		change func(*App)
		want   int
	}{
		"no shared cache": {false, func(*App) {}, 0},
		"files":           {true, func(*App) {}, 1},
		"another storage": {true, func(a *App) { a.storage = brokenStorage{Storage: a.storage} }, 0},
		"given keys": {true, func(a *App) {
			a.keys.signing, _ = token.GenerateSigningKey()
			a.keys.session, _ = token.GenerateSessionKey()
		}, 0},
		"one given key": {true, func(a *App) { a.keys.session, _ = token.GenerateSessionKey() }, 1},
	} {
		core, logs := observer.New(zap.WarnLevel)
		app := ringApp(t, &certmagic.FileStorage{Path: t.TempDir()}, zap.New(core))
		test.change(app)
		app.warnOfLocalKeys(test.shared)
		if logs.Len() != test.want {
			t.Errorf("%s: %d warnings, want %d", name, logs.Len(), test.want)
		}
	}
}

// A retired key is accepted for the longest lifetime that any service's tokens
// have.
func TestStoredLifetimes(t *testing.T) {
	for name, test := range map[string]struct {
		app              *App
		signing, session time.Duration
	}{
		"default":                  {&App{}, 12 * time.Hour, 14 * 24 * time.Hour},
		"longer":                   {&App{TokenLifetime: caddy.Duration(24 * time.Hour), SessionLifetime: caddy.Duration(time.Hour)}, 24 * time.Hour, time.Hour},
		"a service's":              {&App{Services: []*Service{{TokenLifetime: caddy.Duration(48 * time.Hour)}, {}}}, 48 * time.Hour, 14 * 24 * time.Hour},
		"shorter than for unknown": {&App{TokenLifetime: caddy.Duration(time.Minute)}, 12 * time.Hour, 14 * 24 * time.Hour},
	} {
		got := test.app.storedLifetimes()
		if got[signingKeys] != test.signing || got[sessionKeys] != test.session {
			t.Errorf("%s: %v", name, got)
		}
	}
}
