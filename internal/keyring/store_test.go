package keyring

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"

	"github.com/datahq/auth-gateway/internal/token"
)

// clockedStore is of an empty storage, with a clock that tests set.
func clockedStore(t *testing.T) (Store, *time.Time) {
	t.Helper()
	now := keyTime
	return Store{&certmagic.FileStorage{Path: t.TempDir()}, func() time.Time { return now }}, &now
}

// exists reports whether there is a file in a storage.
func exists(t *testing.T, s Store, name string) bool {
	t.Helper()
	_, err := s.storage.Load(t.Context(), name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

var bothKinds = map[Kind]time.Duration{Signing: 12 * time.Hour, Session: 14 * 24 * time.Hour}

// opened is what open finds.
func opened(t *testing.T, s Store, kinds map[Kind]time.Duration) *File {
	t.Helper()
	f, _, err := s.open(t.Context(), kinds)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Gateways that start together on an empty storage have the same keys.
func TestKeysAreMadeOnce(t *testing.T) {
	s, _ := clockedStore(t)
	ids := make([]string, 8)
	var starts sync.WaitGroup
	for i := range ids {
		starts.Go(func() {
			f, _, err := s.open(t.Context(), bothKinds)
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = f.Epoch + f.Signing[0].ID + f.Session[0].ID
		})
	}
	starts.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("keys %s and %s", id, ids[0])
		}
	}
}

// What the first version of the gateway kept goes on: nobody is signed out by
// an update.
func TestKeysOfTheFirstVersion(t *testing.T) {
	s, _ := clockedStore(t)
	signing, err := token.GenerateSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	session, err := token.GenerateSessionKey()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"auth/signing_key.pem": signing.PrivatePEM(), "auth/session_key": session.Text()} {
		if err := s.storage.Store(t.Context(), name, text); err != nil {
			t.Fatal(err)
		}
	}
	// One by one, as a configuration that gives the other may have it.
	opened(t, s, map[Kind]time.Duration{Session: time.Hour})
	f, made, err := s.open(t.Context(), bothKinds)
	if err != nil || len(made) != 0 || f.Signing[0].ID != signing.ID() || f.Session[0].ID != session.ID() {
		t.Fatalf("made %v, %v", made, err)
	}
	if f.Session[0].TokenSeconds != 14*24*3600 {
		t.Errorf("session tokens of %d seconds", f.Session[0].TokenSeconds)
	}

	// The copies go when they would become wrong.
	if _, err := s.Rotate(t.Context(), []Kind{Signing}, Rotation{After: time.Hour}); err != nil {
		t.Fatal(err)
	}
	if exists(t, s, "auth/signing_key.pem") || !exists(t, s, "auth/session_key") {
		t.Error("the wrong copy has gone")
	}
	if f := opened(t, s, bothKinds); len(f.Signing) != 2 || f.Signing[0].ID != signing.ID() {
		t.Errorf("%d signing keys", len(f.Signing))
	}

	s, _ = clockedStore(t)
	if err := s.storage.Store(t.Context(), "auth/session_key", []byte("secret")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.open(t.Context(), bothKinds); err == nil || !strings.Contains(err.Error(), "auth/session_key") || strings.Contains(err.Error(), "secret") {
		t.Errorf("a broken key: %v", err)
	}
}

// brokenStorage cannot be read, or not be written.
type brokenStorage struct {
	Storage
	load, store error
}

func (s brokenStorage) Load(ctx context.Context, key string) ([]byte, error) {
	if s.load != nil {
		return nil, s.load
	}
	return s.Storage.Load(ctx, key)
}

func (s brokenStorage) Store(ctx context.Context, key string, value []byte) error {
	if s.store != nil {
		return s.store
	}
	return s.Storage.Store(ctx, key, value)
}

// S39: in doubt a gateway does not start with keys that nobody else has.
func TestBrokenKeyStorage(t *testing.T) {
	broken := errors.New("broken")
	good, _ := clockedStore(t)
	for name, s := range map[string]Storage{
		"unreadable": brokenStorage{good.storage, broken, nil}, "unwritable": brokenStorage{good.storage, nil, broken},
	} {
		if f, _, err := (Store{s, good.now}).open(t.Context(), bothKinds); !errors.Is(err, broken) {
			t.Errorf("%s: %v, %v", name, f, err)
		}
	}
	if _, err := good.Load(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something has been kept: %v", err)
	}
	// The lock has been given back.
	opened(t, good, bothKinds)
	if err := good.storage.Store(t.Context(), fileName, []byte("{")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := good.open(t.Context(), bothKinds); err == nil {
		t.Error("a broken file was replaced")
	}
}
