package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"gorm.io/gorm"
)

// attemptRow is a sign-in that has been started.
type attemptRow struct {
	KeyHash   string `gorm:"primaryKey"`
	Value     []byte
	TakenAt   *int64
	ExpiresAt int64
}

func (attemptRow) TableName() string { return "auth_attempts" }

// attemptKey is what is stored of a key: it may be of any length, and whoever
// reads the database cannot use it.
func attemptKey(key []byte) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:])
}

// PutAttempt keeps value, at most 64 KiB, under a new key. It can be taken
// until an hour after expires, unless there are too many: the caller judges the
// expiry.
func (s *Store) PutAttempt(ctx context.Context, key, value []byte, expires time.Time) error {
	if value == nil {
		value = []byte{}
	}
	row := attemptRow{KeyHash: attemptKey(key), Value: value, ExpiresAt: micros(expires)}
	err := s.write(ctx, "storing sign-in attempt", func(tx *gorm.DB) error { return tx.Create(&row).Error })
	if err == nil {
		s.attemptPut(ctx)
	}
	return err
}

// TakeAttempt returns the value under a key, and first == true to exactly one
// caller ever (S21). An unknown key is providers.ErrNotFound; after any other
// error it is not known whether the value was taken.
func (s *Store) TakeAttempt(ctx context.Context, key []byte) (value []byte, first bool, err error) {
	const verb = "taking sign-in attempt"
	var row attemptRow
	// Unknown and used keys, of which anybody can send many, take no lock.
	err = s.read(ctx, verb, func(db *gorm.DB) error {
		row = attemptRow{}
		return db.Where("key_hash = ?", attemptKey(key)).Take(&row).Error
	})
	if err != nil {
		return nil, false, err
	}
	if row.TakenAt == nil {
		err := s.write(ctx, verb, func(tx *gorm.DB) error {
			marked := tx.Model(&attemptRow{}).Where("key_hash = ? AND taken_at IS NULL", row.KeyHash).
				Update("taken_at", micros(s.now()))
			first = marked.RowsAffected == 1
			return marked.Error
		})
		if err != nil {
			return nil, false, err
		}
	}
	return row.Value, first, nil
}
