package caddymodule_test

import (
	"context"
	"database/sql"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite" // as the gateway's
)

// S39: another program holds the database's write lock, as a backup or somebody
// at a prompt may. Reading goes on, so whoever is signed in notices nothing;
// what would have to be written is refused.
func TestFailClosedDatabaseLocked(t *testing.T) {
	t.Parallel() // it waits
	o := newOutage(t, "")
	release := lockForWriting(t, databaseFile(o.Gateway))
	o.wantNothingWritten(t)
	o.wantReadable(t)
	o.wantAlone(t)
	wantLogged(t, o.Gateway, "database is locked", "SQLITE_BUSY")
	release()
	o.wantRecovered(t)
}

// lockForWriting takes a database's write lock until it is released.
func lockForWriting(t *testing.T, path string) (release func()) {
	t.Helper()
	database, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	connection, err := database.Conn(context.Background())
	if err == nil {
		_, err = connection.ExecContext(context.Background(), "BEGIN IMMEDIATE")
	}
	if err != nil {
		t.Fatal(err)
	}
	released := false
	release = func() {
		if released {
			return
		}
		released = true
		if _, err := connection.ExecContext(context.Background(), "ROLLBACK"); err != nil {
			t.Error(err)
		}
		connection.Close()
		database.Close()
	}
	t.Cleanup(release)
	return release
}

// wantReadable checks that whoever is signed in goes on where nothing but
// writing fails, also who has not been seen yet.
func (o *outage) wantReadable(t *testing.T) {
	t.Helper()
	for _, path := range []string{"/login/x", "/storage/x", "/reports/x", "/auth/account", "/auth/check", "/auth/authorize?service=storage"} {
		if answer := o.bob.Fetch(o.URL + path); answer.Status != http.StatusOK {
			t.Errorf("%s: %d %s", path, answer.Status, answer.Body)
		}
	}
}

// S39: the tables are not there: an operator has restored the wrong file, or a
// migration of somebody else's has failed half-way.
func TestFailClosedDatabaseBroken(t *testing.T) {
	t.Parallel()
	o := newOutage(t, "")
	mend := hideTables(t, databaseFile(o.Gateway))
	o.wantClosed(t)
	wantLogged(t, o.Gateway, "no such table")
	mend()
	o.wantRecovered(t)
}

// wantClosed is the whole of a database that does not answer.
func (o *outage) wantClosed(t *testing.T) {
	t.Helper()
	// What has just been seen still counts, for a while (ruling 2). Before all else:
	// it gets older.
	for path, credential := range map[string][]string{
		"/login/a":   {"Cookie", "auth_session=" + o.ada.Cookie},
		"/storage/a": {"Auth-Token", o.ada.storage},
		"/reports/a": {"Authorization", "Bearer " + o.ada.reports},
		"/open":      {"Auth-Token", o.ada.Token},
	} {
		o.upstream.Take()
		answer := call(t, o.Gateway, path, credential...)
		if seen := o.upstream.Take(); answer.Status != http.StatusOK || len(seen) != 1 || seen[0].Header.Get("X-Auth-User-Id") != o.ada.ID {
			t.Errorf("ada at %s: %d %s", path, answer.Status, answer.Body)
		}
	}
	if answer := call(t, o.Gateway, "/auth/authorize?service=storage", "Auth-Token", o.ada.Token); answer.Status != http.StatusOK {
		t.Errorf("ada at authorize: %d %s", answer.Status, answer.Body)
	}
	o.wantNothingDone(t)
	o.wantIdentifyOpen(t)
	o.wantAlone(t)
}

// hideTables takes the tables away from whoever uses them, and gives them back.
func hideTables(t *testing.T, path string) (mend func()) {
	t.Helper()
	database, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(10000)&_pragma=legacy_alter_table(1)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { database.Close() })
	rows, err := database.Query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
	if err != nil {
		t.Fatal(err)
	}
	var tables []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, name)
	}
	if err := rows.Err(); err != nil || len(tables) < 5 {
		t.Fatalf("tables %v: %v", tables, err)
	}
	rename := func(from, to string) {
		for _, name := range tables {
			if _, err := database.Exec("ALTER TABLE " + from + name + " RENAME TO " + to + name); err != nil {
				t.Fatal(err)
			}
		}
	}
	rename("", "hidden_")
	return func() { rename("hidden_", "") }
}

// S39: the file is gone: its volume has been unmounted, or somebody has moved it
// away. On Unix an open file can still be written then, and what is written
// would be lost with the process: sign-ins and, worse, sign-outs.
func TestFailClosedDatabaseRemoved(t *testing.T) {
	t.Parallel()
	o := newOutage(t, "")
	folder := filepath.Dir(databaseFile(o.Gateway))
	if err := os.Rename(folder, folder+".away"); err != nil {
		t.Fatal(err)
	}
	o.wantClosed(t)
	if left, _ := os.ReadDir(folder); len(left) > 0 {
		t.Errorf("something has been made in its place: %v", left)
	}
	wantLogged(t, o.Gateway, "database file")
	_ = os.Remove(folder)
	if err := os.Rename(folder+".away", folder); err != nil {
		t.Fatal(err)
	}
	o.wantRecovered(t)
}

// The same, with another file at its place: two files of one name, of which some
// connections would use the one and some the other, spoil each other's journal.
func TestFailClosedDatabaseReplaced(t *testing.T) {
	t.Parallel()
	o := newOutage(t, "")
	path := databaseFile(o.Gateway)
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o.wantClosed(t)
	if info, err := os.Stat(path); err != nil || info.Size() > 0 {
		t.Errorf("the other file was written to: %v, %v", info, err)
	}
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	o.wantRecovered(t)
}
