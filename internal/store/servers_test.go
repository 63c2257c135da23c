package store

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/testserver"
	"github.com/datahq/auth-gateway/providers"
)

// sharedServers are those which tests may use that do nothing to them.
func sharedServers(t testing.TB) map[string]*testserver.SQLServer {
	return map[string]*testserver.SQLServer{"PostgreSQL": testserver.SharedPostgres(t), "MariaDB": testserver.SharedMariaDB(t)}
}

// onServers runs a test against a server of its own of each kind.
func onServers(t *testing.T, fn func(t *testing.T, server *testserver.SQLServer, url string), options ...testserver.Option) {
	for name, start := range map[string]func(testing.TB, ...testserver.Option) *testserver.SQLServer{
		"PostgreSQL": testserver.Postgres, "MariaDB": testserver.MariaDB,
	} {
		t.Run(name, func(t *testing.T) {
			server := start(t, options...)
			fn(t, server, server.NewDatabase(t))
		})
	}
}

// migrationIDs are those of the present schema.
var migrationIDs = []string{"0001_accounts_and_sessions", "0002_adopted_users", "0003_changes_and_nodes", "0004_addresses_of_nodes"}

// pool is the Store's own way to its database.
func pool(t testing.TB, s *Store) *sql.DB {
	t.Helper()
	db, err := s.db.DB()
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestServersAreMigratedOnce(t *testing.T) {
	for name, server := range sharedServers(t) {
		t.Run(name, func(t *testing.T) {
			url := server.NewDatabase(t)
			var all sync.WaitGroup
			for range 10 {
				all.Go(func() {
					s, err := Open(t.Context(), parse(t, url), nil)
					if err != nil {
						t.Error(err)
						return
					}
					if err := s.Ping(t.Context()); err != nil {
						t.Error(err)
					}
					if err := s.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			s := openTest(t, url, options{})
			if got := dump(t, pool(t, s), "SELECT id FROM auth_migrations ORDER BY id"); !slices.Equal(got, migrationIDs) {
				t.Errorf("migrations: %v", got)
			}
			if got := dump(t, pool(t, s), "SELECT name FROM auth_chores ORDER BY name"); !slices.Equal(got, []string{choreAdopt, choreAnnounce}) {
				t.Errorf("chores: %v", got)
			}
		})
	}
}

// A gateway may be killed between two statements of a migration, which MySQL
// commits one by one.
func TestHalfMigratedServer(t *testing.T) {
	for name, server := range sharedServers(t) {
		t.Run(name, func(t *testing.T) {
			url := server.NewDatabase(t)
			s := openTest(t, url, options{})
			if name == "MariaDB" {
				run(t, s, "DROP INDEX auth_attempts_expires_at ON auth_attempts")
				run(t, s, "DROP TABLE auth_adopted")
				run(t, s, "DROP TABLE auth_nodes")
				run(t, s, "DELETE FROM auth_migrations")
			} else {
				for _, table := range []string{"auth_changes", "auth_nodes", "auth_chores"} { // in one transaction
					run(t, s, "DROP TABLE "+table)
				}
				run(t, s, "DELETE FROM auth_migrations WHERE id >= '0003'")
			}
			s = openTest(t, url, options{})
			if name == "MariaDB" { // what was added to a table is there already
				run(t, s, "DELETE FROM auth_migrations WHERE id >= '0004'")
				s = openTest(t, url, options{})
			}
			if err := signIn(t, s, "u1"); err != nil {
				t.Error(err)
			}
			if _, err := s.Announce(t.Context(), Node{ID: "n"}, time.Minute); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestNewerSchemaOfServersIsRefused(t *testing.T) {
	for name, server := range sharedServers(t) {
		t.Run(name, func(t *testing.T) {
			url := server.NewDatabase(t)
			s := openTest(t, url, options{})
			run(t, s, "INSERT INTO auth_migrations (id) VALUES ('9999_of_the_future')")
			newer, err := Open(t.Context(), parse(t, url), nil)
			if err == nil {
				newer.Close()
			}
			if !errors.Is(err, ErrSchema) || errors.Is(err, providers.ErrUnavailable) || !strings.Contains(err.Error(), "newer version") {
				t.Errorf("%v", err)
			}
		})
	}
}

// DATABASE_URL may name the database of some other program, where nothing of
// ours is to be left.
func TestForeignTableOfServersIsRefused(t *testing.T) {
	for name, server := range sharedServers(t) {
		t.Run(name, func(t *testing.T) {
			url := server.NewDatabase(t)
			server.SQL(t, url, "CREATE TABLE users (id INTEGER PRIMARY KEY, login VARCHAR(20))")
			if name == "PostgreSQL" {
				server.SQL(t, url, "ALTER TABLE users OWNER TO "+server.User)
			}
			s, err := Open(t.Context(), parse(t, url), nil)
			if err == nil {
				s.Close()
			}
			if !errors.Is(err, ErrSchema) || !strings.Contains(err.Error(), `"users" has no column "provider_id"`) {
				t.Errorf("%v", err)
			}
			if got := server.SQL(t, url, "SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'auth%'"); got != "" {
				t.Errorf("we left %s there", got)
			}
		})
	}
}

// Contract 1.4: the original's SQLAlchemy goes on with what we have made.
func TestNewTablesOfPostgresHaveTheOriginalsForm(t *testing.T) {
	s := openTest(t, testserver.SharedPostgres(t).NewDatabase(t), options{})
	got := dump(t, pool(t, s), `SELECT table_name || '.' || column_name || ' ' || data_type || COALESCE('(' || character_maximum_length || ')', '') || CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END
FROM information_schema.columns WHERE table_name IN ('users', 'permissions') ORDER BY table_name, ordinal_position`)
	want := []string{
		"permissions.userid character varying NOT NULL", "permissions.service character varying NOT NULL", "permissions.permissions character varying",
		"users.id character varying(128) NOT NULL", "users.provider_id character varying(128)", "users.username character varying NOT NULL",
		"users.name character varying", "users.email character varying", "users.avatar_url character varying(512)",
		"users.join_date timestamp without time zone",
	}
	if !slices.Equal(got, want) {
		t.Errorf("columns:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	constraints := dump(t, pool(t, s), `SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid IN ('users'::regclass, 'permissions'::regclass) AND contype IN ('p', 'u') ORDER BY 1`)
	if want := []string{"permissions PRIMARY KEY (userid, service)", "users PRIMARY KEY (id)", "users UNIQUE (username)"}; !slices.Equal(constraints, want) {
		t.Errorf("constraints: %v, want %v", constraints, want)
	}
	id := google("1")
	before := time.Now().Add(-time.Second).UTC()
	if _, _, err := s.FindOrCreateUser(t.Context(), "google", id, "u1", true, ""); err != nil {
		t.Fatal(err)
	}
	// As Python's datetime.utcnow is stored.
	joined, err := time.Parse("2006-01-02 15:04:05.999999", dump(t, pool(t, s), "SELECT join_date::text FROM users")[0])
	if err != nil || joined.Before(before) || joined.After(time.Now().Add(time.Second)) {
		t.Errorf("join_date is %v, %v; want now in UTC", joined, err)
	}
}

// Names are compared byte for byte: else somebody is somebody else whose name
// is nearly the same.
func TestServersTellNamesApart(t *testing.T) {
	for name, server := range sharedServers(t) {
		t.Run(name, func(t *testing.T) {
			s := openTest(t, server.NewDatabase(t), options{})
			for i, subject := range []string{"a", "A", "a ", "á", "a\u0301", "ａ", " a", "a\t"} {
				id := providers.Identity{Issuer: "https://idp.example", Subject: subject}
				if user, created, err := s.FindOrCreateUser(t.Context(), "x", id, fmt.Sprint(i), true, ""); err != nil || !created {
					t.Errorf("subject %q reached %+v, created %v, %v", subject, user, created, err)
				}
				if err := s.SetGrant(t.Context(), subject, "storage", fmt.Sprintf("p%d", i), true); err != nil {
					t.Error(err)
				}
			}
			if grants, err := s.Grants(t.Context(), "a", "storage"); err != nil || len(grants) != 1 {
				t.Errorf("a has %v, %v", grants, err)
			}
			if grants, err := s.Grants(t.Context(), "a", "Storage"); err != nil || grants != nil {
				t.Errorf("a has %v in Storage, %v", grants, err)
			}
			for _, key := range []string{"s", "S", "s "} {
				session := providers.Session{ID: key, UserID: "0", ExpiresAt: time.Now().Add(time.Hour), ProviderSessionID: strings.Repeat("ü", 120)}
				if err := s.CreateSession(t.Context(), session, []byte(key)); err != nil {
					t.Error(err)
				}
			}
			if _, _, err := s.SessionByID(t.Context(), "s\t"); !errors.Is(err, providers.ErrNotFound) {
				t.Errorf("a session that is none: %v", err)
			}
		})
	}
}

// A table that takes "a" and "A" for one user would give one the other's
// permissions.
func TestCaseInsensitiveTableIsRefused(t *testing.T) {
	server := testserver.SharedMariaDB(t)
	url := server.NewDatabase(t)
	server.SQL(t, url, "CREATE TABLE permissions (userid VARCHAR(100) NOT NULL, service VARCHAR(100) NOT NULL, permissions TEXT, PRIMARY KEY (userid, service))")
	s, err := Open(t.Context(), parse(t, url), nil)
	if err == nil {
		s.Close()
		t.Fatal("it was opened")
	}
	_, advice, found := strings.Cut(err.Error(), "which ")
	advice, _, _ = strings.Cut(advice, " gives it")
	if !errors.Is(err, ErrSchema) || !found {
		t.Fatal(err)
	}
	server.SQL(t, url, advice)
	openTest(t, url, options{})
}

// S41: servers repeat values in errors, and those reach logs.
func TestErrorsOfServersShowNoValues(t *testing.T) {
	for name, server := range sharedServers(t) {
		t.Run(name, func(t *testing.T) {
			s := openTest(t, server.NewDatabase(t), options{})
			row := emailRow{Address: "secret@example.com", UserID: "u1"}
			if err := s.db.Create(&row).Error; err != nil {
				t.Fatal(err)
			}
			for what, err := range map[string]error{
				"duplicate": wrap(t.Context(), "x", s.db.Create(&row).Error),
				"too long":  wrap(t.Context(), "x", s.db.Create(&emailRow{Address: strings.Repeat("secret", 100)}).Error),
				"syntax":    wrap(t.Context(), "x", s.db.Exec("SELEC ?", "secret").Error),
			} {
				if err == nil || strings.Contains(err.Error(), "secret") {
					t.Errorf("%s: %v", what, err)
				}
			}
			dsn := parse(t, server.NewDatabase(t))
			dsn.password = "secret"
			if s, err := Open(t.Context(), dsn, nil); err == nil || strings.Contains(err.Error(), "secret") || !errors.Is(err, providers.ErrUnavailable) {
				t.Errorf("wrong password: %v", err)
				if err == nil {
					s.Close()
				}
			}
		})
	}
}
