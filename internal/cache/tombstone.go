package cache

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"
)

// Withdraw ends all entries in Redis that belong to one of the names, and tells
// the other gateways. What is to be forgotten must have been changed at its
// source before; the caller withdraws from his own near cache himself.
//
// Each name gets a tombstone in Redis, which lives longer than any entry that
// may have been loaded before, and is published. Either is enough for entries in
// Redis, as each gateway also remembers what it hears; so this works when Redis
// is full. An error wraps ErrUnavailable and means that other gateways have not
// been told: they have to find out at the source.
//
// It takes two calls, and less than a second.
func (s *Shared) Withdraw(ctx context.Context, names ...string) error {
	s.Forget(names...)
	for some := range slices.Chunk(names, maxMessageNames) {
		// Tombstones come first: whoever has not heard yet must find them.
		_ = s.do(ctx, "withdraw", func(ctx context.Context) error {
			_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
				for _, name := range some {
					p.Set(ctx, s.tombstone(name), 1, withdrawalLifetime)
				}
				return nil
			})
			return err
		})
		if err := s.publish(ctx, message{Names: some}); err != nil {
			return fmt.Errorf("withdrawing: %w", err)
		}
	}
	return nil
}

// WithdrawAll ends all entries in Redis and tells the other gateways, which
// forget everything. Errors are Withdraw's.
func (s *Shared) WithdrawAll(ctx context.Context) error {
	s.ForgetAll()
	if err := s.publish(ctx, message{All: true}); err != nil {
		return fmt.Errorf("withdrawing everything: %w", err)
	}
	return nil
}

// Forget makes this gateway alone believe no entries that belong to the names,
// and write none, for two minutes: for withdrawals that were learned from
// somewhere else than here, such as from the database.
func (s *Shared) Forget(names ...string) { s.trust.withdraw(names) }

// ForgetAll makes this gateway alone believe no entry that is older than this
// call.
func (s *Shared) ForgetAll() { s.trust.again() }

// tombstone is the key that says that a name is withdrawn.
func (s *Shared) tombstone(name string) string {
	return s.place("gone", sha256.Sum256([]byte(name)))
}
