package authz

import (
	"testing"
	"time"

	"github.com/datahq/auth-gateway/providers"
)

// The clock is set back, by an administrator or because it was wrong. What was
// remembered before must not count as fresh until the clock has caught up.
func TestClockMovedBack(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		credentials := w.credentials("ada")
		for name, c := range credentials {
			w.named(name).granted(c, "storage", "ada")
		}
		w.offset.Store(int64(-time.Hour))
		w.forget()
		w.granted(credentials["cookie"], "storage", "ada")
		w.asks("after the change", 1, 1)
		w.granted(credentials["cookie"], "storage", "ada")
		w.asks("and then", 0, 0)

		// S8: logouts count as ever, also those this instance is not told of.
		w.store.end("s-ada")
		w.SessionEnded("s-ada")
		w.refused(credentials["cookie"], "storage", ErrEnded)
		w.granted(w.cookie("bob"), "storage", "bob")
		w.store.end("s-bob")
		time.Sleep(time.Minute)
		w.refused(w.cookie("bob"), "storage", ErrEnded)
	})
	// With the database down, the old answer serves for its time, measured by no
	// clock that can be set.
	run(t, func(t *testing.T, w *world) {
		w.granted(w.cookie("ada"), "storage", "ada")
		w.store.fail(errDown)
		w.offset.Store(int64(-day))
		time.Sleep(2*time.Minute - 1)
		w.granted(w.cookie("ada"), "storage", "ada")
		time.Sleep(time.Nanosecond)
		w.refused(w.cookie("ada"), "storage", providers.ErrUnavailable)
	})
}

// The clock jumps ahead and comes back: who was refused meanwhile is let in
// again at once.
func TestClockMovedAhead(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		credentials := w.credentials("ada")
		for name, c := range credentials {
			w.named(name).granted(c, "storage", "ada")
		}
		w.offset.Store(int64(30 * day))
		w.refused(credentials["cookie"], "storage", ErrEnded)
		w.refused(credentials["session token"], "storage", ErrInvalid)
		w.refused(credentials["permission token"], "storage", ErrInvalid)
		w.offset.Store(0)
		for name, c := range credentials {
			w.named(name).granted(c, "storage", "ada")
		}
	})
}

// S5: whatever is remembered, and for however long: what ends at a time of day
// ends when the clock says so.
func TestClockMovedPastAnEnd(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.endsIn("ada", 30*time.Second)
		w.granted(w.cookie("ada"), "storage", "ada")
		w.offset.Store(int64(30*time.Second - 1))
		w.granted(w.cookie("ada"), "storage", "ada")
		w.asks("in the end", 1, 1)
		w.offset.Store(int64(30 * time.Second))
		w.refused(w.cookie("ada"), "storage", ErrEnded)
	})
	// Nor does a second more of a stale answer lead beyond what it may last.
	run(t, func(t *testing.T, w *world) {
		w.granted(w.cookie("ada"), "storage", "ada")
		w.store.fail(errDown)
		w.offset.Store(int64(2*time.Minute - time.Second/2))
		w.granted(w.cookie("ada"), "storage", "ada")
		time.Sleep(time.Second / 2)
		w.refused(w.cookie("ada"), "storage", providers.ErrUnavailable)
	})
}

// A token is forwarded for its time only, whatever the clock does.
func TestClockMovedBackUnderAnUpstreamToken(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		values := func() string {
			t.Helper()
			got, err := w.UpstreamToken(t.Context(), w.granted(w.cookie("ada"), "storage", "ada"))
			if err != nil {
				t.Fatal(err)
			}
			return got[0]
		}
		first := values()
		w.offset.Store(int64(-time.Hour))
		second := values()
		if second == first {
			t.Error("a token from the future is used")
		}
		if values() != second {
			t.Error("the new one is not kept")
		}
	})
}
