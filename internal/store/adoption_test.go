package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/testserver"
)

// Users are adopted page by page, all of them, whatever the database's order of
// IDs; of those who share a folded name the oldest is found by it, on whichever
// page he is.
func TestAdoptionInPages(t *testing.T) {
	for name, url := range map[string]string{
		"SQLite":     tempFile(t),
		"PostgreSQL": testserver.SharedPostgres(t).NewDatabase(t),
		"MariaDB":    testserver.SharedMariaDB(t).NewDatabase(t),
	} {
		t.Run(name, func(t *testing.T) {
			s := openTest(t, url, options{})
			for i := range 23 {
				run(t, s, "INSERT INTO users (id, username, email, join_date) VALUES (?, ?, ?, ?)",
					fmt.Sprintf("%c%d", []rune("aB-é")[i%4], i), fmt.Sprintf("n%d", i), fmt.Sprintf("U%d@example.com", i), "2020-01-01 00:00:00.000000")
			}
			// Differently written, so that a constraint lets them in.
			for _, user := range [][3]string{
				{"A1", "Ruth", "2019-01-01 00:00:00.000000"},
				{"m1", "RUTH", "2017-01-01 00:00:00.000000"},
				{"z1", "rUTH", "2018-01-01 00:00:00.000000"},
				{"z2", "ruTH", "2017-01-01 00:00:00.000000"},
			} {
				run(t, s, "INSERT INTO users (id, username, join_date) VALUES (?, ?, ?)", user[0], user[1], user[2])
			}
			run(t, s, "INSERT INTO users (id, username) VALUES ('0', 'ruTh')")

			s = openTest(t, url, options{pageSize: 3})
			for i := range 23 {
				want := fmt.Sprintf("%c%d", []rune("aB-é")[i%4], i)
				if user, err := s.UserByUsername(t.Context(), fmt.Sprintf("N%d", i)); err != nil || user.ID != want {
					t.Errorf("name n%d leads to %q, %v; want %q", i, user.ID, err, want)
				}
				if user, err := s.UserByEmail(t.Context(), fmt.Sprintf("u%d@example.com", i)); err != nil || user.ID != want {
					t.Errorf("address %d leads to %q, %v; want %q", i, user.ID, err, want)
				}
			}
			if user, err := s.UserByUsername(t.Context(), "ruth"); err != nil || user.ID != "m1" {
				t.Errorf("ruth is %q, %v; want the oldest, m1", user.ID, err)
			}
			// Once given, a name stays.
			run(t, s, "UPDATE users SET join_date = '2016-01-01 00:00:00.000000' WHERE id = 'z1'")
			s = openTest(t, url, options{pageSize: 4})
			if user, err := s.UserByUsername(t.Context(), "ruth"); err != nil || user.ID != "m1" {
				t.Errorf("later ruth is %q, %v; want m1 still", user.ID, err)
			}
		})
	}
}

// Of all gateways on a database one does a chore, and the next one when it is
// due again.
func TestChoresAreDoneByOne(t *testing.T) {
	for name, url := range map[string]string{
		"SQLite":     tempFile(t),
		"PostgreSQL": testserver.SharedPostgres(t).NewDatabase(t),
		"MariaDB":    testserver.SharedMariaDB(t).NewDatabase(t),
	} {
		t.Run(name, func(t *testing.T) {
			a, b := openTest(t, url, options{}), openTest(t, url, options{})
			want := func(s *Store, interval time.Duration, want bool) {
				t.Helper()
				if due, err := s.due(t.Context(), choreAdopt, interval); err != nil || due != want {
					t.Errorf("due: %v, %v; want %v", due, err, want)
				}
			}
			want(a, time.Hour, true)
			want(a, time.Hour, false)
			want(b, time.Hour, false)
			time.Sleep(5 * time.Millisecond)
			want(b, time.Millisecond, true)
			want(a, time.Hour, false)
			// The database's clock was a day ahead, and has been put right.
			run(t, a, "UPDATE auth_chores SET done_at = done_at + 86400000000")
			want(a, time.Hour, true)
			want(b, time.Hour, false)
		})
	}
}

// BenchmarkAdoption is how long the first start on the database of an original
// takes, and each later one; -users adds a size.
func BenchmarkAdoption(b *testing.B) {
	sizes := []int{1000, 100_000}
	if *manyUsers > 0 {
		sizes = append(sizes, *manyUsers)
	}
	for _, size := range sizes {
		b.Run(fmt.Sprintf("PostgreSQL/%d", size), func(b *testing.B) {
			var first, later time.Duration
			for b.Loop() {
				server := testserver.SharedPostgres(b)
				url := server.NewDatabase(b)
				server.SQL(b, url, fmt.Sprintf(`CREATE TABLE users (id VARCHAR(128) PRIMARY KEY, provider_id VARCHAR(128), username VARCHAR NOT NULL UNIQUE,
name VARCHAR, email VARCHAR, avatar_url VARCHAR(512), join_date TIMESTAMP WITHOUT TIME ZONE);
INSERT INTO users SELECT md5('u' || n), 'google:' || n, 'name' || n, 'Somebody', 'u' || n || '@example.com', NULL, now() FROM generate_series(1, %d) n;
ALTER TABLE users OWNER TO %s; ANALYZE users`, size, server.User))
				start := time.Now()
				openTest(b, url, options{})
				first += time.Since(start)
				start = time.Now()
				openTest(b, url, options{})
				later += time.Since(start)
			}
			b.ReportMetric(first.Seconds()/float64(b.N), "s/first-start")
			b.ReportMetric(later.Seconds()/float64(b.N), "s/later-start")
		})
	}
}
