package cache

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func newLimiter(t *testing.T, size int) (*Limiter, *time.Time) {
	t.Helper()
	l, err := NewLimiter(size, map[string]Limit{"login": {Burst: 3, PerMinute: 60}}, []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	now := time.Now()
	l.now = func() time.Time { return now }
	return l, &now
}

// S37: so many at once, then by the minute; each address and each event by
// itself.
func TestLimiter(t *testing.T) {
	l, now := newLimiter(t, 100)
	for i := range 3 {
		if _, ok := l.Allow(t.Context(), "login", "192.0.2.1"); !ok {
			t.Fatalf("the burst ended after %d", i)
		}
	}
	wait, ok := l.Allow(t.Context(), "login", "192.0.2.1")
	if ok || wait <= 0 || wait > time.Second {
		t.Fatalf("after the burst: %v, %v", wait, ok)
	}
	if _, ok := l.Allow(t.Context(), "login", "192.0.2.2"); !ok {
		t.Error("another address is limited")
	}
	if _, ok := l.Allow(t.Context(), "other", "192.0.2.1"); !ok {
		t.Error("an event without a limit is limited")
	}
	*now = now.Add(1100 * time.Millisecond)
	if _, ok := l.Allow(t.Context(), "login", "192.0.2.1"); !ok {
		t.Error("after a second one more must be possible")
	}
	if _, ok := l.Allow(t.Context(), "login", "192.0.2.1"); ok {
		t.Error("after a second two more were possible")
	}
}

// S37: who may not, does not push the time at which he may.
func TestLimiterRefusalsCostNothing(t *testing.T) {
	l, now := newLimiter(t, 100)
	for range 1000 {
		l.Allow(t.Context(), "login", "192.0.2.1")
	}
	*now = now.Add(1100 * time.Millisecond)
	if _, ok := l.Allow(t.Context(), "login", "192.0.2.1"); !ok {
		t.Error("refused requests were counted")
	}
}

// One network of IPv6 has more addresses than anybody can count, and one
// address several spellings.
func TestLimiterAddresses(t *testing.T) {
	for name, addresses := range map[string][]string{
		"one /64":     {"2001:db8::1", "2001:db8::2", "2001:db8::ffff:1", "2001:0db8::4"},
		"mapped IPv4": {"192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1", "::ffff:c000:201"},
		"zones":       {"fe80::1%eth0", "fe80::1%eth1", "fe80::2", "fe80::3%x"},
	} {
		l, _ := newLimiter(t, 100)
		for i, address := range addresses {
			if _, ok := l.Allow(t.Context(), "login", address); ok != (i < 3) {
				t.Errorf("%s: %s, number %d: %v", name, address, i, ok)
			}
		}
	}
	l, _ := newLimiter(t, 100)
	for range 10 {
		for _, address := range []string{"10.1.2.3", "::ffff:10.1.2.3", "", "@"} {
			if _, ok := l.Allow(t.Context(), "login", address); !ok {
				t.Errorf("%q is limited", address)
			}
		}
	}
}

// S37, S38: a flood from everywhere costs bounded memory.
func TestLimiterIsBounded(t *testing.T) {
	l, _ := newLimiter(t, 100)
	for i := range 10_000 {
		l.Allow(t.Context(), "login", fmt.Sprintf("198.51.%d.%d", i/256, i%256))
	}
	for deadline := time.Now().Add(10 * time.Second); l.buckets.Len() > 100; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d addresses are remembered", l.buckets.Len())
		}
		l.buckets.entries.CleanUp()
	}
}

// Many at once of a new address share one bucket.
func TestLimiterRace(t *testing.T) {
	l, _ := newLimiter(t, 100)
	var allowed atomic.Int64
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, ok := l.Allow(t.Context(), "login", "192.0.2.9"); ok {
				allowed.Add(1)
			}
		})
	}
	wg.Wait()
	if allowed.Load() != 3 {
		t.Errorf("%d were allowed, want 3", allowed.Load())
	}
}
