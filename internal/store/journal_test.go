package store

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/datahq/auth-gateway/internal/testserver"
)

// anywhere are databases of each kind.
func anywhere(t *testing.T, fn func(t *testing.T, s *Store)) {
	for name, url := range map[string]string{
		"SQLite":     tempFile(t),
		"PostgreSQL": testserver.SharedPostgres(t).NewDatabase(t),
		"MariaDB":    testserver.SharedMariaDB(t).NewDatabase(t),
	} {
		t.Run(name, func(t *testing.T) { fn(t, openTest(t, url, options{})) })
	}
}

// Old changes are removed, but for the last: whoever has read it finds it again,
// and knows that this is still the same journal. An ID is never used again: who
// listens would miss the change that has it.
func TestOldChangesAreForgotten(t *testing.T) {
	anywhere(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		change := func() {
			t.Helper()
			if err := s.write(ctx, "x", func(tx *gorm.DB) error { return record(tx, Change{SessionID: "s1"}) }); err != nil {
				t.Fatal(err)
			}
		}
		want := func(when string, want ...int64) {
			t.Helper()
			if err := s.purge(ctx); err != nil {
				t.Fatal(err)
			}
			changes, err := s.Changes(ctx, 0)
			if err != nil {
				t.Fatal(err)
			}
			var left []int64
			for _, change := range changes {
				left = append(left, change.ID)
			}
			if !slices.Equal(left, want) {
				t.Errorf("%s: left is %v, want %v", when, left, want)
			}
		}
		age := func() { run(t, s, "UPDATE auth_changes SET created_at = created_at - ?", changesKept+1) }
		want("nothing")
		change()
		change()
		want("new ones", 1, 2)
		age()
		want("old ones", 2)
		change()
		want("an old one and a new one", 2, 3) // who has read 2 may not have read 3
		age()
		want("older ones", 3)
		want("the same once more", 3)
		run(t, s, "DELETE FROM auth_changes")
		change()
		if last, err := s.LastChange(ctx); err != nil || last != 4 {
			t.Errorf("the next ID is %d, %v; want 4", last, err)
		}
	})
}

// Two changes that have one ID are told apart by when they were.
func TestChangesTellTheirTime(t *testing.T) {
	anywhere(t, func(t *testing.T, s *Store) {
		for range 2 {
			if err := s.write(t.Context(), "x", func(tx *gorm.DB) error { return record(tx, Change{UserID: "u1"}) }); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
		}
		changes, err := s.Changes(t.Context(), 0)
		if err != nil || len(changes) != 2 || changes[0].CreatedAt >= changes[1].CreatedAt {
			t.Fatalf("%+v, %v", changes, err)
		}
		if off := time.Since(time.UnixMicro(changes[0].CreatedAt)); off < -time.Minute || off > time.Minute {
			t.Errorf("the first was %v ago", off)
		}
	})
}

// A gateway of before the fourth schema goes on beside newer ones.
func TestNodesWithoutAddress(t *testing.T) {
	anywhere(t, func(t *testing.T, s *Store) {
		run(t, s, "INSERT INTO auth_nodes (id, name, signing_keys, session_keys, seen_at) VALUES ('old', 'host', '[\"a\"]', '[\"s\"]', 9000000000000000)")
		others, err := s.Announce(t.Context(), Node{ID: "new", Address: "https://app.example.com"}, time.Minute)
		if err != nil || len(others) != 1 || others[0].ID != "old" || others[0].Address != "" || others[0].SigningKeys[0] != "a" {
			t.Errorf("%+v, %v", others, err)
		}
	})
}

func TestDeadNodesAreForgotten(t *testing.T) {
	anywhere(t, func(t *testing.T, s *Store) {
		for _, id := range []string{"a", "b"} {
			if _, err := s.Announce(t.Context(), Node{ID: id}, time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		run(t, s, "UPDATE auth_nodes SET seen_at = seen_at - ? WHERE id = 'a'", nodeKept+1)
		if err := s.purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := dump(t, pool(t, s), "SELECT id FROM auth_nodes"); !slices.Equal(got, []string{"b"}) {
			t.Errorf("nodes %v, want b", got)
		}
	})
}

// S8: a change is known exactly if what it tells of has happened.
func TestChangesAreOfTheirTransaction(t *testing.T) {
	anywhere(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		if err := signIn(t, s, "u1"); err != nil {
			t.Fatal(err)
		}
		failure := errors.New("failure")
		if err := s.write(ctx, "x", func(tx *gorm.DB) error { return errors.Join(record(tx, Change{UserID: "u1"}), failure) }); !errors.Is(err, failure) {
			t.Fatal(err)
		}
		if changes, err := s.Changes(ctx, 0); err != nil || len(changes) != 0 {
			t.Errorf("a change that was rolled back is known: %+v, %v", changes, err)
		}
		run(t, s, "DROP TABLE auth_changes")
		if err := s.SetDisabled(ctx, "u1", true); err == nil {
			t.Error("disabling without a record of it succeeded")
		}
		if user, err := s.User(context.WithoutCancel(ctx), "u1"); err != nil || user.Disabled {
			t.Errorf("the user is disabled: %v, %v", user.Disabled, err)
		}
	})
}

// However many there are, they are read in portions.
func TestChangesAreBounded(t *testing.T) {
	s := openTest(t, "sqlite://", options{})
	for range maxChanges + 5 {
		run(t, s, "INSERT INTO auth_changes (user_id, created_at) VALUES ('u1', 9000000000000000)")
	}
	first, err := s.Changes(t.Context(), 0)
	if err != nil || len(first) != maxChanges {
		t.Fatalf("%d changes, %v; want %d", len(first), err, maxChanges)
	}
	if rest, err := s.Changes(t.Context(), first[len(first)-1].ID); err != nil || len(rest) != 5 || rest[0].UserID != "u1" {
		t.Errorf("then %d changes, %v; want 5", len(rest), err)
	}
}
