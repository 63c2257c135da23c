package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/providers"
)

// signIn signs a user in whose subject is also the proposed ID.
func signIn(t *testing.T, s *Store, subject string) error {
	t.Helper()
	id := google(subject)
	id.Email = subject + "@example.com"
	_, _, err := s.FindOrCreateUser(t.Context(), "google", id, subject, true, "")
	return err
}

// S39: while another program holds the file, reading goes on, writing says
// "cannot tell", and all is well afterwards.
func TestLockedFile(t *testing.T) {
	path := tempFile(t)
	s := openTest(t, path, options{busyTimeout: 100 * time.Millisecond})
	if err := signIn(t, s, "before"); err != nil {
		t.Fatal(err)
	}
	other := openRaw(t, path)
	other.SetMaxOpenConns(1)
	rawExec(t, other, "BEGIN EXCLUSIVE")

	if err := signIn(t, s, "meanwhile"); !errors.Is(err, providers.ErrUnavailable) || !errors.Is(err, ErrNotWritable) || sqliteCode(err) != sqliteBusy {
		t.Errorf("sign-in: %v, want ErrUnavailable, ErrNotWritable and the cause", err)
	}
	if _, err := s.User(t.Context(), "before"); err != nil {
		t.Errorf("reading: %v", err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
	if err := parse(t, path).CheckWritable(); err != nil {
		t.Errorf("a locked file counts as writable, got %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.EndSession(ctx, "x"); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, providers.ErrUnavailable) {
		t.Errorf("ending a session with a deadline: %v", err)
	}

	rawExec(t, other, "ROLLBACK")
	if err := signIn(t, s, "meanwhile"); err != nil {
		t.Errorf("sign-in afterwards: %v", err)
	}
}

// A writer waits for another program's write to end.
func TestBrieflyLockedFile(t *testing.T) {
	path := tempFile(t)
	s := openTest(t, path, options{})
	other := openRaw(t, path)
	other.SetMaxOpenConns(1)
	rawExec(t, other, "BEGIN IMMEDIATE")
	release := time.AfterFunc(200*time.Millisecond, func() { _, _ = other.Exec("ROLLBACK") })
	defer release.Stop()
	if err := signIn(t, s, "patient"); err != nil {
		t.Error(err)
	}
}

func TestOpeningALockedFile(t *testing.T) {
	path := tempFile(t)
	other := openRaw(t, path)
	other.SetMaxOpenConns(1)
	rawExec(t, other, "CREATE TABLE something (x)")
	rawExec(t, other, "BEGIN EXCLUSIVE")
	if s, err := open(t.Context(), parse(t, path), nil, options{busyTimeout: 50 * time.Millisecond}); !errors.Is(err, providers.ErrUnavailable) {
		t.Errorf("opening: %v, want ErrUnavailable", err)
		if err == nil {
			s.Close()
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if s, err := open(ctx, parse(t, path), nil, options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("opening with a deadline: %v", err)
		if err == nil {
			s.Close()
		}
	}
	rawExec(t, other, "ROLLBACK")
	openTest(t, path, options{})
}

// A writer that hangs does not take the connections of readers, and those who
// wait behind it are told in time.
func TestStuckWriter(t *testing.T) {
	s := openTest(t, tempFile(t), options{busyTimeout: 50 * time.Millisecond})
	if err := signIn(t, s, "before"); err != nil {
		t.Fatal(err)
	}
	turns := *s.turns.Load()
	turns <- struct{}{}
	if err := signIn(t, s, "waiting"); !errors.Is(err, providers.ErrUnavailable) {
		t.Errorf("sign-in: %v", err)
	}
	if _, err := s.User(t.Context(), "before"); err != nil {
		t.Errorf("reading: %v", err)
	}
	<-turns
	if err := signIn(t, s, "waiting"); err != nil {
		t.Errorf("sign-in afterwards: %v", err)
	}
}

// oneConnection makes the pool a single connection, for settings that hold
// for one.
func oneConnection(t *testing.T, s *Store) {
	t.Helper()
	pool, err := s.db.DB()
	if err != nil {
		t.Fatal(err)
	}
	pool.SetMaxIdleConns(0) // closes what is there
	pool.SetMaxOpenConns(1)
	pool.SetMaxIdleConns(1)
}

// S39: a full disk fails the write as a whole, keeps what is there, and is
// over when there is room.
func TestFullDisk(t *testing.T) {
	s := openTest(t, tempFile(t), options{})
	if err := signIn(t, s, "before"); err != nil {
		t.Fatal(err)
	}
	oneConnection(t, s)
	run(t, s, "PRAGMA max_page_count = 1") // SQLite makes it the present size

	big := make([]byte, 100_000)
	if err := s.PutAttempt(t.Context(), []byte("big"), big, time.Now()); !errors.Is(err, providers.ErrUnavailable) || !errors.Is(err, ErrNotWritable) || sqliteCode(err) != sqliteFull {
		t.Errorf("storing: %v, want ErrUnavailable, ErrNotWritable and the cause", err)
	}
	if _, _, err := s.TakeAttempt(t.Context(), []byte("big")); !errors.Is(err, providers.ErrNotFound) {
		t.Errorf("half of it is there: %v", err)
	}
	if _, err := s.User(t.Context(), "before"); err != nil {
		t.Errorf("reading: %v", err)
	}

	run(t, s, "PRAGMA max_page_count = 100000")
	if err := s.PutAttempt(t.Context(), []byte("big"), big, time.Now()); err != nil {
		t.Errorf("storing afterwards: %v", err)
	}
	if err := signIn(t, s, "after"); err != nil {
		t.Errorf("sign-in afterwards: %v", err)
	}
}

// A file system that has become read-only.
func TestReadOnlyWhileOpen(t *testing.T) {
	s := openTest(t, tempFile(t), options{})
	if err := signIn(t, s, "before"); err != nil {
		t.Fatal(err)
	}
	oneConnection(t, s)
	run(t, s, "PRAGMA query_only = 1")
	if err := signIn(t, s, "meanwhile"); !errors.Is(err, providers.ErrUnavailable) || !errors.Is(err, ErrNotWritable) || sqliteCode(err) != sqliteReadOnly {
		t.Errorf("sign-in: %v, want ErrUnavailable, ErrNotWritable and the cause", err)
	}
	if _, err := s.User(t.Context(), "before"); err != nil {
		t.Errorf("reading: %v", err)
	}
	run(t, s, "PRAGMA query_only = 0")
	if err := signIn(t, s, "meanwhile"); err != nil {
		t.Errorf("sign-in afterwards: %v", err)
	}
}

// S39: a missing table is "cannot tell", never "nobody".
func TestMissingTable(t *testing.T) {
	s := openTest(t, tempFile(t), options{})
	if err := signIn(t, s, "u1"); err != nil {
		t.Fatal(err)
	}
	run(t, s, "DROP TABLE auth_accounts")
	if _, err := s.User(t.Context(), "u1"); !errors.Is(err, providers.ErrUnavailable) || errors.Is(err, providers.ErrNotFound) {
		t.Errorf("reading: %v", err)
	}
}
