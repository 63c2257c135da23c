package keyring

import (
	"slices"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/token"
)

// S2: configured keys and stored ones go together; the active one of the
// configuration goes over those in storage.
func TestGivenKeys(t *testing.T) {
	s, _ := clockedStore(t)
	stored := openRing(t, s)
	signing, err := token.GenerateSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	further, err := token.GenerateSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	ids := func(k *Ring) []string {
		signing, _ := k.IDs()
		return signing
	}
	own := ids(stored)[0]
	moving := openRing(t, s, func(c *Config) { c.Given.SigningNext = []*token.PublicKey{signing.Public()} })
	if got := ids(moving); !slices.Equal(got, []string{own, signing.ID()}) {
		t.Errorf("a next key besides the stored one: %v", got)
	}
	if moving.Fingerprint() != stored.Fingerprint() {
		t.Error("a next key changes the fingerprint")
	}
	given := openRing(t, s, func(c *Config) {
		c.Given.Signing, c.Lifetimes = signing, map[Kind]time.Duration{Session: bothKinds[Session]}
		c.Given.SigningNext, c.Given.SigningRetired = []*token.PublicKey{further.Public()}, []*token.PublicKey{stored.ring.Keys().Signing.Public()}
	})
	if got := ids(given); !slices.Equal(got, []string{signing.ID(), further.ID(), own}) {
		t.Errorf("given keys: %v", got)
	}
	if given.Fingerprint() == stored.Fingerprint() {
		t.Error("another key has the same fingerprint")
	}
}
