package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/providers"
)

// S39: a file that is not where it was is no database any more. The attack is
// nobody's: an operator moves it, deletes it or puts a backup in its place,
// while the gateway runs and acknowledges sign-outs that the next start has
// never heard of.
func TestMovedFile(t *testing.T) {
	path := tempFile(t)
	s := openTest(t, path, options{})
	if err := signIn(t, s, "before"); err != nil {
		t.Fatal(err)
	}
	unusable := func(state, cause string) {
		t.Helper()
		for verb, err := range map[string]error{
			"writing": signIn(t, s, "meanwhile"), "ending a session": s.EndSession(t.Context(), "x"), "ping": s.Ping(t.Context()),
		} {
			if !errors.Is(err, providers.ErrUnavailable) || !strings.Contains(err.Error(), cause) {
				t.Errorf("%s: %s: %v", state, verb, err)
			}
		}
		if _, err := s.User(t.Context(), "before"); !errors.Is(err, providers.ErrUnavailable) || errors.Is(err, providers.ErrNotFound) {
			t.Errorf("%s: reading: %v", state, err)
		}
	}
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	unusable("moved away", "not there any more")
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a new file has been made: %v", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	unusable("replaced", "has been replaced")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	unusable("a folder in its place", "has been replaced")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}

	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	if err := signIn(t, s, "afterwards"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if _, err := s.User(t.Context(), "before"); err != nil {
		t.Errorf("reading afterwards: %v", err)
	}
}

// A connection that is opened late makes no file of its own: it would be empty,
// and readable for everybody.
func TestNewConnectionsMakeNoFile(t *testing.T) {
	path := tempFile(t)
	s := openTest(t, path, options{})
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	pool, err := s.db.DB()
	if err != nil {
		t.Fatal(err)
	}
	pool.SetMaxIdleConns(0)
	if err := pool.PingContext(t.Context()); err == nil {
		_, err = pool.ExecContext(t.Context(), "CREATE TABLE x (y)")
		if err == nil {
			t.Error("a new connection has found a database")
		}
	}
	for _, suffix := range []string{"", "-journal"} {
		if found, _ := filepath.Glob(path + suffix); len(found) > 0 {
			t.Errorf("there is %v", found)
		}
	}
}
