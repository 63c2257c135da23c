package cache

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/testserver"
)

// hangs is longer than any call may take. Machines that run tests are slow.
const hangs = 2 * time.Second

// S39: a Redis that hangs must not hang requests. First calls end by
// themselves, then none is made, and the bus notices within seconds.
func TestHungRedis(t *testing.T) {
	server := testserver.Redis(t)
	g := joinWell(t, server.URL())
	g.remember(t, 1, "x", "user:1")
	server.Stop()
	stopped := time.Now()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			began := time.Now()
			if _, found := g.Get(t.Context(), "test", key(1)); found {
				t.Error("a hung Redis has answered")
			}
			if took := time.Since(began); took > hangs {
				t.Errorf("a look-up took %s", took)
			}
		})
	}
	wg.Wait()
	eventually(t, "the interruption is noticed", func() bool { return g.Turn() == 0 })
	if took := time.Since(stopped); took > 4*time.Second {
		t.Errorf("noticed after %s", took)
	}
	if g.Healthy() {
		t.Error("a hung Redis is healthy")
	}
	// Nobody waits any more, whatever he wants.
	began, calls := time.Now(), 0
	for range 1000 {
		g.Get(t.Context(), "test", key(1))
		if _, ok := g.count(t.Context(), key(1), Limit{Burst: 1, PerMinute: 1}); !ok {
			t.Error("a hung Redis refuses")
		}
		calls++
	}
	if took := time.Since(began); took > hangs {
		t.Errorf("%d calls took %s", calls, took)
	}
	began = time.Now()
	if err := g.Withdraw(t.Context(), "user:1"); err == nil {
		t.Error("a withdrawal that nobody hears is no error")
	}
	if took := time.Since(began); took > hangs {
		t.Errorf("withdrawing took %s", took)
	}
	if state := g.State(); state == "ok" || strings.Contains(state, "127.0.0.1") {
		t.Errorf("the state is %q", state)
	}

	server.Continue()
	g.becomesHealthy(t)
	// Its entries may have been withdrawn meanwhile.
	g.wants(t, 1, "")
	g.trust.believeFrom.Store(0)
	g.wants(t, 1, "") // as was this, here, before it could be told
	g.remember(t, 2, "y", "user:2")
	g.wants(t, 2, "y")
	g.wantsOneEpisode(t)
}

// The log says once that it is gone, and once that it is back; on a machine that
// is so busy that Redis really is late then, once or twice more.
func (g *gateway) wantsOneEpisode(t *testing.T) {
	t.Helper()
	warned, back := g.logs.FilterMessageSnippet("cannot be used").Len(), g.logs.FilterMessage("Redis is back").Len()
	if warned < 1 || warned > 3 || back != warned || g.logs.Len() != warned+back {
		t.Errorf("%d warnings and %d news of its return; want one of each: %v", warned, back, g.logs.All())
	}
}

// A crash of Redis loses everything, tombstones too, or brings old entries back.
func TestRedisThatCrashes(t *testing.T) {
	server := testserver.Redis(t, testserver.Durable())
	g := joinWell(t, server.URL())
	g.remember(t, 1, "x", "user:1")
	g.remember(t, 2, "y", "user:2")
	if err := g.Withdraw(t.Context(), "user:2"); err != nil {
		t.Fatal(err)
	}
	drops := g.dropCount()
	server.Kill()
	eventually(t, "the loss is noticed", func() bool { return !g.Healthy() })
	if g.dropCount() != drops+1 {
		t.Errorf("dropped %d times; want once", g.dropCount()-drops)
	}
	g.wants(t, 1, "")
	server.Restart()
	g.becomesHealthy(t)
	if g.dropCount() != drops+2 {
		t.Errorf("dropped %d times; want twice", g.dropCount()-drops)
	}
	g.wants(t, 1, "")
	if g.outcome(Distrusted) == 0 {
		t.Errorf("outcomes are %v", g.outcomes)
	}
	g.trust.believeFrom.Store(0)
	g.wants(t, 1, "x")
	g.wants(t, 2, "")
	g.wantsOneEpisode(t)
}

// A network that swallows everything is like a Redis that hangs; one that cuts
// connections heals at once.
func TestRedisBehindABadNetwork(t *testing.T) {
	server := testserver.Redis(t)
	proxy := testserver.NewProxy(t, server.Address)
	g := joinWell(t, testserver.Through(server.URL(), proxy.Address))
	g.remember(t, 1, "x", "user:1")
	proxy.BlackHole()
	began := time.Now()
	g.wants(t, 1, "")
	if took := time.Since(began); took > hangs {
		t.Errorf("a look-up took %s", took)
	}
	eventually(t, "the loss is noticed", func() bool { return !g.Healthy() })
	proxy.Heal()
	g.becomesHealthy(t)
	drops := g.dropCount()
	proxy.Cut()
	eventually(t, "the cut is noticed, and mended", func() bool { return g.dropCount() >= drops+2 && g.Healthy() })
}

// S8: a Redis that is full takes no entries and no tombstones. Messages it
// passes on, and attempts can be taken.
func TestFullRedis(t *testing.T) {
	server := testserver.Redis(t)
	a, b := joinWell(t, server.URL()), joinWell(t, server.URL())
	a.remember(t, 1, "x", "user:1")
	a.remember(t, 2, "y", "user:2")
	if err := a.PutAttempt(t.Context(), []byte("state"), []byte("value"), time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	server.SetMaxMemory(1, "noeviction")
	e := Entry{Value: []byte("z"), Names: []string{"user:3"}, FreshUntil: time.Now().Add(time.Minute)}
	for range 10 {
		if err := a.Set(t.Context(), a.Turn(), "test", key(3), e); err == nil {
			t.Fatal("it is not full")
		}
	}
	b.wants(t, 1, "x")
	if err := a.Withdraw(t.Context(), "user:1"); err != nil {
		t.Error(err)
	}
	eventually(t, "the other gateway has heard", func() bool { return b.heardOf("user:1") })
	a.wants(t, 1, "")
	b.wants(t, 1, "")
	b.wants(t, 2, "y")
	if value, first, err := b.TakeAttempt(t.Context(), []byte("state")); string(value) != "value" || !first || err != nil {
		t.Errorf("taken: %q, %v, %v", value, first, err)
	}
	// There is no room to note that it has been used.
	if _, first, err := a.TakeAttempt(t.Context(), []byte("state")); first || !errors.Is(err, ErrUnknown) {
		t.Errorf("taken again: %v, %v", first, err)
	}
	for range 10 {
		if _, ok := a.count(t.Context(), key(1), Limit{Burst: 1, PerMinute: 1}); !ok {
			t.Error("a full Redis refuses")
		}
	}
	if !a.Healthy() || !b.Healthy() || a.logs.Len() != 0 {
		t.Errorf("healthy %v and %v, log %v", a.Healthy(), b.Healthy(), a.logs.All())
	}
}

// S8: a flush takes the tombstones, and the entries with them. A load that is
// under way then brings nothing back.
func TestFlushedRedis(t *testing.T) {
	server := testserver.Redis(t)
	a, b := joinWell(t, server.URL()), joinWell(t, server.URL())
	turn := a.Turn()
	a.remember(t, 1, "x", "user:1")
	if err := b.Withdraw(t.Context(), "user:1"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the loader has heard", func() bool { return a.heardOf("user:1") })
	server.Flush()
	late := Entry{Value: []byte("late"), Names: []string{"user:1"}, FreshUntil: time.Now().Add(time.Minute)}
	if err := a.Set(t.Context(), turn, "test", key(1), late); err != nil {
		t.Fatal(err)
	}
	b.wants(t, 1, "")
	if n, _ := server.Do(t, "DBSIZE").(int64); n != 0 {
		t.Errorf("%d keys were written", n)
	}
	a.remember(t, 2, "y", "user:2")
	b.wants(t, 2, "y")
}
