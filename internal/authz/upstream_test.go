package authz

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datahq/auth-gateway/internal/token"
	"github.com/datahq/auth-gateway/providers"
)

// upstreamOf returns the token for an upstream, verified.
func upstreamOf(w *world, d *Decision) string {
	w.t.Helper()
	values, err := w.UpstreamToken(w.t.Context(), d)
	if err != nil || len(values) != 1 {
		w.t.Fatalf("%v, %v", values, err)
	}
	if _, err := w.ring.Ring.VerifyPermission(values[0], time.Now()); err != nil {
		w.t.Fatal(err)
	}
	return values[0]
}

// Ruling 9: an upstream never gets a token with more than ten minutes to live,
// nor one that is about to end.
func TestUpstreamTokenLifetime(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		tokens := make(map[string]bool)
		for range 3600 / 7 {
			raw := upstreamOf(w, w.granted(w.cookie("ada"), "storage", "ada"))
			got, err := w.ring.Ring.VerifyPermission(raw, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if lives := time.Until(got.ExpiresAt); lives > 10*time.Minute || lives < 5*time.Minute {
				t.Fatalf("it has %s to live", lives)
			}
			if got.Use != "upstream" || got.UserID != "ada" || got.SessionID != "s-ada" || got.Service != "storage" || got.Permissions["read"] != true {
				t.Fatalf("it says %+v", got)
			}
			tokens[raw] = true
			time.Sleep(7 * time.Second)
		}
		if len(tokens) < 12 || len(tokens) > 13 || w.ring.signed.Load() != int64(len(tokens)) {
			t.Errorf("%d tokens in an hour, %d signatures", len(tokens), w.ring.signed.Load())
		}
	})
}

// S5: and never one that outlives its session.
func TestUpstreamTokenEndsWithTheSession(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.endsIn("ada", 7*time.Minute)
		end := time.Now().Add(7 * time.Minute)
		for range 420 {
			raw := upstreamOf(w, w.granted(w.cookie("ada"), "storage", "ada"))
			got, _ := w.ring.Ring.VerifyPermission(raw, time.Now())
			if got.ExpiresAt.After(end) {
				t.Fatalf("it ends %s after the session", got.ExpiresAt.Sub(end))
			}
			time.Sleep(time.Second)
		}
		if got := w.ring.signed.Load(); got > 3 {
			t.Errorf("%d signatures in the last seven minutes", got)
		}
	})
}

// S5: nor one that outlives the token that came.
func TestUpstreamTokenEndsWithTheToken(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		// The session's own is remembered, and too long.
		upstreamOf(w, w.granted(w.cookie("ada"), "storage", "ada"))
		end := time.Now().Add(4 * time.Second)
		raw := upstreamOf(w, w.granted(w.permissionToken("ada", func(p *token.Permission) { p.ExpiresAt = end }), "storage", "ada"))
		if got, err := w.ring.Ring.VerifyPermission(raw, time.Now()); err != nil || got.ExpiresAt.After(end) {
			t.Errorf("it ends %s after the token, %v", got.ExpiresAt.Sub(end), err)
		}
	})
}

// It is no credential at our gates: an upstream could act as its users.
func TestUpstreamTokenIsNoCredential(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		raw := upstreamOf(w, w.granted(w.cookie("ada"), "storage", "ada"))
		for _, service := range []string{"storage", "billing", "", "nope"} {
			w.refused(Token(raw), service, ErrInvalid)
		}
	})
}

// A signature costs more than all the rest: whatever leads to the same user,
// session, service and permissions shares it.
func TestUpstreamTokenIsShared(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		first := upstreamOf(w, w.granted(w.cookie("ada"), "storage", "ada"))
		for name, c := range w.credentials("ada") {
			if upstreamOf(w, w.granted(c, "storage", "ada")) != first {
				t.Errorf("another token for her %s", name)
			}
		}
		time.Sleep(time.Minute) // another decision
		if upstreamOf(w, w.granted(w.cookie("ada"), "storage", "ada")) != first {
			t.Error("another token for the next decision")
		}
		after := w.again()
		if upstreamOf(after, after.granted(after.cookie("ada"), "storage", "ada")) != first {
			t.Error("another token after a reload")
		}
		if got := w.ring.signed.Load(); got != 1 {
			t.Errorf("%d signatures", got)
		}
	})
}

// Whatever the token says and would say otherwise makes another one.
func TestUpstreamTokenIsNotSharedWithOthers(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.signIn("ada", "s-ada-2")
		w.provider.grant("bob", "storage", providers.Permissions{"read": true})
		w.provider.grant("ada", "billing", providers.Permissions{"read": true})
		seen := make(map[string]string)
		check := func(what string, w *world, c Credential, service, user string) {
			t.Helper()
			raw := upstreamOf(w, w.granted(c, service, user))
			got, _ := w.ring.Ring.VerifyPermission(raw, time.Now())
			if got.UserID != user || got.Service != service {
				t.Errorf("%s: %+v", what, got)
			}
			if other, found := seen[raw]; found {
				t.Errorf("%s has the token of %s", what, other)
			}
			seen[raw] = what
		}
		check("ada", w, w.cookie("ada"), "storage", "ada")
		check("another user", w, w.cookie("bob"), "storage", "bob")
		check("another session", w, Cookie("cookie-of-s-ada-2"), "storage", "ada")
		check("another service", w, w.cookie("ada"), "billing", "ada")
		w.provider.grant("ada", "storage", providers.Permissions{"read": true, "write": true})
		w.provider.changed("ada")
		check("another permission", w, w.cookie("ada"), "storage", "ada")
		w.provider.grant("ada", "storage", providers.Permissions{"read": true, "write": "true"})
		w.provider.changed("ada")
		check("the permission as text", w, w.cookie("ada"), "storage", "ada")
		w.provider.grant("ada", "storage", nil)
		w.provider.changed("ada")
		check("no permission", w, w.cookie("ada"), "storage", "ada")
		w.endsIn("ada", day)
		check("another end", w, w.cookie("ada"), "storage", "ada")
		other := w.again(func(c *Config) {
			c.Fingerprint = "other keys"
			c.Tokens = &countingRing{Ring: ringOf(t, issuer, otherKeys)}
		})
		other.ring = other.Tokens.(*countingRing)
		check("another key", other, other.cookie("ada"), "storage", "ada")
	})
}

// A10, D: a thousand requests that need a token at once cost one signature.
func TestUpstreamTokenStampede(t *testing.T) {
	w := build(t)
	d := w.granted(w.cookie("ada"), "storage", "ada")
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() {
			if values, err := w.UpstreamToken(t.Context(), d); err != nil || len(values) != 1 {
				t.Errorf("%v, %v", values, err)
			}
		})
	}
	wg.Wait()
	if got := w.ring.signed.Load(); got != 1 {
		t.Errorf("%d signatures", got)
	}
	if allocs := testing.AllocsPerRun(100, func() { _, _ = w.UpstreamToken(t.Context(), d) }); allocs != 0 {
		t.Errorf("%v allocations for one that is there", allocs)
	}
}

// Who comes just as the token is there must not sign the next one.
func TestUpstreamTokenStampedeOfTheLate(t *testing.T) {
	var signed atomic.Int64
	w := build(t, func(c *Config) { c.Tokens = fakeSigner{Tokens: c.Tokens, signed: &signed} })
	for i := range 50 {
		name := fmt.Sprint("user-", i)
		w.signIn(name, "s-"+name)
		// Decisions of their own, as of different credentials.
		d := w.granted(w.cookie(name), "storage", name)
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				own := &Decision{User: d.User, Session: d.Session, Service: d.Service}
				if _, err := w.UpstreamToken(t.Context(), own); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	if got := signed.Load(); got != 50 {
		t.Errorf("%d signatures for 50 users", got)
	}
}

// A10, D: that there can be no token is not found out by a signature per
// request.
func TestUpstreamTokenFailureIsRemembered(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		many := make(providers.Permissions)
		for i := range 500 {
			many[fmt.Sprint("permission number ", i)] = true
		}
		w.provider.grant("ada", "storage", many)
		for range 100 {
			_, err := w.UpstreamToken(t.Context(), w.granted(w.cookie("ada"), "storage", "ada"))
			w.wraps(err, ErrInvalid)
		}
		if got := w.ring.signed.Load(); got != 1 {
			t.Errorf("%d signatures", got)
		}
		w.provider.grant("ada", "storage", providers.Permissions{"read": true})
		w.provider.changed("ada")
		upstreamOf(w, w.granted(w.cookie("ada"), "storage", "ada"))
	})
}

// A10: tokens of sessions long gone take no memory.
func TestUpstreamTokensAreBounded(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		memory, err := NewCache(10)
		if err != nil {
			t.Fatal(err)
		}
		defer memory.Close()
		w.memory = memory
		w = w.again(func(c *Config) { c.Tokens = fakeSigner{signed: new(atomic.Int64)} })
		session := providers.Session{ExpiresAt: time.Now().Add(day)}
		for i := range 1000 {
			d := &Decision{User: providers.User{ID: fmt.Sprint(i)}, Session: session, Service: "storage"}
			if _, err := w.UpstreamToken(t.Context(), d); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if got := memory.upstream.Len(); got > 10 {
			t.Errorf("%d tokens in a cache of 10", got)
		}
		time.Sleep(6 * time.Minute)
		synctest.Wait()
		if got := memory.upstream.Len(); got != 0 {
			t.Errorf("%d tokens that are over", got)
		}
	})
}

// fakeSigner is quicker than a key.
type fakeSigner struct {
	Tokens
	signed *atomic.Int64
}

func (f fakeSigner) SignPermission(p token.Permission) (string, error) {
	f.signed.Add(1)
	return "token of " + p.UserID, nil
}
