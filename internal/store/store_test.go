package store_test

import (
	"database/sql"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/internal/store/storetest"
	"github.com/datahq/auth-gateway/internal/testserver"
)

// TestMain proves that closed Stores leave no goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// openURL opens a database and closes it when the test ends.
func openURL(t testing.TB, url string) *store.Store {
	t.Helper()
	dsn, err := store.ParseDSN(url)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), dsn, zap.NewNop())
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

func TestContractOnSQLiteFile(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store {
		return openURL(t, "sqlite:///"+t.TempDir()+"/auth.db")
	})
}

func TestContractOnSQLiteInMemory(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store { return openURL(t, "sqlite://") })
}

func TestContractOnPostgres(t *testing.T) {
	server := testserver.SharedPostgres(t)
	storetest.Run(t, func(t *testing.T) storetest.Store { return openURL(t, server.NewDatabase(t)) })
}

func TestContractOnMariaDB(t *testing.T) {
	server := testserver.SharedMariaDB(t)
	storetest.Run(t, func(t *testing.T) storetest.Store { return openURL(t, server.NewDatabase(t)) })
}

// Ruling 14: a database that the original service has made, and that it may
// still be writing.
func TestAdoptionOnSQLiteFile(t *testing.T) {
	storetest.RunAdoption(t, func(t *testing.T) storetest.Database {
		path := t.TempDir() + "/auth.db"
		return adoptable(t, "sqlite", path, "sqlite:///"+path, "DATETIME")
	})
}

func TestAdoptionOnPostgres(t *testing.T) {
	server := testserver.SharedPostgres(t)
	storetest.RunAdoption(t, func(t *testing.T) storetest.Database {
		url := server.NewDatabase(t)
		return adoptable(t, "pgx", url, url, "TIMESTAMP WITHOUT TIME ZONE")
	})
}

// The original never ran on MariaDB; somebody may have copied its tables there.
func TestAdoptionOnMariaDB(t *testing.T) {
	server := testserver.SharedMariaDB(t)
	storetest.RunAdoption(t, func(t *testing.T) storetest.Database {
		url := server.NewDatabase(t)
		name := url[strings.LastIndex(url, "/")+1:]
		server.SQL(t, url, "ALTER DATABASE "+name+" COLLATE utf8mb4_nopad_bin")
		d := adoptable(t, "mysql", server.User+":"+server.Password+"@tcp("+server.Address+")/"+name+standardSQL, url, "DATETIME(6)")
		d.Text = "VARCHAR(255)"
		return d
	})
}

// standardSQL makes MariaDB read "||" and "\\" as others do.
const standardSQL = "?sql_mode=%27ANSI%2CNO_BACKSLASH_ESCAPES%27"

// adoptable is a database that another program, by a driver of its own, writes
// as well.
func adoptable(t *testing.T, driver, source, url, timestamp string) storetest.Database {
	t.Helper()
	other, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	return storetest.Database{
		Exec: func(t *testing.T, statement string) {
			t.Helper()
			if _, err := other.Exec(statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		},
		Open:      func(t *testing.T) storetest.Store { return openURL(t, url) },
		Timestamp: timestamp,
	}
}
