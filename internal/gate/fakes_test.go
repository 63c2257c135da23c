package gate

import (
	"testing"

	"github.com/datahq/auth-gateway/internal/wire"
	"github.com/datahq/auth-gateway/providers"
)

var ada = providers.User{ID: "u1", Username: "ada", Name: "Ada Lovelace", Email: "ada@example.com"}

func testSite(t testing.TB) (*wire.Site, *wire.NextPolicy) {
	t.Helper()
	site, err := wire.NewSite("https://app.example.com", "")
	if err != nil {
		t.Fatal(err)
	}
	next, err := wire.NewNextPolicy(site, true, "https://frontend.example.com")
	if err != nil {
		t.Fatal(err)
	}
	return site, next
}
