package authz

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/token"
	"github.com/datahq/auth-gateway/providers"
)

// S5: a permission token lives as long as its service says, and not longer than
// its session.
func TestMintLifetime(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		for _, c := range []struct {
			service    string
			rest       time.Duration // of the session
			want       time.Duration
			permission string
		}{
			{"storage", 14 * day, 12 * time.Hour, "read"},
			{"brief", 14 * day, 5 * time.Minute, "read"},
			{"long", 14 * day, 3 * day, "read"},
			{"nope", 14 * day, 12 * time.Hour, ""},
			{"storage", time.Hour, time.Hour, "read"},
			{"brief", time.Hour, 5 * time.Minute, "read"},
			{"long", time.Hour, time.Hour, "read"},
			{"nope", time.Hour, time.Hour, ""},
		} {
			w.endsIn("ada", c.rest)
			d := w.granted(w.cookie("ada"), c.service, "ada")
			raw, err := w.Mint(d)
			if err != nil {
				t.Fatalf("%s: %v", c.service, err)
			}
			got, err := w.ring.Ring.VerifyPermission(raw, time.Now())
			if err != nil {
				t.Fatalf("%s: %v", c.service, err)
			}
			if lives := time.Until(got.ExpiresAt); lives != c.want {
				t.Errorf("%s, in a session that ends in %s: lives %s, want %s", c.service, c.rest, lives, c.want)
			}
			if got.UserID != "ada" || got.SessionID != "s-ada" || got.Service != c.service || got.Use != "" || got.ID == "" {
				t.Errorf("%s: %+v", c.service, got)
			}
			want := map[string]any{}
			if c.permission != "" {
				want[c.permission] = true
			}
			if !maps.Equal(got.Permissions, want) {
				t.Errorf("%s: permissions %v, want %v", c.service, got.Permissions, want)
			}
			// And it is a credential where there is such a service (ruling 10).
			if c.permission == "" {
				w.refused(Token(raw), c.service, ErrInvalid)
			} else {
				w.granted(Token(raw), c.service, "ada")
			}
		}
	}, func(c *Config) {
		p := c.Services[0].Provider.(*fakeProvider)
		for _, name := range []string{"brief", "long"} {
			p.grant("ada", name, providers.Permissions{"read": true})
		}
		c.Services = append(c.Services,
			Service{Name: "brief", Provider: p, TokenLifetime: 5 * time.Minute},
			Service{Name: "long", Provider: p, TokenLifetime: 3 * day})
	})
}

// What cannot be in a token is no outage: the caller is told that there is none.
func TestMintUnsignable(t *testing.T) {
	many := make(providers.Permissions)
	for i := range 500 {
		many[fmt.Sprint("permission number ", i)] = true
	}
	for _, c := range []struct {
		name, service string
		permissions   providers.Permissions
		warned        bool
	}{
		// Anybody may send such a name: it is nothing to wake somebody for.
		{"a name that is too long", strings.Repeat("s", 10_000), nil, false},
		{"a name that is no UTF-8", "caf\xe9", nil, false},
		{"too many permissions", "storage", many, true},
		{"permissions that are no JSON", "storage", providers.Permissions{"f": func() {}}, true},
	} {
		run(t, func(t *testing.T, w *world) {
			if c.permissions != nil {
				w.provider.grant("ada", c.service, c.permissions)
			}
			d := w.granted(w.cookie("ada"), c.service, "ada")
			for what, call := range map[string]func() error{
				"Mint":          func() error { _, err := w.Mint(d); return err },
				"UpstreamToken": func() error { _, err := w.UpstreamToken(t.Context(), d); return err },
			} {
				w.named(c.name+", "+what).wraps(call(), ErrInvalid)
				warnings := w.logs.FilterLevelExact(zap.WarnLevel).TakeAll()
				if (len(warnings) > 0) != c.warned {
					t.Errorf("%s, %s: warnings %v", c.name, what, warnings)
				}
				for _, warning := range warnings {
					if f := warning.ContextMap(); f["service"] != "storage" || f["user_id"] != "ada" {
						t.Errorf("%s, %s: the warning does not say whom it is about: %v", c.name, what, f)
					}
				}
				w.logs.TakeAll()
				time.Sleep(complainEvery)
			}
		})
	}
}

func TestMintWithoutAKey(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		d := w.granted(w.cookie("ada"), "storage", "ada")
		w.ring.signingDown = errors.New("no entropy")
		if raw, err := w.Mint(d); raw != "" || err == nil || errors.Is(err, ErrInvalid) {
			t.Errorf("Mint: %q, %v", raw, err)
		}
		if values, err := w.UpstreamToken(t.Context(), d); values != nil || err == nil || errors.Is(err, ErrInvalid) {
			t.Errorf("UpstreamToken: %q, %v", values, err)
		}
		w.ring.signingDown = nil
		if _, err := w.UpstreamToken(t.Context(), d); err != nil {
			t.Errorf("a failure is remembered: %v", err)
		}
	})
}

// S7: no token for somebody who may not sign in any more, as soon as it is said.
func TestMintNeedsALiveUser(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.granted(w.sessionToken("ada"), "storage", "ada")
		w.store.edit("ada", func(u *providers.User) { u.Disabled = true })
		w.UserChanged("ada")
		w.refused(w.sessionToken("ada"), "storage", ErrDisabled)
		// Without being said: within a minute (ruling 2).
		w.granted(w.sessionToken("bob"), "storage", "bob")
		w.store.edit("bob", func(u *providers.User) { u.Disabled = true })
		time.Sleep(time.Minute)
		w.refused(w.sessionToken("bob"), "storage", ErrDisabled)
	})
}

// S4, S7: tokens of a decision made with an upstream's use are no way round.
func TestMintedTokenIsNoSession(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		raw, err := w.Mint(w.granted(w.cookie("ada"), "storage", "ada"))
		if err != nil {
			t.Fatal(err)
		}
		w.refused(Token(raw), "", ErrInvalid)
		w.refused(Token(raw), "billing", ErrInvalid)
		if _, err := w.ring.Ring.VerifySession(raw, time.Now()); !errors.Is(err, token.ErrInvalid) {
			t.Errorf("as a session token: %v", err)
		}
	})
}
