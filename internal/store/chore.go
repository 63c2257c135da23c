package store

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// The rows of auth_chores.
const (
	choreAdopt    = "adopt"    // one gateway does it for all
	choreAnnounce = "announce" // one at a time, see Announce
)

// due reports whether a chore was not done within an interval, by any gateway,
// and takes it upon this one.
func (s *Store) due(ctx context.Context, chore string, interval time.Duration) (due bool, err error) {
	err = s.write(ctx, "taking turns", func(tx *gorm.DB) error {
		// A time to come is from before the database's clock was put right.
		taken := tx.Exec("UPDATE auth_chores SET done_at = "+clock(tx)+" WHERE name = ? AND (done_at <= "+clock(tx)+" - ? OR done_at > "+clock(tx)+")",
			chore, interval.Microseconds())
		due = taken.RowsAffected == 1
		return taken.Error
	})
	return due && err == nil, err
}
