package keyring

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/token"
)

const (
	// Pace is how often a running gateway looks at the keys in storage. Nothing may
	// sign before all gateways have looked: see Settle.
	Pace = 15 * time.Second
	// Settle is how soon a new key may sign if no token is to be refused.
	Settle = 2 * Pace
	// timeout bounds one look at the storage.
	timeout = 10 * time.Second
)

// Watch looks at the storage from time to time, until Close. removed is told when
// tokens that have been accepted no longer are, and before that changed of every
// other set of keys. Without keys in storage nothing changes.
func (r *Ring) Watch(removed func(), changed func(token.Keys)) {
	r.removed, r.changed = removed, changed
	if r.file == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.stop, r.done = cancel, make(chan struct{})
	go func() {
		defer close(r.done)
		for {
			timer := time.NewTimer(r.pause())
			select {
			case <-ctx.Done():
				timer.Stop()
				return
			case <-timer.C:
			}
			r.refresh(ctx)
		}
	}()
}

// Close ends the watch. The ring stays as it is. It may be called on nil, and
// more than once.
func (r *Ring) Close() {
	if r == nil || r.stop == nil {
		return
	}
	r.stop()
	<-r.done
}

// pause is how long nothing happens for sure.
func (r *Ring) pause() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, pause := r.store.now(), r.pace
	for kind := range r.lifetimes {
		if change := r.file.Keys(kind).change(now); !change.IsZero() {
			pause = min(pause, change.Sub(now))
		}
	}
	return max(pause, time.Millisecond)
}

// refresh brings the ring up to date. If the storage does not answer, the keys
// that are known go on, and change when it is time.
func (r *Ring) refresh(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	file, err := r.read(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil && !r.failing {
		r.logger.Error("cannot look for changed keys; those that are known go on", zap.Error(err))
	}
	r.failing = err != nil
	if err != nil {
		file = r.file
	}
	old := accepted(r.content(r.file)) // as of now, so that ageing is no removal
	r.file = file
	keys := r.content(file)
	if sameKeys(keys, r.ring.Keys()) {
		return
	}
	r.ring.Set(keys)
	r.changed(keys)
	r.logger.Info("the keys have changed", zap.Int("signing", 1+len(keys.OtherSigning)), zap.Int("session", 1+len(keys.OtherSessions)))
	if now := accepted(keys); slices.ContainsFunc(old, func(id string) bool { return !slices.Contains(now, id) }) {
		r.logger.Warn("a key has been taken out: its tokens have ended")
		r.removed()
	}
}

// read is the file as it is now. What this gateway has to note in it, it notes.
func (r *Ring) read(ctx context.Context) (*File, error) {
	file, err := r.store.Load(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the keys are gone from Caddy's storage: %w", err)
	}
	if err != nil {
		return nil, err
	}
	if !file.Complete(r.lifetimes) {
		return nil, fmt.Errorf("keys are missing in %s in Caddy's storage", fileName)
	}
	now := r.store.now()
	if !file.prolong(r.lifetimes, now) && !file.prune(now) {
		return file, nil
	}
	return r.store.update(ctx, func(f *File) (bool, error) {
		if !f.Complete(r.lifetimes) {
			return false, fmt.Errorf("keys are missing in %s in Caddy's storage", fileName)
		}
		prolonged := f.prolong(r.lifetimes, now)
		return f.prune(now) || prolonged, nil
	})
}
