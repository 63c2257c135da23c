package store_test

import (
	"database/sql"
	"testing"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/internal/store/storetest"
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

// Ruling 14: a database that the original service has made, and that it may
// still be writing.
func TestAdoptionOnSQLiteFile(t *testing.T) {
	storetest.RunAdoption(t, func(t *testing.T) storetest.Database {
		path := t.TempDir() + "/auth.db"
		other, err := sql.Open("sqlite", path)
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
			Open:      func(t *testing.T) storetest.Store { return openURL(t, "sqlite:///"+path) },
			Timestamp: "DATETIME",
		}
	})
}
