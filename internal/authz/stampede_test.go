package authz

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/datahq/auth-gateway/providers"
)

// A10, D: a thousand requests of one user that come at once cost one look-up
// and one question.
func TestStampede(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		for name, c := range w.credentials("ada") {
			w := w.named(name)
			release := w.store.hold()
			answers := w.asking(t.Context(), 1000, c, "storage")
			synctest.Wait()
			if got := w.store.held.Load(); got != 1 {
				w.errorf("%d look-ups at the same time", got)
			}
			release()
			var first *Decision
			for range 1000 {
				got := <-answers
				if got.err != nil || got.decision.User.ID != "ada" || !got.decision.Permissions.Granted("read") {
					t.Fatalf("%s: %v, %v", name, got.decision, got.err)
				}
				if first == nil {
					first = got.decision
				}
				if got.decision != first {
					t.Fatalf("%s: more than one decision", name)
				}
			}
			w.asks("a thousand requests", 1, 1)
		}
	})
}

// The same without anybody who makes them wait for each other: who comes just
// as the look-up ends must not begin the next one.
func TestStampedeOfTheLate(t *testing.T) {
	for range 50 {
		w := build(t)
		var wg sync.WaitGroup
		var failed atomic.Int64
		c := w.cookie("ada")
		for range 100 {
			wg.Go(func() {
				if _, err := w.Decide(t.Context(), c, "storage"); err != nil {
					failed.Add(1)
				}
			})
		}
		wg.Wait()
		if failed.Load() != 0 {
			t.Errorf("%d requests have failed", failed.Load())
		}
		w.asks("a hundred requests", 1, 1)
		w.memory.Close()
	}
}

// Users do not wait for each other.
func TestStampedeIsPerUser(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		release := w.store.hold()
		ada := w.asking(t.Context(), 10, w.cookie("ada"), "storage")
		bob := w.asking(t.Context(), 10, w.cookie("bob"), "storage")
		synctest.Wait()
		if got := w.store.held.Load(); got != 2 {
			t.Errorf("%d look-ups at the same time, want 2", got)
		}
		release()
		for range 10 {
			if got := <-ada; got.err != nil || got.decision.User.ID != "ada" {
				t.Errorf("ada: %v, %v", got.decision, got.err)
			}
			if got := <-bob; got.err != nil || got.decision.User.ID != "bob" {
				t.Errorf("bob: %v, %v", got.decision, got.err)
			}
		}
	})
}

// S39: in a stampede a failure is everybody's, and no pass for anybody.
func TestStampedeFails(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.store.fail(errDown)
		release := w.store.hold()
		answers := w.asking(t.Context(), 100, w.cookie("ada"), "storage")
		synctest.Wait()
		release()
		for range 100 {
			got := <-answers
			if got.decision != nil {
				t.Fatal("granted")
			}
			w.wraps(got.err, providers.ErrUnavailable)
		}
		w.asks("a hundred requests", 1, 0)
	})
}
