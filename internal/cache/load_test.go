package cache

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// outcome is what one caller of Load got.
type outcome struct {
	item item
	err  error
}

// callers starts so many callers of Load for one key.
func callers(ctx context.Context, n *Near[item], number int, load func(context.Context) (item, error)) <-chan outcome {
	outcomes := make(chan outcome, number)
	for range number {
		go func() {
			got, err := n.Load(ctx, key(1), load)
			outcomes <- outcome{got, err}
		}()
	}
	return outcomes
}

// A10, D: a thousand requests that come at once cost what one costs.
func TestLoadIsOneForAThousandCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNear(t, 10)
		var loads atomic.Int64
		release := make(chan struct{})
		outcomes := callers(t.Context(), n, 1000, func(context.Context) (item, error) {
			<-release
			return item{fmt.Sprint("load ", loads.Add(1)), time.Hour}, nil
		})
		synctest.Wait() // all of them wait now
		if len(outcomes) != 0 {
			t.Fatalf("%d callers have been answered before the load ended", len(outcomes))
		}
		close(release)
		for range 1000 {
			if got := <-outcomes; got.err != nil || got.item.text != "load 1" {
				t.Fatalf("a caller got %v, %v", got.item, got.err)
			}
		}
		if _, found := n.Get(key(1)); found {
			t.Error("Load has stored the result, which is load's own business")
		}
		// Who comes later begins a new load.
		if got, err := n.Load(t.Context(), key(1), func(context.Context) (item, error) { return item{text: "later"}, nil }); err != nil || got.text != "later" {
			t.Errorf("the next load gave %v, %v", got, err)
		}
	})
}

func TestLoadOfAnotherKeyDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNear(t, 10)
		release := make(chan struct{})
		outcomes := callers(t.Context(), n, 1, func(context.Context) (item, error) { <-release; return item{}, nil })
		synctest.Wait()
		if got, err := n.Load(t.Context(), key(2), func(context.Context) (item, error) { return item{text: "two"}, nil }); err != nil || got.text != "two" {
			t.Errorf("the other key gave %v, %v", got, err)
		}
		close(release)
		<-outcomes
	})
}

// A10, D: somebody who hangs up must not fail those who wait for the same, even
// if the load was his.
func TestLoadSurvivesACallerWhoLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNear(t, 10)
		release := make(chan struct{})
		type contextKey struct{}
		load := func(ctx context.Context) (item, error) {
			<-release
			name, _ := ctx.Value(contextKey{}).(string)
			return item{text: name}, ctx.Err()
		}
		leaving, leave := context.WithCancel(context.WithValue(t.Context(), contextKey{}, "of the first"))
		first := callers(leaving, n, 1, load)
		synctest.Wait()
		others := callers(t.Context(), n, 10, load)
		synctest.Wait()
		leave()
		if got := <-first; !errors.Is(got.err, context.Canceled) {
			t.Errorf("the caller who left got %v, %v", got.item, got.err)
		}
		close(release)
		for range 10 {
			if got := <-others; got.err != nil || got.item.text != "of the first" {
				t.Errorf("a caller who stayed got %v, %v", got.item, got.err)
			}
		}
	})
}

func TestLoadErrorIsEverybodys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNear(t, 10)
		broken := errors.New("broken")
		release := make(chan struct{})
		outcomes := callers(t.Context(), n, 10, func(context.Context) (item, error) { <-release; return item{text: "half"}, broken })
		synctest.Wait()
		close(release)
		for range 10 {
			if got := <-outcomes; !errors.Is(got.err, broken) || got.item != (item{}) {
				t.Errorf("got %v, %v", got.item, got.err)
			}
		}
	})
}

// S39: a panic in one load is an error for all who wait. singleflight alone
// would end the whole process.
func TestLoadPanicIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNear(t, 10)
		release := make(chan struct{})
		outcomes := callers(t.Context(), n, 10, func(context.Context) (item, error) { <-release; panic("no such column") })
		synctest.Wait()
		close(release)
		for range 10 {
			if got := <-outcomes; got.err == nil || got.err.Error() != "panic while loading: no such column" || got.item != (item{}) {
				t.Errorf("got %v, %v", got.item, got.err)
			}
		}
		if got, err := n.Load(t.Context(), key(1), func(context.Context) (item, error) { return item{text: "well"}, nil }); err != nil || got.text != "well" {
			t.Errorf("after the panic: %v, %v", got, err)
		}
	})
}

func TestLoadHasATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNear(t, 10)
		began := time.Now()
		_, err := n.Load(t.Context(), key(1), func(ctx context.Context) (item, error) {
			<-ctx.Done()
			return item{}, ctx.Err()
		})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 15*time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
	})
}

// A10: a guest's code that heeds no context, or that ends its goroutine, must
// not hold requests for ever, nor those that come later.
func TestLoadThatNeverEnds(t *testing.T) {
	release := make(chan struct{})
	for name, load := range map[string]func(context.Context) (item, error){
		"heeds no context":   func(context.Context) (item, error) { <-release; return item{}, nil },
		"ends its goroutine": func(context.Context) (item, error) { runtime.Goexit(); return item{}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release = make(chan struct{})
				defer close(release)
				n := newNear(t, 10)
				began := time.Now()
				if _, err := n.Load(t.Context(), key(1), load); !errors.Is(err, errStuck) || time.Since(began) != 16*time.Second {
					t.Errorf("after %s: %v", time.Since(began), err)
				}
				if got, err := n.Load(t.Context(), key(1), func(context.Context) (item, error) { return item{text: "well"}, nil }); err != nil || got.text != "well" {
					t.Errorf("the next one: %v, %v", got, err)
				}
			})
		})
	}
}

func TestLoadOfNothing(t *testing.T) {
	n, err := NewNear(1, func(error) time.Duration { return time.Hour })
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if got, err := n.Load(t.Context(), key(1), func(context.Context) (error, error) { return nil, nil }); got != nil || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

func BenchmarkLoad(b *testing.B) {
	n := newNear(b, 10)
	load := func(context.Context) (item, error) { return item{}, nil }
	b.ReportAllocs()
	for b.Loop() {
		if _, err := n.Load(b.Context(), key(1), load); err != nil {
			b.Fatal(err)
		}
	}
}
