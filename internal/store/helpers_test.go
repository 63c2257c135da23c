package store

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/datahq/auth-gateway/providers"
)

// openTest opens a database with options of the test's own.
func openTest(t testing.TB, url string, o options) *Store {
	t.Helper()
	s, err := open(t.Context(), parse(t, url), nil, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return s
}

func parse(t testing.TB, url string) DSN {
	t.Helper()
	dsn, err := ParseDSN(url)
	if err != nil {
		t.Fatal(err)
	}
	return dsn
}

// tempFile is the path of a database that does not exist yet.
func tempFile(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "auth.db")
}

func run(t testing.TB, s *Store, query string, args ...any) {
	t.Helper()
	if err := s.db.Exec(query, args...).Error; err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// openRaw opens a file as another program would.
func openRaw(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func rawExec(t testing.TB, db interface {
	Exec(string, ...any) (sql.Result, error)
}, query string, args ...any,
) {
	t.Helper()
	if _, err := db.Exec(query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// dump returns all rows of a query as text.
func dump(t testing.TB, db *sql.DB, query string) (lines []string) {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

func google(subject string) providers.Identity {
	return providers.Identity{
		Issuer: "https://accounts.google.com", Subject: subject,
		Email: "moshe@example.com", EmailVerified: true, Name: "Moshe",
	}
}
