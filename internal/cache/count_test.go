package cache

import (
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/testserver"
)

func sharedLimiter(t *testing.T, g *gateway, limit Limit) *Limiter {
	t.Helper()
	l, err := NewLimiter(1000, map[string]Limit{"login": limit}, nil, g.Shared)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// S37: an address has no more attempts for there being more gateways.
func TestGatewaysCountTogether(t *testing.T) {
	redisURL := testserver.SharedRedis(t).NewURL(t)
	limit := Limit{Burst: 10, PerMinute: 1}
	limiters := []*Limiter{
		sharedLimiter(t, joinWell(t, redisURL), limit), sharedLimiter(t, joinWell(t, redisURL), limit), sharedLimiter(t, joinWell(t, redisURL), limit),
	}
	var allowed atomic.Int64
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			wait, ok := limiters[i%3].Allow(t.Context(), "login", "192.0.2.1")
			if ok {
				allowed.Add(1)
			} else if wait <= 0 || wait > time.Minute {
				t.Errorf("to be tried again after %s", wait)
			}
		})
	}
	wg.Wait()
	if allowed.Load() != 10 {
		t.Errorf("%d were allowed; want 10", allowed.Load())
	}
	if _, ok := limiters[0].Allow(t.Context(), "login", "192.0.2.2"); !ok {
		t.Error("another address is limited")
	}
}

// A flood that this process refuses by itself is no work for Redis.
func TestFloodDoesNotReachRedis(t *testing.T) {
	g := joinWell(t, testserver.SharedRedis(t).NewURL(t))
	l := sharedLimiter(t, g, Limit{Burst: 5, PerMinute: 1})
	for i := range 1000 {
		if _, ok := l.Allow(t.Context(), "login", "192.0.2.1"); ok != (i < 5) {
			t.Fatalf("number %d: %v", i, ok)
		}
	}
	if calls := g.callCount("limit"); calls != 5 {
		t.Errorf("Redis was asked %d times; want 5", calls)
	}
}

// S37: what another gateway's count refuses costs nothing here either.
func TestRefusalsOfRedisCostNothing(t *testing.T) {
	redisURL := testserver.SharedRedis(t).NewURL(t)
	limit := Limit{Burst: 3, PerMinute: 600}
	a, b := sharedLimiter(t, joinWell(t, redisURL), limit), sharedLimiter(t, joinWell(t, redisURL), limit)
	now := time.Now()
	b.now = func() time.Time { return now } // its own bucket never fills up
	for range 3 {
		a.Allow(t.Context(), "login", "192.0.2.1")
	}
	refused := 0
	eventually(t, "it is allowed again", func() bool {
		_, ok := b.Allow(t.Context(), "login", "192.0.2.1")
		if !ok {
			refused++
		}
		return ok
	})
	if refused == 0 {
		t.Error("nothing was refused: this test tests nothing")
	}
}

// S37: without Redis each gateway counts by itself, with what it has counted so
// far; nobody waits, and nobody is refused for it.
func TestCountingWithoutRedis(t *testing.T) {
	server := testserver.Redis(t)
	l := sharedLimiter(t, joinWell(t, server.URL()), Limit{Burst: 10, PerMinute: 1})
	for range 4 {
		if _, ok := l.Allow(t.Context(), "login", "192.0.2.1"); !ok {
			t.Fatal("refused")
		}
	}
	server.Stop()
	began := time.Now()
	for i := range 20 {
		if _, ok := l.Allow(t.Context(), "login", "192.0.2.1"); ok != (i < 6) {
			t.Errorf("without Redis, number %d: %v", i, ok)
		}
	}
	if took := time.Since(began); took > hangs {
		t.Errorf("20 events took %s", took)
	}
}

// S40: counts are not sealed. Whoever writes to Redis knows the key of an
// address; what he writes there locks nobody out of signing in.
func TestForgedCountsLockNobodyOut(t *testing.T) {
	g := joinWell(t, testserver.SharedRedis(t).NewURL(t))
	for _, forged := range []string{"99999999999", "1e300", "inf", "-inf", "nan", "soon", ""} {
		l := sharedLimiter(t, g, Limit{Burst: 3, PerMinute: 60})
		place := g.place("rate", sha256.Sum256([]byte("login 192.0.2.1")))
		if err := g.client.Set(t.Context(), place, forged, 0).Err(); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			if wait, ok := l.Allow(t.Context(), "login", "192.0.2.1"); !ok {
				t.Errorf("with the count %q, number %d is refused for %s", forged, i, wait)
			}
		}
		if _, ok := l.Allow(t.Context(), "login", "192.0.2.1"); ok {
			t.Errorf("with the count %q, this process does not count either", forged)
		}
	}
}
