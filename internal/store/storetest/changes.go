package storetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/providers"
)

// wantChanges demands what fn makes known, in this order.
func wantChanges(t *testing.T, s Store, what string, fn func() error, want ...store.Change) {
	t.Helper()
	before, err := s.LastChange(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := fn(); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	changes, err := s.Changes(t.Context(), before)
	if err != nil {
		t.Fatal(err)
	}
	last := before
	for i, change := range changes {
		if change.ID <= last {
			t.Errorf("%s: ID %d after %d", what, change.ID, last)
		}
		last, changes[i].ID, changes[i].CreatedAt = change.ID, 0, 0
	}
	if !slices.Equal(changes, want) {
		t.Errorf("%s makes known %+v, want %+v", what, changes, want)
	}
	if got, err := s.LastChange(t.Context()); err != nil || got != last {
		t.Errorf("%s: the last change is %d, %v; want %d", what, got, err, last)
	}
}

var changeTests = []test{
	// S8: gateways that share the database alone learn of it.
	{"S8: what caches must forget is made known", func(t *testing.T, s Store) {
		ctx := t.Context()
		if id, err := s.LastChange(ctx); id != 0 || err != nil {
			t.Errorf("before anything: %d, %v", id, err)
		}
		u1 := store.Change{UserID: "u1"}
		sign := func(id providers.Identity) func() error {
			return func() error {
				_, _, err := s.FindOrCreateUser(ctx, "google", id, "u1", true, "")
				return err
			}
		}
		wantChanges(t, s, "a new account", sign(moshe()))
		wantChanges(t, s, "a sign-in with nothing new", sign(moshe()))
		renamed := moshe()
		renamed.Name = "M. Cohen"
		wantChanges(t, s, "a sign-in with a new name", sign(renamed), u1)

		wantChanges(t, s, "a grant", func() error { return s.SetGrant(ctx, "u1", "storage", "read", true) }, u1)
		wantChanges(t, s, "the same grant", func() error { return s.SetGrant(ctx, "u1", "storage", "read", true) })
		wantChanges(t, s, "another grant", func() error { return s.SetGrant(ctx, "u1", "storage", "write", true) }, u1)
		wantChanges(t, s, "a grant to everyone", func() error { return s.SetGrant(ctx, providers.Everyone, "storage", "read", true) },
			store.Change{UserID: providers.Everyone})
		wantChanges(t, s, "a grant revoked", func() error { return s.RemoveGrant(ctx, "u1", "storage", "write") }, u1)
		wantChanges(t, s, "the last grant revoked", func() error { return s.RemoveGrant(ctx, "u1", "storage", "read") }, u1)
		wantChanges(t, s, "all grants revoked", func() error { return s.RemoveGrant(ctx, providers.Everyone, "storage", "") },
			store.Change{UserID: providers.Everyone})
		wantChanges(t, s, "disabling", func() error { return s.SetDisabled(ctx, "u1", true) }, u1)
		wantChanges(t, s, "enabling", func() error { return s.SetDisabled(ctx, "u1", false) }, u1)
		wantChanges(t, s, "a username", func() error { return s.ChooseUsername(ctx, "u1", "cohen", true) }, u1)

		for _, id := range []string{"s1", "s2", "s3"} {
			wantChanges(t, s, "a new session", func() error { return s.CreateSession(ctx, session(id, "u1"), []byte(id)) })
		}
		wantChanges(t, s, "a session's end", func() error { return s.EndSession(ctx, "s1") }, store.Change{SessionID: "s1"})
		wantChanges(t, s, "its end once more", func() error { return s.EndSession(ctx, "s1") })
		end := func() error {
			_, err := s.EndUserSessions(ctx, "u1")
			return err
		}
		wantChanges(t, s, "the end of all sessions", end, u1)
		wantChanges(t, s, "the end of none", end)
	}},
	{"what was refused makes nothing known", func(t *testing.T, s Store) {
		signIn(t, s, "google", moshe(), "u1")
		wantChanges(t, s, "refusals", func() error {
			choose(t, s, "u1", "admin", true, store.ErrUsernameInvalid)
			if err := s.SetDisabled(t.Context(), "nobody", true); err == nil {
				t.Error("nobody was disabled")
			}
			if err := s.RemoveGrant(t.Context(), "u1", "storage", "read"); err == nil {
				t.Error("nothing was revoked")
			}
			return nil
		})
	}},
	{"changes made at once are all known", func(t *testing.T, s Store) {
		ctx := t.Context()
		signIn(t, s, "google", moshe(), "u1")
		want := map[string]bool{}
		for i := range crowd {
			id := fmt.Sprintf("s%d", i)
			want[id] = true
			if err := s.CreateSession(ctx, session(id, "u1"), []byte(id)); err != nil {
				t.Fatal(err)
			}
		}
		// Somebody listens from the beginning, looking back as he must.
		var (
			last     int64
			seen     = map[string]bool{}
			listener sync.WaitGroup
			stop     = make(chan struct{})
		)
		listen := func() {
			changes, err := s.Changes(ctx, last-4*crowd)
			if err != nil {
				t.Error(err)
			}
			for _, change := range changes {
				seen[change.SessionID] = true
				last = max(last, change.ID)
			}
		}
		listener.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					listen()
				}
			}
		})
		together(func(i int) {
			if err := s.EndSession(ctx, fmt.Sprintf("s%d", i)); err != nil {
				t.Error(err)
			}
		})
		close(stop)
		listener.Wait()
		listen()
		for id := range want {
			if !seen[id] {
				t.Errorf("the end of %s is not known", id)
			}
		}
		if len(seen) != crowd {
			t.Errorf("%d changes were seen, want %d", len(seen), crowd)
		}
	}},
}
