package cache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// attemptGrace is how long after its end an attempt is kept, so that whoever is
// late is told so.
const attemptGrace = 10 * time.Minute

// ErrUnknown says that there is no attempt under a key: there never was, or it
// is over.
var ErrUnknown = errors.New("no such attempt")

// An attempt is two keys with one hash tag, so that they are on one node of a
// cluster: the sealed value, and a ticket. Who removes the ticket is the first;
// of several only one can, even in a Redis that is full, and one that loses its
// keys loses tickets too: then nobody is the first.

// PutAttempt keeps value, at most 64 KiB, under a new key until ten minutes
// after expires: the taker judges the expiry. An error wraps ErrUnavailable; it
// may have been kept all the same.
func (s *Shared) PutAttempt(ctx context.Context, key, value []byte, expires time.Time) error {
	if len(value) > maxValue {
		return fmt.Errorf("keeping an attempt in Redis: it has %d bytes; expected at most %d", len(value), maxValue)
	}
	place, ticket := s.attempt(key)
	sealed, err := s.sealer.seal(place, value)
	if err != nil {
		return fmt.Errorf("sealing an attempt: %w", err)
	}
	lives := max(expires.Sub(s.Now())+attemptGrace, time.Millisecond)
	err = s.do(ctx, "attempt", func(ctx context.Context) error {
		_, err := s.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.Set(ctx, place, sealed, lives)
			p.Set(ctx, ticket, 1, lives)
			return nil
		})
		return err
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
	place, ticket := s.attempt(key)
	var sealed *redis.StringCmd
	var removed *redis.IntCmd
	err = s.do(ctx, "attempt", func(ctx context.Context) error {
		// No transaction: a Redis that is full refuses these altogether.
		_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			sealed = p.GetRange(ctx, place, 0, maxSealed)
			removed = p.Del(ctx, ticket)
			return nil
		})
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("taking an attempt from Redis: %w", err)
	}
	if sealed.Val() == "" {
		return nil, false, fmt.Errorf("taking an attempt from Redis: %w", ErrUnknown)
	}
	value, err = s.sealer.open(place, []byte(sealed.Val()))
	if err != nil {
		return nil, false, fmt.Errorf("taking an attempt from Redis: %w: %w", ErrUnknown, err)
	}
	return value, removed.Val() == 1, nil
}

// attempt returns the keys of an attempt's value and ticket.
func (s *Shared) attempt(key []byte) (place, ticket string) {
	sum := sha256.Sum256(key)
	place = s.Prefix + ":v1:attempt:{" + hex.EncodeToString(sum[:]) + "}"
	return place, place + ":ticket"
}
