package store

import (
	"errors"
	"fmt"
	"time"

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

// adoptedNames are the usernames that another program has given.
type adoptedNames struct {
	stale []usernameRow // what was known of users who are called otherwise now
	given []usernameRow // the oldest user's first
}

// findNames returns the usernames in users that we do not know. They count as
// chosen (ruling 14). Of several rows with one folded name, which tables
// without a constraint may have, the oldest is found by it.
func findNames(db *gorm.DB, now time.Time) (found adoptedNames, err error) {
	rows, err := db.Raw(`SELECT u.id, u.username, n.folded, n.display FROM users u LEFT JOIN auth_usernames n ON n.user_id = u.id
WHERE n.user_id IS NULL AND u.username <> '' OR n.user_id IS NOT NULL AND u.username IS NULL OR u.username <> n.folded AND u.username <> n.display
ORDER BY ` + oldestFirst).Rows()
	if err != nil {
		return found, fmt.Errorf("reading usernames: %w", err)
	}
	defer rows.Close()
	chosenAt := micros(now)
	for rows.Next() {
		var (
			userID                    string
			username, folded, display *string
		)
		if err := rows.Scan(&userID, &username, &folded, &display); err != nil {
			return found, fmt.Errorf("reading usernames: %w", err)
		}
		given := usernameRow{UserID: userID, ChosenAt: &chosenAt}
		if username != nil && *username != "" {
			given.Folded, given.Display = usernameKey(*username), clean(*username, 255)
		}
		if folded != nil {
			if *folded == given.Folded && *display == given.Display {
				continue // it is too long to be kept as it is
			}
			found.stale = append(found.stale, usernameRow{Folded: *folded, UserID: userID})
		}
		if given.Folded != "" {
			found.given = append(found.given, given)
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return found, fmt.Errorf("reading usernames: %w", err)
	}
	return found, nil
}

// adopt stores the names, and returns how many of them nobody had.
func (a adoptedNames) adopt(tx *gorm.DB) (adopted int64, err error) {
	for _, row := range a.stale {
		if err := tx.Where("folded = ? AND user_id = ?", row.Folded, row.UserID).Delete(&usernameRow{}).Error; err != nil {
			return 0, fmt.Errorf("forgetting usernames: %w", err)
		}
	}
	if len(a.given) == 0 {
		return 0, nil
	}
	inserted := tx.Clauses(clause.OnConflict{DoNothing: true}).CreateInBatches(a.given, 500)
	if inserted.Error != nil {
		return 0, fmt.Errorf("adopting usernames: %w", inserted.Error)
	}
	return inserted.RowsAffected, nil
}
