package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/datahq/auth-gateway/internal/authn"
	"github.com/datahq/auth-gateway/internal/cache"
	"github.com/datahq/auth-gateway/providers"
)

// Where a sign-in under way is kept. It begins the state, and so it is part of
// what the key is the hash of: a state is good in one of them only (S21).
const (
	inRedis    authn.Place = 'r'
	inDatabase authn.Place = 'd'
)

// attemptPatience is how long the database may take for a sign-in under way.
// Redis may have been waited for before.
const attemptPatience = 4 * time.Second

// attemptStore keeps sign-ins under way in Redis if there is one: anybody can
// begin many that he never ends, and they need not outlive ten minutes. Without
// Redis, and while it cannot be used, they are put into the database. Nobody
// looks for one elsewhere than where it was put: of two places each would give
// it out once.
type attemptStore struct {
	observedStore
	shared *cache.Shared // nil without Redis
}

// AttemptPlaces implements authn.Store.
func (s attemptStore) AttemptPlaces() []authn.Place {
	if s.shared != nil && s.shared.Healthy() {
		return []authn.Place{inRedis, inDatabase}
	}
	return []authn.Place{inDatabase}
}

// PutAttempt implements authn.Store.
func (s attemptStore) PutAttempt(ctx context.Context, place authn.Place, key, value []byte, expires time.Time) error {
	switch {
	case place == inDatabase:
		ctx, cancel := context.WithTimeout(ctx, attemptPatience)
		defer cancel()
		return s.observedStore.PutAttempt(ctx, key, value, expires)
	case place == inRedis && s.shared != nil:
		return s.shared.PutAttempt(ctx, key, value, expires)
	}
	return fmt.Errorf("keeping a sign-in: there is no place %q", place)
}

// TakeAttempt implements authn.Store.
func (s attemptStore) TakeAttempt(ctx context.Context, place authn.Place, key []byte) (value []byte, first bool, err error) {
	switch {
	case place == inDatabase:
		ctx, cancel := context.WithTimeout(ctx, attemptPatience)
		defer cancel()
		return s.observedStore.TakeAttempt(ctx, key)
	case place == inRedis && s.shared != nil:
		value, first, err = s.shared.TakeAttempt(ctx, key)
		switch {
		case errors.Is(err, cache.ErrUnknown):
			err = fmt.Errorf("%w: %w", providers.ErrNotFound, err)
		case err != nil: // nobody can tell now (S39)
			err = fmt.Errorf("%w: %w", providers.ErrUnavailable, err)
		}
		return value, first, err
	}
	return nil, false, providers.ErrNotFound
}
