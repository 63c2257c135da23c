package authz

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// A10, D, S40: whoever sends made-up cookies by the hundred thousand drives
// nobody out of memory who is signed in and at rest, and takes no more of it
// than there is for refusals.
func TestRefusalsDriveNobodyOut(t *testing.T) {
	memory, err := NewCache(1000)
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	w := build(t)
	w.memory.Close()
	w.memory = memory
	w = w.again()
	const people = 900
	for i := range people {
		w.signIn(fmt.Sprint("u", i), fmt.Sprint("s-u", i))
		w.granted(w.cookie(fmt.Sprint("u", i)), "", fmt.Sprint("u", i))
	}
	for i := range 100_000 {
		if _, err := w.Decide(t.Context(), Cookie(fmt.Sprint("made up ", i)), ""); !errors.Is(err, ErrUnknown) {
			t.Fatalf("a made-up cookie: %v", err)
		}
	}
	w.store.lookups.Store(0)
	for i := range people {
		w.granted(w.cookie(fmt.Sprint("u", i)), "", fmt.Sprint("u", i))
	}
	if got := w.store.lookups.Load(); got > people/100 {
		t.Errorf("after the flood the database is asked for %d of %d", got, people)
	}
	// Evictions are done in the background.
	for range 100 {
		if memory.refusals.Len() <= 100 && memory.decisions.Len() <= 1000 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d refusals where there is room for 100, %d decisions where there is room for 1000", memory.refusals.Len(), memory.decisions.Len())
}

// A refusal replaces the decision that was true before, also as what is told
// while the database does not answer; and the other way round.
func TestRefusalReplacesDecision(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		ada := w.cookie("ada")
		w.granted(ada, "storage", "ada")
		w.store.change(func() { delete(w.store.sessions, "s-ada") })
		time.Sleep(DefaultFreshFor)
		if _, err := w.Decide(t.Context(), ada, "storage"); !errors.Is(err, ErrEnded) {
			t.Fatalf("after the session has ended: %v", err)
		}
		w.store.fail(errors.New("down"))
		time.Sleep(refusalFor)
		if d, err := w.Decide(t.Context(), ada, "storage"); err == nil {
			t.Fatalf("what was true before serves again: %+v", d)
		}
		w.store.fail(nil)
		w.signIn("ada", "s-ada")
		w.granted(ada, "storage", "ada")
		if n := w.memory.refusals.Len(); n != 0 {
			t.Errorf("%d refusals are remembered", n)
		}
	})
}

// S37: a dead cookie counts when it costs a look into the database, and not
// with every request of the browser that still has it.
func TestUnknownIsToldOnce(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		for _, want := range []bool{true, false, false} {
			_, err := w.Decide(t.Context(), Cookie("dead"), "storage")
			if !errors.Is(err, ErrEnded) || errors.Is(err, ErrUnknown) != want {
				t.Errorf("%v, want unknown: %t", err, want)
			}
		}
		time.Sleep(refusalFor)
		if _, err := w.Decide(t.Context(), Cookie("dead"), "storage"); !errors.Is(err, ErrUnknown) {
			t.Errorf("%v, once it is forgotten", err)
		}
	})
}

// The database is not asked for what cannot be one of our cookies.
func TestCookieForm(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		for range 10 {
			if _, err := w.Decide(t.Context(), Cookie("made up"), ""); !errors.Is(err, ErrInvalid) {
				t.Errorf("%v", err)
			}
		}
		w.granted(w.cookie("ada"), "", "ada")
		w.asks("nonsense and ada", 1, 0)
	}, func(c *Config) { c.IsCookie = func(value string) bool { return value != "made up" } })
}
