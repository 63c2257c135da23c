package store_test

import (
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
