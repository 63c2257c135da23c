package providertest

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"testing"
	"time"
)

const (
	// checkTimeout bounds one check.
	checkTimeout = 60 * time.Second
	// promptly is how soon a call must return whose context is cancelled.
	promptly = 2 * time.Second
	// parallel is how many goroutines call at once.
	parallel = 8
)

// check is one promise of a contract. It returns what was broken.
type check struct {
	name string
	run  func(ctx context.Context) error
}

// broken runs the check; a panic breaks any promise.
func (c check) broken(ctx context.Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return c.run(ctx)
}

func runChecks(t *testing.T, checks []check) {
	t.Helper()
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), checkTimeout)
			defer cancel()
			if err := c.broken(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

// atOnce calls f from many goroutines and returns the first thing that broke.
func atOnce(f func() error) error {
	var wg sync.WaitGroup
	errs := make(chan error, parallel)
	for range parallel {
		wg.Go(func() {
			errs <- check{run: func(context.Context) error { return f() }}.broken(context.Background())
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return fmt.Errorf("with %d calls at once: %w", parallel, err)
		}
	}
	return nil
}

// cancelled calls f with a context that is over and reports whether it comes
// back promptly.
func cancelled(ctx context.Context, f func(ctx context.Context) error) error {
	over, cancel := context.WithCancel(ctx)
	cancel()
	done := make(chan error, 1)
	go func() {
		done <- check{run: f}.broken(over)
	}()
	timer := time.NewTimer(promptly)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return fmt.Errorf("a call with a cancelled context had not returned after %s", promptly)
	}
}
