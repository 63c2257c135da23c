package cache

import (
	"hash/maphash"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// withdrawalLifetime is how long a withdrawal is remembered: longer than an
// entry lives that was loaded, for as long as a load may take, before it.
const withdrawalLifetime = 2 * time.Minute

// trust knows whether entries in Redis can be believed. The rule is: only whoever
// has listened without interruption for as long as an entry can live believes
// any, since he has heard every withdrawal that concerns it. It holds whatever
// Redis loses: after a crash, a failover, a flush.
//
// Names that have been withdrawn are remembered by slots, as in Stamps: two that
// share one only cost each other a look at the truth. Memory is constant.
type trust struct {
	lifetime time.Duration
	start    time.Time

	mu    sync.Mutex
	turns uint64
	// turn is the number of the period in which nothing was missed; 0 if there is
	// none.
	turn atomic.Uint64
	// believeFrom is when entries are believed. All times are nanoseconds since
	// start, by the clock that nobody can set.
	believeFrom atomic.Int64

	seed  maphash.Seed
	slots [stampSlots]atomic.Int64 // until when the names are withdrawn
}

func newTrust(lifetime time.Duration) *trust {
	t := &trust{lifetime: lifetime, start: time.Now(), seed: maphash.MakeSeed()}
	t.believeFrom.Store(math.MaxInt64)
	return t
}

func (t *trust) now() int64 { return int64(time.Since(t.start)) }

// begin begins a new period: from now on everything is heard.
func (t *trust) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next()
}

func (t *trust) next() {
	t.turns++
	t.believeFrom.Store(t.now() + int64(t.lifetime))
	t.turn.Store(t.turns)
}

// end ends the period, and reports whether there was one.
func (t *trust) end() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.believeFrom.Store(math.MaxInt64)
	return t.turn.Swap(0) != 0
}

// again begins a new period unless there is none.
func (t *trust) again() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.turn.Load() != 0 {
		t.next()
	}
}

// believes reports whether entries are to be believed.
func (t *trust) believes() bool { return t.now() >= t.believeFrom.Load() }

func (t *trust) withdraw(names []string) {
	until := t.now() + int64(withdrawalLifetime)
	for _, name := range names {
		slot := &t.slots[t.slot(name)]
		for old := slot.Load(); old < until && !slot.CompareAndSwap(old, until); old = slot.Load() {
			continue
		}
	}
}

// withdrawn reports whether one of the names has been withdrawn lately.
func (t *trust) withdrawn(names []string) bool {
	now := t.now()
	for _, name := range names {
		if t.slots[t.slot(name)].Load() > now {
			return true
		}
	}
	return false
}

func (t *trust) slot(name string) uint64 { return maphash.String(t.seed, name) % stampSlots }
