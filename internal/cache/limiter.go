package cache

import (
	"context"
	"crypto/sha256"
	"net/netip"
	"time"

	"golang.org/x/time/rate"
)

// Limit is how often something may happen: Burst times at once, and then as
// often as PerMinute says.
type Limit struct {
	Burst     int
	PerMinute int
}

// Limiter counts what happens by address (S37): in this process, and in Redis
// if there is one, where all gateways count together. Its memory is bounded: who
// has not been seen for long, or least, is forgotten.
type Limiter struct {
	limits  map[string]Limit
	exempt  []netip.Prefix
	buckets *Near[*rate.Limiter]
	shared  *Shared
	now     func() time.Time
}

// bucketLifetime is how long an address is remembered. By then every bucket
// has filled up again that a Limit of at least one a minute and a burst of at
// most 60 describes; larger ones are forgiven a little early.
const bucketLifetime = time.Hour

// NewLimiter makes a limiter for what is named in limits. Addresses in exempt
// are not counted. It remembers at most size addresses. With a Redis, which may
// be nil and is closed by its owner, gateways count together.
func NewLimiter(size int, limits map[string]Limit, exempt []netip.Prefix, shared *Shared) (*Limiter, error) {
	buckets, err := NewNear(size, func(*rate.Limiter) time.Duration { return bucketLifetime })
	if err != nil {
		return nil, err
	}
	return &Limiter{limits: limits, exempt: exempt, buckets: buckets, shared: shared, now: time.Now}, nil
}

// Allow counts one event of an address and reports whether it may happen; if
// not, when to try again. Of an IPv6 address the first 64 bits count: they are
// one network. An event without a limit, and an address that is none, may always
// happen.
func (l *Limiter) Allow(ctx context.Context, event, address string) (retryAfter time.Duration, ok bool) {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return 0, true
	}
	ip = ip.Unmap().WithZone("")
	for _, prefix := range l.exempt {
		if prefix.Contains(ip) {
			return 0, true
		}
	}
	network := ip
	if ip.Is6() {
		prefix, _ := ip.Prefix(64)
		network = prefix.Addr()
	}
	return l.AllowName(ctx, event, network.String())
}

// AllowName is Allow for something else than an address, such as an account.
//
// Whoever this process alone refuses, Redis is not asked about: that is how a
// flood costs nothing there. Redis only says no; when it cannot be asked, this
// process decides alone.
func (l *Limiter) AllowName(ctx context.Context, event, name string) (retryAfter time.Duration, ok bool) {
	limit, limited := l.limits[event]
	if !limited {
		return 0, true
	}
	key := Key(sha256.Sum256([]byte(event + " " + name)))
	now := l.now()
	reservation := l.bucket(key, limit).ReserveN(now, 1)
	if delay := reservation.DelayFrom(now); delay > 0 {
		reservation.CancelAt(now)
		// Others that are just being refused have reserved as well, for a moment.
		return min(delay, time.Minute/time.Duration(max(1, limit.PerMinute))), false
	}
	if retryAfter, ok = l.shared.count(ctx, key, limit); !ok {
		reservation.CancelAt(now) // what may not happen is not counted
	}
	return retryAfter, ok
}

func (l *Limiter) bucket(key Key, limit Limit) *rate.Limiter {
	if bucket, found := l.buckets.Get(key); found {
		return bucket
	}
	return l.buckets.SetIfAbsent(key, rate.NewLimiter(rate.Limit(float64(limit.PerMinute)/60), limit.Burst))
}

// Close ends the limiter's own goroutine.
func (l *Limiter) Close() { l.buckets.Close() }
