package store

import (
	"errors"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/datahq/auth-gateway/providers"
)

// An operator deletes a row of users: the person comes back as somebody new,
// and nothing of the old account comes to life again.
func TestDeletedUserComesBackAsNew(t *testing.T) {
	github := google("g")
	github.Issuer = "https://github.com"
	for _, c := range []struct {
		name  string
		back  providers.Identity
		newID string // the old one, too: an ID made of the address is
	}{
		{"same identity, same ID", google("1"), "u1"},
		{"same identity, new ID", google("1"), "u2"},
		{"same address, same ID", github, "u1"},
		{"same address, new ID", github, "u2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openTest(t, "sqlite://", options{})
			ctx := t.Context()
			if _, _, err := s.FindOrCreateUser(ctx, "google", google("1"), "u1", true, ""); err != nil {
				t.Fatal(err)
			}
			now := time.Now()
			if err := s.CreateSession(ctx, providers.Session{ID: "s1", UserID: "u1", ExpiresAt: now.Add(time.Hour)}, []byte("c")); err != nil {
				t.Fatal(err)
			}
			if err := s.SetDisabled(ctx, "u1", true); err != nil {
				t.Fatal(err)
			}
			run(t, s, "DELETE FROM users")

			user, created, err := s.FindOrCreateUser(ctx, "google", c.back, c.newID, true, "")
			if err != nil || !created || user.ID != c.newID || user.Username != "moshe" || user.Disabled {
				t.Fatalf("%+v, created %v, %v", user, created, err)
			}
			if _, _, err := s.SessionByID(ctx, "s1"); !errors.Is(err, providers.ErrNotFound) {
				t.Errorf("S7: the old session lives: %v", err)
			}
			if again, created, err := s.FindOrCreateUser(ctx, "google", c.back, "u3", true, ""); err != nil || created || again != user {
				t.Errorf("next sign-in: %+v, created %v, %v", again, created, err)
			}
		})
	}
}

// An ID made of the address returns to somebody whose identity and address
// were never known to us.
func TestReusedIDInheritsNothing(t *testing.T) {
	s := openTest(t, "sqlite://", options{})
	ctx := t.Context()
	if err := s.CreateSession(ctx, providers.Session{ID: "s1", UserID: "u1", ExpiresAt: time.Now().Add(time.Hour)}, nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.FindOrCreateUser(ctx, "google", google("1"), "u1", true, ""); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.SessionByID(ctx, "s1"); !errors.Is(err, providers.ErrNotFound) {
		t.Errorf("S7: the old session lives: %v", err)
	}
}

// S29, for databases whose writers overlap: whoever loses a race starts over,
// a bounded number of times, and leaves nothing half done.
func TestLostRaces(t *testing.T) {
	s := openTest(t, "sqlite://", options{})
	var lost, tries int
	err := s.db.Callback().Create().Before("gorm:create").Register("test:race", func(tx *gorm.DB) {
		if tx.Statement.Table == "users" {
			tries++
			if tries <= lost {
				_ = tx.AddError([]error{errRace, gorm.ErrDuplicatedKey}[tries%2])
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}

	lost = 3
	user, created, err := s.FindOrCreateUser(t.Context(), "google", google("1"), "u1", true, "")
	if err != nil || !created || user.ID != "u1" || user.Username != "moshe" || tries != 4 {
		t.Errorf("after %d tries: %+v, created %v, %v", tries, user, created, err)
	}

	lost, tries = 1000, 0
	id := google("2")
	id.Email = "ruth@example.com"
	_, created, err = s.FindOrCreateUser(t.Context(), "google", id, "u2", true, "")
	if !errors.Is(err, providers.ErrUnavailable) || created || tries != maxRaces {
		t.Errorf("after %d tries: created %v, %v", tries, created, err)
	}
	for _, table := range []string{"auth_emails", "auth_identities", "auth_usernames", "auth_accounts", "users"} {
		var n int
		if err := first(s.db, "SELECT count(*) FROM "+table, nil, &n); err != nil || n != 1 {
			t.Errorf("%s has %d rows, %v; want the first user's", table, n, err)
		}
	}
}

// A row of auth_… that another program's constraint forbids: the sign-in
// starts over and gives up, instead of failing on the raw error.
func TestConstraintOfAnAdoptedTable(t *testing.T) {
	s := openTest(t, "sqlite://", options{})
	run(t, s, "CREATE UNIQUE INDEX one_per_name ON users (name)")
	if _, _, err := s.FindOrCreateUser(t.Context(), "google", google("1"), "u1", true, ""); err != nil {
		t.Fatal(err)
	}
	id := google("2")
	id.Email = "other@example.com"
	if _, _, err := s.FindOrCreateUser(t.Context(), "google", id, "u2", true, ""); !errors.Is(err, errRace) || !errors.Is(err, providers.ErrUnavailable) {
		t.Errorf("%v", err)
	}
	if _, err := s.User(t.Context(), "u1"); err != nil {
		t.Errorf("the first user: %v", err)
	}
}
