package cache

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/testserver"
)

// S8: what is withdrawn on one gateway is over in Redis for all, and within a
// second in the near caches of the others.
func TestWithdrawReachesOtherGateways(t *testing.T) {
	redisURL := testserver.SharedRedis(t).NewURL(t)
	a, b := joinWell(t, redisURL), joinWell(t, redisURL)
	a.remember(t, 1, "one", "session:1", "user:alice")
	a.remember(t, 2, "two", "session:2", "user:alice")
	a.remember(t, 3, "three", "session:3", "user:bob")
	b.wants(t, 1, "one")
	began := time.Now()
	if err := a.Withdraw(t.Context(), "session:1"); err != nil {
		t.Fatal(err)
	}
	// At once, whether the message has arrived or not.
	b.wants(t, 1, "")
	a.wants(t, 1, "")
	eventually(t, "the other gateway has heard", func() bool { return b.heardOf("session:1") })
	if took := time.Since(began); took > time.Second {
		t.Errorf("the other gateway has heard after %s", took)
	}
	b.wants(t, 2, "two")
	if err := b.Withdraw(t.Context(), "user:alice", "user:carol"); err != nil {
		t.Fatal(err)
	}
	a.wants(t, 2, "")
	a.wants(t, 3, "three")
	eventually(t, "the first gateway has heard", func() bool { return a.heardOf("user:carol") })
	if a.heardOf("session:1") {
		t.Error("a gateway is told what it has said itself")
	}
	c := joinWell(t, redisURL) // it was not there, and finds the tombstones
	c.wants(t, 1, "")
	c.wants(t, 2, "")
	c.wants(t, 3, "three")
}

// S8: a load that began before a withdrawal, and ends after it, must not bring
// back what it read.
func TestLoadFromBeforeAWithdrawalIsNotServed(t *testing.T) {
	redisURL := testserver.SharedRedis(t).NewURL(t)
	a, b := joinWell(t, redisURL), joinWell(t, redisURL)
	turn := a.Turn()
	e := Entry{Value: []byte("read before"), Names: []string{"session:1", "user:1"}, FreshUntil: time.Now().Add(time.Minute)}
	if err := b.Withdraw(t.Context(), "user:1"); err != nil {
		t.Fatal(err)
	}
	// Whether or not it is written now, nobody finds it.
	if err := a.Set(t.Context(), turn, "test", key(1), e); err != nil {
		t.Fatal(err)
	}
	a.wants(t, 1, "")
	b.wants(t, 1, "")
	eventually(t, "the loader has heard", func() bool { return a.heardOf("user:1") })
	if err := a.Set(t.Context(), turn, "test", key(2), e); err != nil {
		t.Fatal(err)
	}
	if n, err := a.client.Exists(t.Context(), a.place("test", key(2))).Result(); n != 0 || err != nil {
		t.Errorf("what was withdrawn was written: %d, %v", n, err)
	}
	// What all gateways remember is enough, should Redis forget (flush, eviction).
	if err := a.client.Del(t.Context(), a.tombstone("user:1")).Err(); err != nil {
		t.Fatal(err)
	}
	a.wants(t, 1, "")
	b.wants(t, 1, "")
}

// S8: whatever the order in which gateways load and withdraw, an entry that is
// found was read after the last withdrawal that was over.
func TestLoadAndWithdrawRace(t *testing.T) {
	const writers, readers, rounds = 2, 4, 40
	redisURL := testserver.SharedRedis(t).NewURL(t)
	gateways := []*gateway{joinWell(t, redisURL), joinWell(t, redisURL)}
	// Every round has a name of its own, as a withdrawn one stays so for long.
	for round := range rounds {
		name := fmt.Sprint("user:", round)
		var version, settled atomic.Int64
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				mine := version.Add(1)
				if err := gateways[w%2].Withdraw(t.Context(), name); err != nil {
					t.Error(err)
				}
				for old := settled.Load(); old < mine && !settled.CompareAndSwap(old, mine); old = settled.Load() {
					continue
				}
			})
		}
		for r := range readers {
			g := gateways[r%2]
			wg.Go(func() {
				over := settled.Load()
				if e, found := g.Get(t.Context(), "test", key(round)); found && int64(e.Value[0]) < over {
					t.Errorf("found version %d although version %d has been withdrawn for", e.Value[0], over)
				}
				turn := g.Turn()
				read := version.Load()
				e := Entry{Value: []byte{byte(read)}, Names: []string{name}, FreshUntil: time.Now().Add(time.Minute)}
				if err := g.Set(t.Context(), turn, "test", key(round), e); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, g := range gateways {
			if e, found := g.Get(t.Context(), "test", key(round)); found && int64(e.Value[0]) < version.Load() {
				t.Errorf("found version %d of %d in the end", e.Value[0], version.Load())
			}
		}
	}
}

func TestWithdrawMany(t *testing.T) {
	redisURL := testserver.SharedRedis(t).NewURL(t)
	a, b := joinWell(t, redisURL), joinWell(t, redisURL)
	var names []string
	for i := range 3*maxMessageNames + 1 {
		names = append(names, fmt.Sprint("session:", i))
	}
	if err := a.Withdraw(t.Context(), names...); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other gateway has heard all", func() bool {
		for _, name := range names {
			if !b.heardOf(name) {
				return false
			}
		}
		return true
	})
}

func TestWithdrawAll(t *testing.T) {
	redisURL := testserver.SharedRedis(t).NewURL(t)
	a, b := joinWell(t, redisURL), joinWell(t, redisURL)
	a.remember(t, 1, "x", "user:1")
	b.wants(t, 1, "x")
	drops, turn := b.dropCount(), b.Turn()
	if err := a.WithdrawAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.wants(t, 1, "")
	eventually(t, "the other gateway drops everything", func() bool { return b.dropCount() == drops+1 })
	b.wants(t, 1, "")
	if b.Turn() == turn || !b.Healthy() {
		t.Errorf("turn %d after %d, healthy %v", b.Turn(), turn, b.Healthy())
	}
	// What was loaded before is not written either.
	e := Entry{Value: []byte("old"), Names: []string{"user:2"}, FreshUntil: time.Now().Add(time.Minute)}
	if err := b.Set(t.Context(), turn, "test", key(2), e); err != nil {
		t.Fatal(err)
	}
	if n, err := b.client.Exists(t.Context(), b.place("test", key(2))).Result(); n != 0 || err != nil {
		t.Errorf("what was loaded before was written: %d, %v", n, err)
	}
}

// S8: what was learned from the database alone counts as well.
func TestForgetIsLocal(t *testing.T) {
	redisURL := testserver.SharedRedis(t).NewURL(t)
	a, b := joinWell(t, redisURL), joinWell(t, redisURL)
	a.remember(t, 1, "x", "user:1")
	a.Forget("user:1")
	a.wants(t, 1, "")
	b.wants(t, 1, "x")
	b.ForgetAll()
	b.wants(t, 1, "")
}
