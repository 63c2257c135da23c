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
func (s *Store) startJanitor(every time.Duration) {
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
			err := errors.Join(s.purge(ctx), s.adopt(ctx))
			if err != nil && !failing && ctx.Err() == nil {
				s.logger.Warn("removing expired sessions and adopting users failed; will keep trying", zap.Error(err))
			}
			failing = err != nil
		}
	})
}

// purge removes what has expired.
func (s *Store) purge(ctx context.Context) error {
	now := s.now()
	return s.write(ctx, "removing expired rows", func(tx *gorm.DB) error {
		if err := tx.Where("expires_at <= ?", micros(now)).Delete(&sessionRow{}).Error; err != nil {
			return err
		}
		return tx.Where("expires_at <= ?", micros(now.Add(-attemptGrace))).Delete(&attemptRow{}).Error
	})
}

// adopt takes over what an original service on the same database has written
// meanwhile. It looks through all users, so it does so without a lock.
func (s *Store) adopt(ctx context.Context) error {
	const verb = "adopting users"
	found, err := findAdoptions(s.db.WithContext(ctx), s.now())
	if err != nil || found.empty() {
		return wrap(ctx, verb, err)
	}
	return s.write(ctx, verb, func(tx *gorm.DB) error { return found.adopt(tx, s.logger) })
}
