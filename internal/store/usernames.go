package store

import (
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// usernameRow is a username that is taken.
type usernameRow struct {
	Folded   string `gorm:"primaryKey"`
	UserID   string
	Display  string
	ChosenAt *int64 // nil while it is one that was made for the user
}

func (usernameRow) TableName() string { return "auth_usernames" }

// usernameKey is the primary key of auth_usernames. Adopted names may be longer
// than the column.
func usernameKey(username string) string { return bounded(FoldUsername(username)) }

// claimUsername takes a name like wish for a user (S28).
func claimUsername(tx *gorm.DB, userID, wish string) (string, error) {
	for candidate := range usernameCandidates(usernameBase(wish)) {
		row := usernameRow{Folded: candidate, UserID: userID, Display: candidate}
		claimed := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
		if claimed.Error != nil {
			return "", claimed.Error
		}
		if claimed.RowsAffected == 0 {
			continue
		}
		// The names of old rows are in auth_usernames, but an original service
		// on the same database may have added one since we started.
		var id string
		err := first(tx, "SELECT id FROM users WHERE username = ?", []any{candidate}, &id)
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return candidate, nil
		}
		if err == nil {
			err = tx.Delete(&row).Error
		}
		if err != nil {
			return "", err
		}
	}
	return "", errors.New("no username is free")
}

// adoptUsernames enters the usernames of rows that we did not make, so that
// names are unique and found by an index on their folded form. They count as
// chosen (ruling 14). Of several rows with one folded name, which tables
// without a constraint may have, the oldest is found by it.
func adoptUsernames(tx *gorm.DB, log *zap.Logger, now time.Time) error {
	rows, err := tx.Raw(`SELECT u.id, u.username FROM users u LEFT JOIN auth_usernames n ON n.user_id = u.id
WHERE n.user_id IS NULL AND u.username IS NOT NULL AND u.username <> ''
ORDER BY CASE WHEN u.join_date IS NULL THEN 1 ELSE 0 END, u.join_date, u.id`).Rows()
	if err != nil {
		return fmt.Errorf("reading usernames: %w", err)
	}
	defer rows.Close()
	chosenAt := micros(now)
	var found []usernameRow
	for rows.Next() {
		row := usernameRow{ChosenAt: &chosenAt}
		if err := rows.Scan(&row.UserID, &row.Display); err != nil {
			return fmt.Errorf("reading usernames: %w", err)
		}
		row.Folded = usernameKey(row.Display)
		row.Display = clean(row.Display, 255)
		found = append(found, row)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return fmt.Errorf("reading usernames: %w", err)
	}
	if len(found) == 0 {
		return nil
	}
	adopted := tx.Clauses(clause.OnConflict{DoNothing: true}).CreateInBatches(found, 500)
	if adopted.Error != nil {
		return fmt.Errorf("adopting usernames: %w", adopted.Error)
	}
	log.Info("adopted usernames", zap.Int64("adopted", adopted.RowsAffected),
		zap.Int64("ambiguous", int64(len(found))-adopted.RowsAffected))
	return nil
}
