package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"gorm.io/gorm"

	"github.com/datahq/auth-gateway/providers"
)

const (
	// maxRaces bounds how often a write starts over that others were in the way of.
	maxRaces = 10
	// maxLost bounds how often a call starts over whose connection was lost.
	maxLost = 2
)

// withTimeout bounds a context that has no deadline.
func withTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if _, bounded := ctx.Deadline(); bounded {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}

// read runs fn, which changes nothing, and once more or twice if the connection
// was lost: a server that was started anew has left dead ones in the pool.
func (s *Store) read(ctx context.Context, verb string, fn func(db *gorm.DB) error) error {
	ctx, cancel := withTimeout(ctx, s.queryTimeout)
	defer cancel()
	return wrap(ctx, verb, s.surviving(ctx, func() (bool, error) { return true, fn(s.db.WithContext(ctx)) }))
}

// surviving runs fn until its connection is not lost. fn says whether it may
// run again.
func (s *Store) surviving(ctx context.Context, fn func() (again bool, err error)) error {
	if s.dialect.unusable != nil {
		if err := s.dialect.unusable(); err != nil {
			return err
		}
	}
	for lost := 0; ; lost++ {
		again, err := fn()
		if err == nil || ctx.Err() != nil || !s.dialect.lost(err) {
			return err
		}
		s.dropIdle()
		if !again || lost == maxLost {
			return err
		}
	}
}

// write runs fn in a transaction. It starts over after a deadlock.
func (s *Store) write(ctx context.Context, verb string, fn func(tx *gorm.DB) error) error {
	return s.transact(ctx, verb, fn, s.dialect.race)
}

// compete is write for what others may do at the same time: fn starts over
// after errRace and gorm.ErrDuplicatedKey, too.
func (s *Store) compete(ctx context.Context, verb string, fn func(tx *gorm.DB) error) error {
	return s.transact(ctx, verb, fn, func(err error) bool {
		return errors.Is(err, errRace) || errors.Is(err, gorm.ErrDuplicatedKey) || s.dialect.race(err)
	})
}

func (s *Store) transact(ctx context.Context, verb string, fn func(tx *gorm.DB) error, again func(error) bool) (err error) {
	ctx, cancel := withTimeout(ctx, 3*s.busyTimeout+s.queryTimeout)
	defer cancel()
	for race := range maxRaces {
		if race > 0 && !pause(ctx, rand.N(time.Duration(race)*2*time.Millisecond)) {
			break
		}
		if err = s.once(ctx, fn); err == nil || !again(err) {
			break
		}
	}
	if err != nil && s.dialect.refuses(err) {
		err = fmt.Errorf("%w: %w", ErrNotWritable, err)
	}
	return wrap(ctx, verb, err)
}

// once runs fn in a transaction when it is its turn. A lost connection is
// nothing that fn has to know: until it is committed a transaction has not
// been.
func (s *Store) once(ctx context.Context, fn func(tx *gorm.DB) error) error {
	turns := *s.turns.Load()
	timeout := time.NewTimer(3 * s.busyTimeout)
	defer timeout.Stop()
	select {
	case turns <- struct{}{}:
		defer func() { <-turns }()
	case <-ctx.Done():
		return ctx.Err()
	case <-timeout.C:
		return fmt.Errorf("%w: too many writers wait", providers.ErrUnavailable)
	}
	return s.surviving(ctx, func() (bool, error) {
		committing := false
		err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			err := fn(tx)
			committing = err == nil
			return err
		}, s.dialect.transaction)
		return !committing, err
	})
}

// pause waits, and reports whether ctx lasts.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
