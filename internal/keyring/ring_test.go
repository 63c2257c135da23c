package keyring

import (
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/token"
)

// openRing is the ring of a gateway on a storage.
func openRing(t *testing.T, s Store, change ...func(*Config)) *Ring {
	t.Helper()
	c := Config{Issuer: "https://app.example.com", Lifetimes: bothKinds, Store: s, Logger: zap.NewNop()}
	for _, f := range change {
		f(&c)
	}
	k, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sampleToken(t *testing.T, r *token.Ring) string {
	t.Helper()
	raw, err := r.SignPermission(token.Permission{UserID: "u", SessionID: "s", Service: "storage", ExpiresAt: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
