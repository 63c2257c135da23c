package store

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
	"gorm.io/gorm"
)

const (
	// defaultPurgeEvery is how often expired rows are removed, and others' new
	// rows are adopted.
	defaultPurgeEvery = 5 * time.Minute
	// attemptGrace is how long an attempt outlives its end: whoever comes back
	// late is told so, instead of that nobody ever started.
	attemptGrace = time.Hour
)

// startJanitor tidies up every so often until Close.
func (s *Store) startJanitor(every time.Duration, pageSize int) {
	ctx, cancel := context.WithCancel(context.Background())
	s.stopJanitor = cancel
	s.janitor.Go(func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		failing := false
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			err := errors.Join(s.purge(ctx), s.adoptInTurn(ctx, every/2, pageSize))
			if err != nil && !failing && ctx.Err() == nil {
				s.logger.Warn("removing expired sessions and adopting users failed; will keep trying", zap.Error(err))
			}
			failing = err != nil
		}
	})
}

// purgeSize is how many rows are removed in one go.
const purgeSize = 1000

// purge removes what has expired, and what no gateway has to know any more.
func (s *Store) purge(ctx context.Context) error {
	now := s.now()
	return errors.Join(
		purgeRows[sessionRow](ctx, s, "id", micros(now)),
		purgeRows[attemptRow](ctx, s, "key_hash", micros(now.Add(-attemptGrace))),
		s.trimAttempts(ctx, maxAttempts),
		s.write(ctx, "removing old changes", forgetChanges),
		s.write(ctx, "removing dead gateways", forgetNodes),
	)
}

// purgeRows removes the rows that expired before a time, a few after the other:
// after a long pause there may be many, and nobody is to wait for all of them.
func purgeRows[T any](ctx context.Context, s *Store, key string, before int64) error {
	for {
		var keys []string
		err := s.write(ctx, "removing expired rows", func(tx *gorm.DB) error {
			var row T
			keys = nil
			err := tx.Model(&row).Where("expires_at <= ?", before).Limit(purgeSize).Pluck(key, &keys).Error
			if err != nil || len(keys) == 0 {
				return err
			}
			return tx.Where(key+" IN ?", keys).Delete(&row).Error
		})
		if err != nil || len(keys) < purgeSize {
			return err
		}
	}
}

// adoptInTurn takes over what an original service on the same database has
// written meanwhile. It looks through all users, so of all gateways one does it
// at a time, and rests between pages.
func (s *Store) adoptInTurn(ctx context.Context, interval time.Duration, pageSize int) error {
	due, err := s.due(ctx, choreAdopt, interval)
	if err != nil || !due {
		return err
	}
	return s.adopt(ctx, pageSize, true)
}
