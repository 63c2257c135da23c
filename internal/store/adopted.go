package store

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// adoptedRow is what a user is recognised by whom the original service has
// made, see secondSchema.
type adoptedRow struct {
	UserID     string `gorm:"primaryKey"`
	ProviderID string
	Email      string
	Address    *string
}

func (adoptedRow) TableName() string { return "auth_adopted" }

// oldestFirst is the order of users in which the first counts where several
// fit: the one who joined first, and last those who do not say when.
const oldestFirst = "CASE WHEN u.join_date IS NULL THEN 1 ELSE 0 END, u.join_date, u.id"

// originalID is the ID that the original service gave to an address, exactly
// as the provider had written it (contract 1.5).
func originalID(email string) string {
	sum := md5.Sum([]byte(email))
	return hex.EncodeToString(sum[:])
}

// adoptions are what another program, the original service most likely, has
// written into users since we looked last.
type adoptions struct {
	users []adoptedRow
	names adoptedNames
}

func findAdoptions(db *gorm.DB, now time.Time, condition string, args ...any) (found adoptions, err error) {
	if found.users, err = findAdopted(db, condition, args...); err != nil {
		return found, err
	}
	found.names, err = findNames(db, now, condition, args...)
	return found, err
}

func (a adoptions) empty() bool {
	return len(a.users) == 0 && len(a.names.given) == 0 && len(a.names.stale) == 0
}

// adopted counts what was adopted.
type adopted struct{ users, names, ambiguous int }

// adopt stores what was found. It may have been found a while ago.
func (a adoptions) adopt(tx *gorm.DB) (adopted, error) {
	if len(a.users) > 0 {
		err := tx.Clauses(clause.OnConflict{
			Columns:   []clause.Column{{Name: "user_id"}},
			DoUpdates: clause.AssignmentColumns([]string{"provider_id", "email", "address"}),
		}).CreateInBatches(a.users, 500).Error
		if err != nil {
			return adopted{}, fmt.Errorf("adopting users: %w", err)
		}
	}
	names, err := a.names.adopt(tx)
	return adopted{users: len(a.users), names: names, ambiguous: len(a.names.given) - names}, err
}

// findAdopted returns the users whom we neither made nor adopted, and those
// adopted ones in whom something has changed, of users u that fulfil a
// condition.
//
// Whoever has signed in with us keeps the provider_id that was known before:
// what stands in users is ours since.
func findAdopted(db *gorm.DB, condition string, args ...any) (found []adoptedRow, err error) {
	// What is known of each user is looked up by itself: joined, a page of users
	// would cost some databases a scan of all that is known.
	rows, err := db.Raw(`SELECT id, provider_id, email, known_provider_id, known_email, CASE WHEN linked IS NULL THEN 0 ELSE 1 END
FROM (SELECT u.id, COALESCE(u.provider_id, '') AS provider_id, COALESCE(u.email, '') AS email,
	(SELECT o.provider_id FROM auth_adopted o WHERE o.user_id = u.id) AS known_provider_id,
	(SELECT o.email FROM auth_adopted o WHERE o.user_id = u.id) AS known_email,
	(SELECT a.created_at FROM auth_accounts a WHERE a.user_id = u.id) AS ours,
	(SELECT MIN(i.issuer) FROM auth_identities i WHERE i.user_id = u.id) AS linked
FROM users u WHERE `+condition+`) u
WHERE known_provider_id IS NULL AND ours IS NULL OR email <> known_email OR provider_id <> known_provider_id AND linked IS NULL`, args...).Rows()
	if err != nil {
		return nil, fmt.Errorf("reading users: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var (
			row                      adoptedRow
			knownProvider, knownMail *string
			isLinked                 int
		)
		if err := rows.Scan(&row.UserID, &row.ProviderID, &row.Email, &knownProvider, &knownMail, &isLinked); err != nil {
			return nil, fmt.Errorf("reading users: %w", err)
		}
		if address, ok := foldEmail(row.Email); ok {
			row.Address = &address
		}
		row.Email, row.ProviderID = bounded(row.Email), bounded(row.ProviderID)
		if isLinked != 0 {
			row.ProviderID = ""
			if knownProvider != nil {
				row.ProviderID = *knownProvider
			}
		}
		if knownMail != nil && *knownMail == row.Email && *knownProvider == row.ProviderID {
			continue // it is too long to be kept as it is
		}
		found = append(found, row)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, fmt.Errorf("reading users: %w", err)
	}
	return found, nil
}

// adoptedUser returns what an adopted user is recognised by;
// gorm.ErrRecordNotFound if there is no such user, or if we made him. One who
// has been written since we looked last is adopted now.
func adoptedUser(tx *gorm.DB, id string) (adoptedRow, error) {
	found, err := findAdopted(tx, "u.id = ?", id)
	if err != nil {
		return adoptedRow{}, err
	}
	if _, err := (adoptions{users: found}).adopt(tx); err != nil {
		return adoptedRow{}, err
	}
	var row adoptedRow
	err = tx.Where("user_id = ?", id).Take(&row).Error
	return row, err
}

// adoptedBy returns the adopted users for whom a column of auth_adopted has a
// value, the oldest first.
func adoptedBy(db *gorm.DB, column, value string) (found []adoptedRow, err error) {
	err = db.Raw("SELECT o.* FROM auth_adopted o JOIN users u ON u.id = o.user_id WHERE o."+column+" = ? ORDER BY "+oldestFirst, value).
		Scan(&found).Error
	return found, err
}
