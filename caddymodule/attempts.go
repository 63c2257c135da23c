package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/datahq/auth-gateway/internal/cache"
	"github.com/datahq/auth-gateway/providers"
)

// attemptStore keeps sign-ins under way in Redis if there is one: anybody can
// begin many that he never ends, and they need not outlive ten minutes. Without
// Redis, and while it does not answer, they are in the database.
type attemptStore struct {
	observedStore
	shared *cache.Shared // nil without Redis
}

// PutAttempt implements authn.Store.
func (s attemptStore) PutAttempt(ctx context.Context, key, value []byte, expires time.Time) error {
	if s.shared != nil && s.shared.PutAttempt(ctx, key, value, expires) == nil {
		return nil
	}
	return s.observedStore.PutAttempt(ctx, key, value, expires)
}

// TakeAttempt implements authn.Store. What is not in Redis may have been put
// into the database while Redis did not answer.
func (s attemptStore) TakeAttempt(ctx context.Context, key []byte) (value []byte, first bool, err error) {
	if s.shared == nil {
		return s.observedStore.TakeAttempt(ctx, key)
	}
	value, first, redisErr := s.shared.TakeAttempt(ctx, key)
	if redisErr == nil {
		return value, first, nil
	}
	value, first, err = s.observedStore.TakeAttempt(ctx, key)
	if errors.Is(err, providers.ErrNotFound) && !errors.Is(redisErr, cache.ErrUnknown) {
		// It may well be in Redis: nobody can tell now (S39).
		err = fmt.Errorf("%w: %w", providers.ErrUnavailable, redisErr)
	}
	return value, first, err
}
