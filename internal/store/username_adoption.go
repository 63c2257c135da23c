package store

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// adoptedNames are the usernames that another program has given.
type adoptedNames struct {
	stale []usernameRow // what was known of users who are called otherwise now
	given []usernameRow // the oldest user's first
}

// findNames returns the usernames in users that we do not know. They count as
// chosen (ruling 14). Of several rows with one folded name, which tables
// without a constraint may have, the oldest is found by it.
func findNames(db *gorm.DB, now time.Time, condition string, args ...any) (found adoptedNames, err error) {
	rows, err := db.Raw(`SELECT id, username, folded, display
FROM (SELECT u.id, u.username, u.join_date,
	(SELECT n.folded FROM auth_usernames n WHERE n.user_id = u.id) AS folded,
	(SELECT n.display FROM auth_usernames n WHERE n.user_id = u.id) AS display
FROM users u WHERE `+condition+`) u
WHERE folded IS NULL AND username <> '' OR folded IS NOT NULL AND username IS NULL OR username <> folded AND username <> display
ORDER BY `+oldestFirst, args...).Rows()
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

// adopt stores the names, and returns how many of them their users have now.
func (a adoptedNames) adopt(tx *gorm.DB) (adopted int, err error) {
	for _, row := range a.stale {
		if err := tx.Where("folded = ? AND user_id = ?", row.Folded, row.UserID).Delete(&usernameRow{}).Error; err != nil {
			return 0, fmt.Errorf("forgetting usernames: %w", err)
		}
	}
	for batch := range slices.Chunk(a.given, 500) {
		inserted := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(batch)
		if inserted.Error != nil {
			return 0, fmt.Errorf("adopting usernames: %w", inserted.Error)
		}
		adopted += int(inserted.RowsAffected)
		if int(inserted.RowsAffected) == len(batch) {
			continue
		}
		for _, row := range batch {
			if err := row.outrank(tx); err != nil {
				return 0, fmt.Errorf("adopting usernames: %w", err)
			}
		}
	}
	return adopted, nil
}

// outrank gives a name that was adopted a moment ago, with an earlier page, to
// its oldest owner.
func (r usernameRow) outrank(tx *gorm.DB) error {
	var younger string
	err := first(tx, `SELECT n.user_id FROM auth_usernames n JOIN users o ON o.id = n.user_id JOIN users u ON u.id = ?
WHERE n.folded = ? AND n.chosen_at = ? AND o.id <> u.id
AND (u.join_date < o.join_date OR u.join_date = o.join_date AND u.id < o.id
	OR o.join_date IS NULL AND (u.join_date IS NOT NULL OR u.id < o.id))`,
		[]any{r.UserID, r.Folded, *r.ChosenAt}, &younger)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return tx.Model(&usernameRow{}).Where("folded = ? AND user_id = ?", r.Folded, younger).
		Updates(map[string]any{"user_id": r.UserID, "display": r.Display}).Error
}
