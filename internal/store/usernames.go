package store

import (
	"errors"

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
		err := givenMeanwhile(tx, userID, candidate, candidate)
		if err == nil {
			return candidate, nil
		}
		if errors.Is(err, ErrUsernameTaken) {
			err = tx.Delete(&row).Error
		}
		if err != nil {
			return "", err
		}
	}
	return "", errors.New("no username is free")
}

// givenMeanwhile is ErrUsernameTaken if another user has a name, in one of two
// spellings: the names of old rows are in auth_usernames, but an original
// service on the same database may have added one since we looked. It is the
// one query of a sign-in that reads a whole table, if that is one of 2017 whose
// names have no index, and only where a name is given or chosen.
func givenMeanwhile(tx *gorm.DB, userID, folded, display string) error {
	var owner string
	err := first(tx, "SELECT id FROM users WHERE username IN (?, ?) AND id <> ?", []any{folded, display, userID}, &owner)
	switch {
	case err == nil:
		return ErrUsernameTaken
	case errors.Is(err, gorm.ErrRecordNotFound):
		return nil
	default:
		return err
	}
}
