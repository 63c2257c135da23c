package cache

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"
)

// attemptGrace is how long after its end an attempt is kept, so that whoever is
// late is told so.
const attemptGrace = 10 * time.Minute

// What an attempt is sealed as. It is part of the sealing key and of the
// additional data: the one does not open as the other.
const (
	freshAttempt = " fresh"
	usedAttempt  = " used"
)

// takeAttempt puts what is used in the place of what is fresh, in one step, and
// returns 1 to whom that has succeeded. Whoever has read the fresh value is late
// when it is no longer there. A Redis that is full takes no used one: then there
// is none. It is a script since SET with GET is not in every Redis, and reads
// whatever somebody has put there meanwhile.
const takeAttempt = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
	return 0
end
local left = redis.call('PTTL', KEYS[1])
local kept = left > 0 and redis.pcall('SET', KEYS[1], ARGV[2], 'PX', left)
if not kept or kept.err then
	redis.call('DEL', KEYS[1])
end
return 1`

// ErrUnknown says that there is no attempt under a key: there never was, or it
// is over.
var ErrUnknown = errors.New("no such attempt")

// An attempt is one key with the sealed value, fresh or used (S40). Who writes
// to Redis and has no session key can remove it, which makes it unknown; he
// cannot make it fresh again, or another one's. What he can do is to put a fresh
// value back that he copied before it was used; and a Redis that comes back with
// data from before, or a replica that takes over and had not heard of the use,
// does the same. Nothing inside Redis can tell that from the first time. Then
// the rest of S21 holds: the end of the attempt is in the sealed value; the
// browser needs the cookie, which was deleted with the first answer, and whose
// hash alone is in the value; and the provider takes a code once, and a new one
// only for the same verifier and nonce.

// PutAttempt keeps value, at most 64 KiB, under a new key until ten minutes
// after expires: the taker judges the expiry. An error wraps ErrUnavailable; it
// may have been kept all the same, or be kept yet, so that nobody may be told
// of the key.
func (s *Shared) PutAttempt(ctx context.Context, key, value []byte, expires time.Time) error {
	if len(value) > maxValue {
		return fmt.Errorf("keeping an attempt in Redis: it has %d bytes; expected at most %d", len(value), maxValue)
	}
	place := s.attempt(key)
	sealed, err := s.sealer.seal(place+freshAttempt, value)
	if err != nil {
		return fmt.Errorf("sealing an attempt: %w", err)
	}
	lives := max(expires.Sub(s.Now())+attemptGrace, time.Millisecond)
	err = s.do(ctx, "attempt", func(ctx context.Context) error {
		return s.client.Set(ctx, place, sealed, lives).Err()
	})
	if err != nil {
		return fmt.Errorf("keeping an attempt in Redis: %w", err)
	}
	return nil
}

// TakeAttempt returns the value under a key, and first == true to exactly one
// caller ever (S21); the others get the value as long as it is there. An unknown
// key is ErrUnknown. Any other error wraps ErrUnavailable, and then nobody may
// be the first any more.
func (s *Shared) TakeAttempt(ctx context.Context, key []byte) (value []byte, first bool, err error) {
	value, first, err = s.takeAttempt(ctx, s.attempt(key))
	if err != nil {
		return nil, false, fmt.Errorf("taking an attempt from Redis: %w", err)
	}
	return value, first, nil
}

func (s *Shared) takeAttempt(ctx context.Context, place string) (value []byte, first bool, err error) {
	var fresh string
	err = s.do(ctx, "attempt", func(ctx context.Context) (err error) {
		fresh, err = s.client.GetRange(ctx, place, 0, maxSealed).Result()
		return err
	})
	if err != nil {
		return nil, false, err
	}
	if fresh == "" {
		return nil, false, ErrUnknown
	}
	if value, err = s.sealer.open(place+usedAttempt, []byte(fresh)); err == nil {
		return value, false, nil
	}
	if value, err = s.sealer.open(place+freshAttempt, []byte(fresh)); err != nil {
		return nil, false, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	used, err := s.sealer.seal(place+usedAttempt, value)
	if err != nil {
		return nil, false, err
	}
	var taken int
	err = s.do(ctx, "attempt", func(ctx context.Context) (err error) {
		taken, err = s.client.Eval(ctx, takeAttempt, []string{place}, fresh, used).Int()
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return value, taken == 1, nil
}

// attempt returns the key of an attempt.
func (s *Shared) attempt(key []byte) string {
	return s.place("attempt", sha256.Sum256(key))
}
