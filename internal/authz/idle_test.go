package authz

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/providers"
)

func idle(d time.Duration) func(*Config) { return func(c *Config) { c.SessionIdle = d } }

// A session that is not used ends, and no cache keeps it.
func TestIdleSessionEnds(t *testing.T) {
	for _, limit := range []time.Duration{30 * time.Second, 5 * time.Minute, 3 * time.Hour} {
		run(t, func(t *testing.T, w *world) {
			w = w.named(limit.String())
			for _, c := range w.credentials("ada") {
				w.granted(c, "storage", "ada")
			}
			time.Sleep(limit)
			for how, c := range w.credentials("ada") {
				w.named(limit.String()+", "+how).refused(c, "storage", ErrEnded)
			}
			w.refused(w.cookie("ada"), "", ErrEnded)
		}, idle(limit))
	}
	// Without a limit it does not.
	run(t, func(t *testing.T, w *world) {
		w.granted(w.cookie("ada"), "storage", "ada")
		time.Sleep(day)
		w.granted(w.cookie("ada"), "storage", "ada")
	})
}

// What the cache answers does not reach the database. A session in use must not
// end for that, however short the limit.
func TestSessionInUseIsNotIdle(t *testing.T) {
	for _, limit := range []time.Duration{30 * time.Second, time.Minute, 5 * time.Minute, time.Hour} {
		run(t, func(t *testing.T, w *world) {
			w = w.named(limit.String())
			// Pauses of up to four fifths of the limit, in turn with bursts.
			for range 20 {
				for range 50 {
					w.granted(w.cookie("ada"), "storage", "ada")
					time.Sleep(limit / 200)
				}
				time.Sleep(limit*8/10 - limit/200)
			}
		}, idle(limit))
	}
}

// The database is told of a session's use about once a minute, whatever is
// asked how often.
func TestTouchSession(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		for range 600 { // ten minutes
			for _, c := range w.credentials("ada") {
				w.granted(c, "storage", "ada")
			}
			w.granted(w.cookie("ada"), "billing", "ada")
			w.granted(w.cookie("ada"), "", "ada")
			time.Sleep(time.Second)
		}
		if got := w.store.touches.Load(); got < 8 || got > 11 {
			t.Errorf("%d times in ten minutes", got)
		}
		seen := w.store.sessions["s-ada"].LastSeenAt
		if ago := time.Since(seen); ago < 0 || ago > 2*time.Minute {
			t.Errorf("last seen %s ago", ago)
		}
		// Nobody's use is noted but that of those who are let in.
		w.store.touches.Store(0)
		w.store.edit("bob", func(u *providers.User) { u.Disabled = true })
		w.refused(w.cookie("bob"), "storage", ErrDisabled)
		w.refused(w.cookie("nobody"), "storage", ErrEnded)
		if got := w.store.touches.Load(); got != 0 {
			t.Errorf("%d touches for refusals", got)
		}
	})
}

// A database that can be read and not written (a full disk, a standby) is good
// enough to decide.
func TestTouchFails(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.store.touch = func(context.Context) error { return errors.New("disk full") }
		for range 5 {
			time.Sleep(time.Minute)
			w.granted(w.cookie("ada"), "storage", "ada")
		}
		if got := w.store.touches.Load(); got != 5 {
			t.Errorf("tried %d times", got)
		}
	})
	// Nor does anybody wait long for one that is locked.
	run(t, func(t *testing.T, w *world) {
		w.store.touch = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		time.Sleep(time.Minute)
		began := time.Now()
		w.granted(w.cookie("ada"), "storage", "ada")
		if took := time.Since(began); took != time.Second {
			t.Errorf("has waited %s", took)
		}
	})
}
