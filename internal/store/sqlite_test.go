package store

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/datahq/auth-gateway/providers"
)

func TestPathsAreLiteral(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a b.db", "a%20b.db", "a#b.db", "ü'\"&;=.db", "file:x.db"} {
		openTest(t, dir+"/"+name, options{})
		if _, err := os.Stat(dir + "/" + name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFileSettings(t *testing.T) {
	s := openTest(t, tempFile(t), options{})
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "busy_timeout": "5000", "synchronous": "2",
	} {
		var got string
		if err := first(s.db, "PRAGMA "+pragma, nil, &got); err != nil || got != want {
			t.Errorf("%s = %q, %v; want %q", pragma, got, err, want)
		}
	}
}

// gorm knows the constraint errors of the C driver only.
func TestDuplicatesAreRecognised(t *testing.T) {
	s := openTest(t, "sqlite://", options{})
	cookie := "c"
	for name, rows := range map[string][2]any{
		"primary key": {&emailRow{Address: "a", UserID: "1"}, &emailRow{Address: "a", UserID: "2"}},
		"unique":      {&sessionRow{ID: "1", CookieHash: &cookie}, &sessionRow{ID: "2", CookieHash: &cookie}},
	} {
		if err := s.db.Create(rows[0]).Error; err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := s.db.Create(rows[1]).Error; !errors.Is(err, gorm.ErrDuplicatedKey) || sqliteCode(err) == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.db.Exec("INSERT INTO users (id) VALUES ('1')").Error; err == nil || errors.Is(err, gorm.ErrDuplicatedKey) {
		t.Errorf("a missing value is reported as %v", err)
	}
}

func TestMemoryIsOneDatabasePerStore(t *testing.T) {
	a, b := openTest(t, "sqlite://", options{}), openTest(t, "sqlite://", options{})
	run(t, a, "INSERT INTO users (id, username) VALUES ('u1', 'moshe')")

	// An interrupted query costs its connection, and idle ones go.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	var n int
	err := first(a.db.WithContext(ctx), "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c", nil, &n)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("endless query: %v", err)
	}
	pool, err := a.db.DB()
	if err != nil {
		t.Fatal(err)
	}
	pool.SetMaxIdleConns(0)

	// Several connections at once see one database.
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := a.User(t.Context(), "u1"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if _, err := b.User(t.Context(), "u1"); !errors.Is(err, providers.ErrNotFound) {
		t.Errorf("another Store sees the user: %v", err)
	}
}

// Each of 50 gets its turn: with SQLite's own retries some starve.
func TestWritersTakeTurns(t *testing.T) {
	s := openTest(t, tempFile(t), options{})
	run(t, s, "CREATE TABLE turns (n INTEGER)")
	run(t, s, "INSERT INTO turns VALUES (0)")
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			err := s.write(t.Context(), "counting", func(tx *gorm.DB) error {
				var n int
				if err := first(tx, "SELECT n FROM turns", nil, &n); err != nil {
					return err
				}
				return tx.Exec("UPDATE turns SET n = ?", n+1).Error
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	var n int
	if err := first(s.db, "SELECT n FROM turns", nil, &n); err != nil || n != 50 {
		t.Errorf("n = %d, %v; want 50: an update was lost", n, err)
	}
}
