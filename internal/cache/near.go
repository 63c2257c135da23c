// Package cache holds what the gateway remembers so as not to ask again: the
// near cache in this process, and the stamps by which its entries are
// withdrawn.
package cache

import (
	"context"
	"fmt"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/singleflight"
)

// loadTimeout bounds one load, which goes on when the request that began it
// has gone away, since others wait for it.
const loadTimeout = 15 * time.Second

// Near is a bounded cache in this process. Reads take no lock that is shared
// between cores. Entries live until they expire, are evicted (least worth
// first) or removed.
type Near[V any] struct {
	entries *otter.Cache[Key, V]
	loads   singleflight.Group
}

// Key is a SHA-256 over all that an entry depends on (S40).
type Key [32]byte

// NewNear makes a cache of at most size entries; lifetime tells how long each
// may stay.
func NewNear[V any](size int, lifetime func(V) time.Duration) (*Near[V], error) {
	entries, err := otter.New(&otter.Options[Key, V]{
		MaximumSize: size,
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[Key, V]) time.Duration {
			return lifetime(e.Value)
		}),
	})
	if err != nil {
		return nil, fmt.Errorf("making the near cache: %w", err)
	}
	return &Near[V]{entries: entries}, nil
}

// Get returns the entry, if it is there.
func (n *Near[V]) Get(key Key) (V, bool) { return n.entries.GetIfPresent(key) }

// Set adds or replaces an entry.
func (n *Near[V]) Set(key Key, value V) { n.entries.Set(key, value) }

// Delete removes an entry.
func (n *Near[V]) Delete(key Key) { n.entries.Invalidate(key) }

// Clear removes all entries.
func (n *Near[V]) Clear() { n.entries.InvalidateAll() }

// Load runs load, once for all who ask for the same key at the same time, and
// does not store the result: whether and for how long is load's business. A
// waiter leaves when its own context ends. A panic in load is an error for all
// who wait.
func (n *Near[V]) Load(ctx context.Context, key Key, load func(context.Context) (V, error)) (V, error) {
	results := n.loads.DoChan(string(key[:]), func() (value any, err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic while loading: %v", p)
			}
		}()
		loadCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTimeout)
		defer cancel()
		return load(loadCtx)
	})
	var none V
	select {
	case result := <-results:
		if result.Err != nil {
			return none, result.Err
		}
		return result.Val.(V), nil
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// Close ends the cache's own goroutine.
func (n *Near[V]) Close() { n.entries.StopAllGoroutines() }
