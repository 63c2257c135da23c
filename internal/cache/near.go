// Package cache holds what the gateway remembers so as not to ask again: the
// near cache in this process, and the stamps by which its entries are
// withdrawn.
package cache

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/singleflight"
)

const (
	// loadTimeout bounds one load, which goes on when the request that began it
	// has gone away, since others wait for it.
	loadTimeout = 15 * time.Second
	// loadGrace is how much longer than that anybody waits: a load that heeds no
	// context, such as a guest's, must not keep requests for ever.
	loadGrace = time.Second
)

// errStuck is the error for those who wait for a load that does not end.
var errStuck = errors.New("loading takes too long")

// Near is a bounded cache in this process. Reads take no lock that is shared
// between cores. Entries live until they expire, are evicted (least worth
// first) or removed.
type Near[V any] struct {
	entries  *otter.Cache[Key, V]
	lifetime func(V) time.Duration
	loads    singleflight.Group
}

// Key is a SHA-256 over all that an entry depends on (S40).
type Key [32]byte

// NewNear makes a cache of at most size entries, of which there must be at
// least one; lifetime tells how long each may stay, by the monotonic clock.
func NewNear[V any](size int, lifetime func(V) time.Duration) (*Near[V], error) {
	if size < 1 {
		return nil, fmt.Errorf("making the near cache: its size is %d; expected at least 1", size)
	}
	entries, err := otter.New(&otter.Options[Key, V]{
		MaximumSize: size,
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[Key, V]) time.Duration {
			return lifetime(e.Value)
		}),
	})
	if err != nil {
		return nil, fmt.Errorf("making the near cache: %w", err)
	}
	return &Near[V]{entries: entries, lifetime: lifetime}, nil
}

// Get returns the entry, if it is there.
func (n *Near[V]) Get(key Key) (V, bool) { return n.entries.GetIfPresent(key) }

// Set adds or replaces an entry. One without any time to live is not kept, and
// the entry it replaces is not either.
func (n *Near[V]) Set(key Key, value V) {
	// Otter would keep it for ever.
	if n.lifetime(value) <= 0 {
		n.Delete(key)
		return
	}
	n.entries.Set(key, value)
}

// SetIfAbsent adds an entry unless there is one, and returns the one that is
// there then.
func (n *Near[V]) SetIfAbsent(key Key, value V) V {
	value, _ = n.entries.SetIfAbsent(key, value)
	return value
}

// Delete removes an entry.
func (n *Near[V]) Delete(key Key) { n.entries.Invalidate(key) }

// Len returns about how many entries are held, some of which may have expired.
func (n *Near[V]) Len() int { return n.entries.EstimatedSize() }

// Load runs load, once for all who ask for the same key at the same time, and
// does not store the result: whether and for how long is load's business. Who
// comes just after a load has ended begins the next, so load looks into the
// cache first.
//
// The context that load gets lasts 15 seconds, whoever leaves meanwhile. A
// waiter leaves when its own context ends. A panic in load is an error for all
// who wait.
func (n *Near[V]) Load(ctx context.Context, key Key, load func(context.Context) (V, error)) (V, error) {
	name := string(key[:])
	results := n.loads.DoChan(name, func() (value any, err error) {
		// The next one may have more luck.
		stuck := time.AfterFunc(loadTimeout+loadGrace/2, func() { n.loads.Forget(name) })
		defer stuck.Stop()
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic while loading: %v", p)
			}
		}()
		loadCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTimeout)
		defer cancel()
		return load(loadCtx)
	})
	patience := time.NewTimer(loadTimeout + loadGrace)
	defer patience.Stop()
	var none V
	select {
	case result := <-results:
		if result.Err != nil {
			return none, result.Err
		}
		value, _ := result.Val.(V) // not if V is an interface and value nil
		return value, nil
	case <-ctx.Done():
		return none, ctx.Err()
	case <-patience.C:
		return none, errStuck
	}
}

// Close ends the cache's own goroutine. Loads under way end by themselves.
func (n *Near[V]) Close() { n.entries.StopAllGoroutines() }
