package store

import (
	"context"

	"go.uber.org/zap"
	"gorm.io/gorm"
)

const (
	// maxAttempts is how many sign-ins are kept: those under way, and those that
	// ended or were given up within the last 70 minutes. Anybody can start them, from
	// as many addresses as he has; who fills the table drives out the oldest.
	maxAttempts = 50_000
	// trimEvery is how many sign-ins may come on top of that before the oldest go.
	trimEvery = 1000
)

// attemptPut sees to it now and then that there are not too many sign-ins.
func (s *Store) attemptPut(ctx context.Context) {
	if s.attemptsPut.Add(1)%trimEvery != 0 {
		return
	}
	if err := s.trimAttempts(ctx, maxAttempts); err != nil {
		s.logger.Warn("removing the oldest sign-ins failed", zap.Error(err))
	}
}

// trimAttempts removes the oldest sign-ins beyond a number. All last equally
// long, so the oldest end first.
func (s *Store) trimAttempts(ctx context.Context, keep int) error {
	var ends []int64
	err := s.read(ctx, "counting sign-ins", func(db *gorm.DB) error {
		ends = nil
		return db.Model(&attemptRow{}).Order("expires_at DESC").Offset(keep).Limit(1).Pluck("expires_at", &ends).Error
	})
	if err != nil || len(ends) == 0 {
		return err
	}
	return purgeRows[attemptRow](ctx, s, "key_hash", ends[0])
}
