package authz

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datahq/auth-gateway/internal/token"
	"github.com/datahq/auth-gateway/providers"
)

// S39, ruling 2: an outage of the database, from its beginning to its end.
func TestOutage(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		credentials := w.credentials("ada")
		for name, c := range credentials {
			w.named(name).granted(c, "storage", "ada")
		}
		w.store.fail(errDown)

		// Who has not been seen lately: it cannot be told, at once.
		w.refused(w.cookie("bob"), "storage", providers.ErrUnavailable)
		w.refused(w.cookie("nobody"), "storage", providers.ErrUnavailable)

		time.Sleep(time.Minute - 1)
		w.forget()
		for name, c := range credentials {
			w.named(name+", fresh").granted(c, "storage", "ada")
		}
		w.asks("while the answers are fresh", 0, 0)

		time.Sleep(time.Nanosecond)
		for range 60 {
			for range 20 {
				for name, c := range credentials {
					if d := w.named(name+", stale").granted(c, "storage", "ada"); !d.Permissions.Granted("read") {
						t.Fatalf("%s, stale: %v", name, d.Permissions)
					}
				}
				time.Sleep(time.Second / 20)
			}
			// A10: a database that is down is not hammered, nor when it comes back.
			if got := w.store.lookups.Swap(0); got > 3 {
				t.Fatalf("%d look-ups of 3 entries in one second", got)
			}
		}
		for name, c := range credentials {
			w.named(name+", too old").refused(c, "storage", providers.ErrUnavailable)
		}

		w.store.fail(nil)
		for name, c := range credentials {
			w.named(name+", recovered").granted(c, "storage", "ada")
		}
	})
}

func TestOutageEndsWhileStale(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.granted(w.cookie("ada"), "storage", "ada")
		w.store.fail(errDown)
		time.Sleep(time.Minute)
		w.granted(w.cookie("ada"), "storage", "ada")
		w.store.fail(nil)
		w.store.end("s-ada")
		time.Sleep(time.Second)
		w.refused(w.cookie("ada"), "storage", ErrEnded)
		// And that does not come back by another outage.
		w.store.fail(errDown)
		time.Sleep(5 * time.Second)
		w.refused(w.cookie("ada"), "storage", providers.ErrUnavailable)
	})
}

// An outage of the permission provider alone.
func TestOutageOfTheProvider(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.granted(w.cookie("ada"), "storage", "ada")
		w.provider.fail(errDown)
		time.Sleep(2*time.Minute - 1)
		if d := w.granted(w.cookie("ada"), "storage", "ada"); !d.Permissions.Granted("read") {
			t.Errorf("permissions %v", d.Permissions)
		}
		time.Sleep(time.Nanosecond)
		w.refused(w.cookie("ada"), "storage", providers.ErrUnavailable)
		w.provider.fail(nil)
		w.granted(w.cookie("ada"), "storage", "ada")
	})
	// S8: and in it, sessions end as ever.
	run(t, func(t *testing.T, w *world) {
		w.granted(w.cookie("ada"), "storage", "ada")
		w.provider.fail(errDown)
		time.Sleep(time.Minute)
		w.store.end("s-ada")
		w.refused(w.cookie("ada"), "storage", ErrEnded)
	})
}

func TestStaleIfError(t *testing.T) {
	for _, c := range []struct {
		name              string
		configured, stale time.Duration
	}{
		{"default", 0, time.Minute},
		{"shorter", 10 * time.Second, 10 * time.Second},
		{"longer", time.Hour, time.Hour},
		{"off", -1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			run(t, func(t *testing.T, w *world) {
				w.granted(w.cookie("ada"), "storage", "ada")
				w.store.fail(errDown)
				time.Sleep(time.Minute + c.stale - 1)
				w.granted(w.cookie("ada"), "storage", "ada")
				time.Sleep(time.Nanosecond)
				w.refused(w.cookie("ada"), "storage", providers.ErrUnavailable)
			}, func(config *Config) { config.StaleIfError = c.configured })
		})
	}
}

// S5: no cache and no outage extends exp.
func TestNothingOutlivesItsExp(t *testing.T) {
	short := func(w *world) map[string]Credential {
		w.endsIn("bob", 30*time.Second)
		return map[string]Credential{
			"cookie":                            w.cookie("bob"),
			"session token":                     w.sessionToken("ada", func(s *token.Session) { s.ExpiresAt = time.Now().Add(30 * time.Second) }),
			"session token of an ended session": w.sessionToken("bob"),
			"permission token":                  w.permissionToken("ada", func(p *token.Permission) { p.ExpiresAt = time.Now().Add(30 * time.Second) }),
		}
	}
	for _, down := range []bool{false, true} {
		run(t, func(t *testing.T, w *world) {
			credentials := short(w)
			for name, c := range credentials {
				if _, err := w.Decide(t.Context(), c, "storage"); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			if down {
				w.store.fail(errDown)
			}
			time.Sleep(30*time.Second - 1)
			for name, c := range credentials {
				if _, err := w.Decide(t.Context(), c, "storage"); err != nil {
					t.Errorf("%s, just before: %v", name, err)
				}
			}
			time.Sleep(time.Nanosecond)
			for name, c := range credentials {
				d, err := w.Decide(t.Context(), c, "storage")
				if d != nil || err == nil {
					t.Errorf("%s, down: %v: granted after its end", name, down)
				}
			}
		})
	}
}

// S39: refusals are no answers to fall back on: what was refused may be good by
// now, and what was none needs no memory.
func TestRefusalsAreBrief(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		c := w.cookie("ada")
		w.store.edit("ada", func(u *providers.User) { u.Disabled = true })
		w.refused(c, "storage", ErrDisabled)
		w.store.edit("ada", func(u *providers.User) { u.Disabled = false })
		time.Sleep(5*time.Second - 1)
		w.refused(c, "storage", ErrDisabled)
		w.asks("a refusal that is remembered", 1, 0)
		time.Sleep(time.Nanosecond)
		w.granted(c, "storage", "ada")

		w.store.end("s-bob")
		w.refused(w.cookie("bob"), "storage", ErrEnded)
		w.store.fail(errDown)
		time.Sleep(5 * time.Second)
		w.refused(w.cookie("bob"), "storage", providers.ErrUnavailable)
	})
}

// A database that hangs is as good as none: who has a stale answer gets it
// after a second, and does not wait for a timeout.
func TestOutageThatHangs(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		c := w.cookie("ada")
		w.granted(c, "storage", "ada")
		release := w.store.hold()
		time.Sleep(time.Minute)
		w.forget()
		began := time.Now()
		w.granted(c, "storage", "ada")
		if took := time.Since(began); took != time.Second {
			t.Errorf("the first one has waited %s", took)
		}
		began = time.Now()
		w.granted(c, "storage", "ada")
		if took := time.Since(began); took != 0 {
			t.Errorf("the second one has waited %s", took)
		}
		for range 100 {
			w.granted(c, "storage", "ada")
			time.Sleep(100 * time.Millisecond)
		}
		w.asks("while it hangs", 1, 0)
		// What comes at last is remembered.
		release()
		synctest.Wait()
		time.Sleep(2 * time.Second)
		w.forget()
		w.granted(c, "storage", "ada")
		w.asks("when it answers again", 0, 0)
		time.Sleep(55 * time.Second)
		w.granted(c, "storage", "ada")
		w.asks("a minute later", 1, 1)
	})
	// Without one he waits longer, and is told in the end; who comes then knows.
	run(t, func(t *testing.T, w *world) {
		release := w.store.hold()
		w.waits(5*time.Second, w.cookie("ada"), providers.ErrUnavailable)
		for range 4 {
			w.waits(time.Second, w.cookie("ada"), providers.ErrUnavailable)
			w.waits(time.Second, w.cookie("bob"), providers.ErrUnavailable)
		}
		// One answer, and everybody waits as ever.
		release()
		w.waits(0, w.cookie("ada"), nil)
		release = w.store.hold()
		w.waits(5*time.Second, w.sessionToken("bob"), providers.ErrUnavailable)
		// What hangs is not known for ever.
		time.Sleep(5 * time.Second)
		w.waits(5*time.Second, w.permissionToken("bob"), providers.ErrUnavailable)
		release()
	})
}

// A database that is slow is none that hangs: it answers, and everybody waits
// for it.
func TestSlowIsNotHung(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.granted(w.cookie("ada"), "storage", "ada")
		time.Sleep(time.Minute)
		release := w.store.hold()
		w.waits(time.Second, w.cookie("ada"), nil) // stale
		after := time.AfterFunc(4*time.Second, release)
		defer after.Stop()
		w.waits(4*time.Second, w.cookie("bob"), nil)
	})
}

// A provider that does not answer in time has not answered, whether it heeds
// its deadline or not, and what stands in for its answer comes in time too.
func TestProviderThatHangs(t *testing.T) {
	for _, heeds := range []bool{true, false} {
		run(t, func(t *testing.T, w *world) {
			end := make(chan struct{})
			w.provider.instead(func(ctx context.Context, _ providers.User, _ string) (providers.Answer, error) {
				deadline := ctx.Done()
				if !heeds {
					deadline = nil
				}
				select {
				case <-deadline:
					return providers.Answer{}, ctx.Err()
				case <-end:
				}
				return providers.Answer{Permissions: providers.Permissions{"write": true}}, nil
			})
			w.waits(3*time.Second, w.cookie("ada"), providers.ErrUnavailable)
			// The database answers, so that nobody is turned away any sooner.
			w.waits(3*time.Second, w.cookie("ada"), providers.ErrUnavailable)
			// Ruling 1: a permission token has its own.
			began := time.Now()
			if d := w.granted(w.permissionToken("ada"), "storage", "ada"); d.Permissions["read"] != "claimed" || d.Permissions.Granted("write") {
				t.Errorf("a provider that is too late grants %v", d.Permissions)
			}
			if took := time.Since(began); took != 3*time.Second {
				t.Errorf("the token waits %s", took)
			}
			close(end)
			synctest.Wait()
		})
	}
}

// S8: an attacker whose session has been ended (by another instance, so that
// nothing is withdrawn here) asks and hangs up before the answer, again and
// again. That must not count as an outage and keep the old answer alive.
func TestLeavingDoesNotProlong(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		c := w.cookie("ada")
		w.granted(c, "storage", "ada")
		w.store.end("s-ada")
		time.Sleep(time.Minute)
		release := w.store.hold()
		ctx, leave := context.WithCancel(t.Context())
		answers := w.asking(ctx, 1, c, "storage")
		synctest.Wait()
		leave()
		if got := <-answers; got.err == nil || !errors.Is(got.err, context.Canceled) {
			t.Errorf("who has left is granted: %v, %v", got.decision, got.err)
		}
		release()
		synctest.Wait()
		w.refused(c, "storage", ErrEnded)
	})
}
