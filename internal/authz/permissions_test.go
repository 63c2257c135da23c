package authz

import (
	"context"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/token"
	"github.com/datahq/auth-gateway/providers"
)

func TestProviderIsAskedAboutTheUser(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.provider.instead(func(_ context.Context, u providers.User, service string) (providers.Answer, error) {
			return providers.Answer{Permissions: providers.Permissions{u.Email + " in " + service: true}}, nil
		})
		for name, c := range w.credentials("ada") {
			if d := w.named(name).granted(c, "storage", "ada"); !d.Permissions.Granted("ada@example.org in storage") {
				t.Errorf("%s: permissions %v", name, d.Permissions)
			}
		}
	})
}

// S39: a provider that cannot answer has not said "nothing granted".
func TestProviderFails(t *testing.T) {
	for name, fail := range map[string]func(context.Context, providers.User, string) (providers.Answer, error){
		"an error": func(context.Context, providers.User, string) (providers.Answer, error) {
			return providers.Answer{}, errDown
		},
		// S7, A4: nor does what comes along with an error count.
		"an answer with an error": func(context.Context, providers.User, string) (providers.Answer, error) {
			return providers.Answer{Permissions: providers.Permissions{"read": true}}, errDown
		},
		// "Not found" in a provider says nothing about the session.
		"not found": func(context.Context, providers.User, string) (providers.Answer, error) {
			return providers.Answer{}, providers.ErrNotFound
		},
		"a panic": func(context.Context, providers.User, string) (providers.Answer, error) {
			panic("assignment to entry in nil map")
		},
		"its timeout": func(ctx context.Context, _ providers.User, _ string) (providers.Answer, error) {
			<-ctx.Done()
			return providers.Answer{}, ctx.Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, w *world) {
				w.provider.instead(fail)
				w.refused(w.sessionToken("ada"), "storage", providers.ErrUnavailable)
				w.refused(w.cookie("ada"), "storage", providers.ErrUnavailable)
				if w.logs.FilterLevelExact(zap.WarnLevel).Len() == 0 {
					t.Error("the log does not say why")
				}
				if panics := w.logs.FilterMessage("panic while deciding").Len(); (panics > 0) != (name == "a panic") {
					t.Errorf("%d panics", panics)
				}
				// Who it is can be told all the same.
				w.granted(w.cookie("ada"), "", "ada")
				w.granted(w.cookie("ada"), "nope", "ada")
				w.provider.fail(nil)
				if d := w.granted(w.cookie("ada"), "storage", "ada"); !d.Permissions.Granted("read") {
					t.Errorf("after it has recovered: %v", d.Permissions)
				}
			})
		})
	}
}

// Ruling 1: while the provider cannot answer, a permission token's own claim
// holds, as at any service that verifies it by itself.
func TestOwnClaimHoldsWithoutProvider(t *testing.T) {
	panics := func(context.Context, providers.User, string) (providers.Answer, error) { panic("broken guest") }
	fails := func(context.Context, providers.User, string) (providers.Answer, error) {
		return providers.Answer{}, errDown
	}
	for name, broken := range map[string]func(context.Context, providers.User, string) (providers.Answer, error){"error": fails, "panic": panics} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, w *world) {
				w.provider.instead(broken)
				c := w.permissionToken("ada", func(p *token.Permission) { p.ExpiresAt = time.Now().Add(10 * time.Minute) })
				claimed := func() {
					t.Helper()
					if d := w.granted(c, "storage", "ada"); d.Permissions["read"] != "claimed" || len(d.Permissions) != 1 || d.User.Email != "ada@example.org" {
						t.Errorf("permissions %v of %v", d.Permissions, d.User)
					}
				}
				claimed()
				w.refused(w.permissionToken("ada"), "billing", ErrInvalid) // S6

				// It is used for moments only, so that the provider's word counts again soon.
				w.provider.instead(nil)
				time.Sleep(5 * time.Second)
				if d := w.granted(c, "storage", "ada"); d.Permissions["read"] != true {
					t.Errorf("after the provider has recovered: %v", d.Permissions)
				}
				w.provider.instead(broken)
				time.Sleep(time.Minute)
				claimed()
				time.Sleep(9*time.Minute - 6*time.Second)
				claimed()
				// S5: but not for longer than the token lives.
				time.Sleep(time.Second)
				w.refused(c, "storage", ErrInvalid)
			})
		})
	}
}

// S8: the claim is no reason to let in somebody whose session has ended, or who
// may not sign in.
func TestOwnClaimNeedsALiveUser(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.provider.fail(errDown)
		w.store.end("s-ada")
		w.refused(w.permissionToken("ada"), "storage", ErrEnded)
		w.store.edit("bob", func(u *providers.User) { u.Disabled = true })
		w.refused(w.permissionToken("bob"), "storage", ErrDisabled)
		w.signIn("carl", "s-carl")
		w.store.fail(errDown)
		w.refused(w.permissionToken("carl"), "storage", providers.ErrUnavailable)
	})
}

func TestValidForShortensAndNeverExtends(t *testing.T) {
	for _, c := range []struct {
		name            string
		validFor, fresh time.Duration // of the answer; what comes out
		configured      time.Duration
	}{
		{"the provider leaves it to us", 0, time.Minute, 0},
		{"a shorter time of the provider's", 3 * time.Second, 3 * time.Second, 0},
		{"a longer time of the provider's (ruling 2)", time.Hour, time.Minute, 0},
		{"a shorter configuration", 0, 5 * time.Second, 5 * time.Second},
		{"a longer configuration (ruling 2)", 0, time.Minute, time.Hour},
		{"the shorter one of both", 3 * time.Second, 3 * time.Second, 5 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			run(t, func(t *testing.T, w *world) {
				w.provider.validFor = c.validFor
				w.granted(w.cookie("ada"), "storage", "ada")
				w.provider.grant("ada", "storage", nil)
				time.Sleep(c.fresh - 1)
				if d := w.granted(w.cookie("ada"), "storage", "ada"); !d.Permissions.Granted("read") {
					t.Error("asked again too early")
				}
				w.asks("while it is fresh", 1, 1)
				time.Sleep(time.Nanosecond)
				if d := w.granted(w.cookie("ada"), "storage", "ada"); d.Permissions.Granted("read") {
					t.Error("the old answer is used for too long")
				}
				w.asks("afterwards", 1, 1)
			}, func(config *Config) { config.FreshFor = c.configured })
		})
	}
}

// The log is told why once, not once per request.
func TestLogIsNotFlooded(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.store.fail(errDown)
		for range 100 {
			w.refused(w.cookie("ada"), "storage", providers.ErrUnavailable)
		}
		if got := w.logs.Len(); got != 1 {
			t.Errorf("%d lines", got)
		}
		if got := w.logs.All()[0].ContextMap()["error"]; !strings.Contains(got.(string), "connection refused") {
			t.Errorf("logged: %v", got)
		}
		time.Sleep(complainEvery)
		w.refused(w.cookie("ada"), "storage", providers.ErrUnavailable)
		if got := w.logs.Len(); got != 2 {
			t.Errorf("%d lines a minute later", got)
		}
		w.offset.Store(int64(-time.Hour))
		w.refused(w.cookie("ada"), "storage", providers.ErrUnavailable)
		if got := w.logs.Len(); got != 3 {
			t.Errorf("%d lines when the clock has been set back", got)
		}
	})
}
