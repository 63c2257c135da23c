package authz

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/token"
	"github.com/datahq/auth-gateway/providers"
)

// A hit asks nobody, verifies nothing and leaves no garbage.
func TestHitCostsNothing(t *testing.T) {
	w := build(t)
	for name, c := range w.credentials("ada") {
		w := w.named(name)
		w.granted(c, "storage", "ada")
		w.forget()
		w.ring.verified.Store(0)
		w.store.touches.Store(0)
		allocs := testing.AllocsPerRun(1000, func() {
			if _, err := w.Decide(context.Background(), c, "storage"); err != nil {
				w.errorf("%v", err)
			}
		})
		w.asks("hits", 0, 0)
		if got := w.ring.verified.Load() + w.store.touches.Load(); got != 0 {
			w.errorf("%d verifications and touches", got)
		}
		if allocs != 0 {
			w.errorf("%v allocations", allocs)
		}
	}
}

// S40: a credential, its kind and the service make the key. Nothing of one
// entry answers for another.
func TestKeysDiffer(t *testing.T) {
	w := build(t)
	seen := make(map[[32]byte]string)
	for name, a := range map[string]*world{"": w, "other keys, ": w.again(func(c *Config) { c.Fingerprint = "other" })} {
		for _, s := range []*service{a.nobody, a.services["storage"], a.services["Storage"], a.services["billing"]} {
			for _, c := range []Credential{Token("a"), Cookie("a"), Token("b"), Token(""), Cookie(""), Token("ta"), Token("ca")} {
				text := fmt.Sprintf("%s%q %c %q", name, s.Name, c.Kind, c.Value)
				if other, found := seen[c.key(s)]; found {
					t.Errorf("%s and %s have the same key", text, other)
				}
				seen[c.key(s)] = text
			}
		}
	}
	long := make([]byte, 20<<10)
	for i := range long {
		long[i] = 'a'
	}
	if Token(string(long)).key(w.nobody) == Token(string(long[1:])).key(w.nobody) {
		t.Error("long tokens are cut off")
	}
}

// A10, D: names of services that somebody invents leave nothing behind.
func TestUnknownServicesAreNotRemembered(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		for i := range 1000 {
			w.granted(w.cookie("ada"), fmt.Sprint("invented ", i), "ada")
		}
		w.asks("a thousand names", 1, 0)
		if got := w.memory.decisions.Len(); got != 1 {
			t.Errorf("%d entries", got)
		}
	})
}

// A10, D: a flood of made-up credentials takes no more memory than there is,
// and does not push out those who are at work.
func TestRefusalsAreBounded(t *testing.T) {
	memory, err := NewCache(1000)
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	w := build(t)
	w.memory.Close()
	w.memory = memory
	w = w.again()
	work := func() {
		for range 10 {
			w.granted(w.cookie("ada"), "storage", "ada")
			w.granted(w.sessionToken("bob", func(s *token.Session) { s.IssuedAt = time.Unix(1e9, 0); s.ExpiresAt = time.Unix(4e9, 0) }), "storage", "bob")
		}
	}
	work()
	for i := range 20_000 {
		if i%100 == 0 {
			work()
		}
		if _, err := w.Decide(t.Context(), Token(fmt.Sprint("made.up.", i)), "storage"); err == nil {
			t.Fatal("granted")
		}
	}
	w.forget()
	work()
	if got := w.store.lookups.Load(); got > 2 {
		t.Errorf("%d look-ups after the flood", got)
	}
	// Evictions are done in the background.
	for range 100 {
		if memory.decisions.Len() <= 1000 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d entries in a cache of 1000", memory.decisions.Len())
}

func TestNewCacheRefusesNoSize(t *testing.T) {
	if _, err := NewCache(0); err == nil {
		t.Error("a cache without bounds")
	}
}

// After a reload, what is still true is still known, and nothing else.
func TestReload(t *testing.T) {
	run(t, func(t *testing.T, before *world) {
		provider := newFakeProvider()
		provider.grant("ada", "billing", providers.Permissions{"pay": true})
		after := before.again(func(c *Config) {
			c.Services = []Service{
				{Name: "storage", Provider: before.provider, TokenLifetime: time.Hour},
				{Name: "billing", Provider: provider, Fingerprint: "changed"},
				{Name: "new", Provider: provider},
			}
		})
		for _, service := range []string{"storage", "billing", "Storage", ""} {
			before.granted(before.cookie("ada"), service, "ada")
		}
		before.forget()

		after.granted(after.cookie("ada"), "storage", "ada")
		after.granted(after.cookie("ada"), "", "ada")
		after.asks("what has not changed", 0, 0)

		// The old answer was another provider's.
		if d := after.granted(after.cookie("ada"), "billing", "ada"); !d.Permissions.Granted("pay") {
			t.Errorf("billing: %v", d.Permissions)
		}
		if provider.calls.Load() != 1 {
			t.Error("the new provider has not been asked")
		}
		if d := after.granted(after.cookie("ada"), "Storage", "ada"); d.Permissions != nil {
			t.Errorf("a service that is no more grants %v", d.Permissions)
		}
		after.granted(after.cookie("ada"), "new", "ada")

		// Requests under way in the old configuration finish in it.
		before.forget()
		if d := before.granted(before.cookie("ada"), "billing", "ada"); d.Permissions.Granted("pay") {
			t.Error("the old configuration sees the new one's permissions")
		}
		before.asks("the old configuration", 0, 0)

		// S8: a logout is one for both, wherever it happens.
		for i, at := range []*world{before, after} {
			name := fmt.Sprint("user-", i)
			at.signIn(name, "s-"+name)
			for _, a := range []*world{before, after} {
				a.granted(a.cookie(name), "storage", name)
				a.granted(a.cookie(name), "billing", name)
				a.granted(a.cookie(name), "", name)
			}
			at.store.end("s-" + name)
			at.SessionEnded("s-" + name)
			for _, a := range []*world{before, after} {
				a.refused(a.cookie(name), "storage", ErrEnded)
				a.refused(a.cookie(name), "billing", ErrEnded)
				a.refused(a.cookie(name), "", ErrEnded)
			}
		}
	})
}

// S2, S43: with other keys, tokens that were good are none; a decision from
// before must not go on letting them in.
func TestReloadWithOtherKeys(t *testing.T) {
	run(t, func(t *testing.T, before *world) {
		after := before.again(func(c *Config) {
			c.Fingerprint = "other keys"
			c.Tokens = &countingRing{Ring: ringOf(t, issuer, otherKeys)}
		})
		session, permission := before.sessionToken("ada"), before.permissionToken("ada")
		before.granted(session, "storage", "ada")
		before.granted(session, "", "ada")
		before.granted(permission, "storage", "ada")
		after.refused(session, "storage", ErrInvalid)
		after.refused(session, "", ErrInvalid)
		after.refused(session, "nope", ErrInvalid)
		after.refused(permission, "storage", ErrInvalid)
		after.granted(after.cookie("ada"), "storage", "ada") // has no key
	})
}
