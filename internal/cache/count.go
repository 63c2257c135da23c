package cache

import (
	"context"
	"strings"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"
)

// countPeriod is what a Limit counts by. Nobody ever has to wait for longer, since
// a Limit is at least one a minute.
const countPeriod = time.Minute

// count counts an event in Redis and reports whether it may happen; if not, when
// to try again. It may also if Redis cannot be asked, or there is none. A wait
// that no count leads to is not believed: counts are not sealed, and whoever
// writes to Redis, or sets its clock back, must not lock anybody out (S40).
func (s *Shared) count(ctx context.Context, key Key, limit Limit) (retryAfter time.Duration, ok bool) {
	if s == nil || !s.Healthy() {
		return 0, true
	}
	// Whoever goes away at once is counted all the same.
	ctx = context.WithoutCancel(ctx)
	counter := redis_rate.NewLimiter(ourKeys{s.client})
	ok = true
	err := s.do(ctx, "limit", func(ctx context.Context) error {
		result, err := counter.Allow(ctx, s.place("rate", key), redis_rate.Limit{Rate: limit.PerMinute, Burst: limit.Burst, Period: countPeriod})
		if err == nil && result.Allowed == 0 && result.RetryAfter >= 0 && result.RetryAfter <= countPeriod+time.Second {
			retryAfter, ok = max(result.RetryAfter, time.Millisecond), false
		}
		return err
	})
	if err != nil {
		return 0, true
	}
	return retryAfter, ok
}

// ourKeys takes away what the library puts before a key, so that all of ours
// begin alike.
type ourKeys struct{ redis.UniversalClient }

func (o ourKeys) Eval(ctx context.Context, script string, keys []string, args ...any) *redis.Cmd {
	return o.UniversalClient.Eval(ctx, script, stripped(keys), args...)
}

func (o ourKeys) EvalSha(ctx context.Context, sha1 string, keys []string, args ...any) *redis.Cmd {
	return o.UniversalClient.EvalSha(ctx, sha1, stripped(keys), args...)
}

func stripped(keys []string) []string {
	all := make([]string, len(keys))
	for i, key := range keys {
		all[i] = strings.TrimPrefix(key, "rate:")
	}
	return all
}
