package store

import (
	"context"
	"errors"
	"strings"

	"golang.org/x/text/unicode/norm"
	"gorm.io/gorm"
)

// nameState is what is known of a user's name.
type nameState struct {
	username string       // users.username, folded or adopted; "" for none
	row      *usernameRow // nil if auth_usernames does not know the user
}

// loadNameState returns the state of a user's name; gorm.ErrRecordNotFound if
// there is no such user.
func loadNameState(db *gorm.DB, userID string) (nameState, error) {
	var (
		state           nameState
		folded, display *string
		row             = usernameRow{UserID: userID}
	)
	err := first(db, `SELECT COALESCE(u.username, ''), n.folded, n.display, n.chosen_at
FROM users u LEFT JOIN auth_usernames n ON n.user_id = u.id WHERE u.id = ?`,
		[]any{userID}, &state.username, &folded, &display, &row.ChosenAt)
	if err == nil && folded != nil {
		row.Folded, row.Display = *folded, *display
		state.row = &row
	}
	return state, err
}

// chosen says whether the user has chosen the name he has. One that another
// program has given counts as chosen.
func (n nameState) chosen() bool {
	return n.username != "" && (n.row == nil || n.row.Folded != usernameKey(n.username) || n.row.ChosenAt != nil)
}

// display is the name as its user has typed it.
func (n nameState) display() string {
	if n.username == "" || n.row == nil || n.row.Folded != usernameKey(n.username) {
		return n.username
	}
	return n.row.Display
}

// UsernameChosen returns a user's name as it was typed, and whether it was
// chosen, which a name is not that was made when the account was made (ruling
// 14). Names of the original service are as they are, and count as chosen. A
// user without a name has "" and false. providers.ErrNotFound means that there
// is no such user.
func (s *Store) UsernameChosen(ctx context.Context, userID string) (display string, chosen bool, err error) {
	var state nameState
	err = s.read(ctx, "reading username", func(db *gorm.DB) (err error) {
		state, err = loadNameState(db, userID)
		return err
	})
	if err != nil {
		return "", false, err
	}
	return state.display(), state.chosen(), nil
}

// ChooseUsername gives a user the username that he wishes for, once (S28).
// providers.User.Username becomes its folded form.
//
// keepCase is os-conductor's way: a name that was made when the account was
// made may be replaced, and the typed case is kept for UsernameChosen. Without
// it, as in DataHQ's API, only a user without any name may choose.
//
// Errors are ErrUsernameChosen, ErrUsernameInvalid, ErrUsernameTaken, in this
// order, or providers.ErrNotFound if there is no such user.
func (s *Store) ChooseUsername(ctx context.Context, userID, username string, keepCase bool) error {
	const verb = "choosing username"
	choice := usernameRow{Folded: FoldUsername(username), UserID: userID}
	choice.Display = choice.Folded
	// Nothing but case is kept: not every letter that folds to another is the
	// same in another case.
	if typed := norm.NFKC.String(username); keepCase && strings.EqualFold(typed, choice.Folded) {
		choice.Display = typed
	}
	now := micros(s.now())
	choice.ChosenAt = &now

	// Refusals, of which anybody can have many, take no lock.
	err := s.read(ctx, verb, func(db *gorm.DB) error {
		state, err := loadNameState(db, userID)
		if err != nil {
			return err
		}
		return choice.check(state, keepCase)
	})
	if err != nil {
		return err
	}
	return s.compete(ctx, verb, func(tx *gorm.DB) error {
		state, err := loadNameState(tx, userID)
		if err != nil {
			return err
		}
		if err := choice.check(state, keepCase); err != nil {
			return err
		}
		if err := choice.take(tx, state); err != nil {
			return err
		}
		return record(tx, Change{UserID: userID})
	})
}

// check says why a user must not have the choice.
func (r usernameRow) check(state nameState, replaceMade bool) error {
	switch {
	case state.chosen(), state.username != "" && !replaceMade:
		return ErrUsernameChosen
	case !ValidUsername(r.Folded):
		return ErrUsernameInvalid
	default:
		return nil
	}
}

// take makes the choice the user's name. Each statement changes a row only if
// it still is as state says, behind the constraints; whoever loses a race
// starts over and sees why.
func (r usernameRow) take(tx *gorm.DB, state nameState) error {
	var owner string
	err := first(tx, "SELECT user_id FROM auth_usernames WHERE folded = ? AND user_id <> ?", []any{r.Folded, r.UserID}, &owner)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = givenMeanwhile(tx, r.UserID, r.Folded, r.Display)
	} else if err == nil {
		err = ErrUsernameTaken
	}
	if err != nil {
		return err
	}
	if state.row == nil {
		err = claim(tx, &r)
	} else {
		err = changed(tx.Model(&usernameRow{}).
			Where("user_id = ? AND folded = ? AND COALESCE(chosen_at, 0) = ?", r.UserID, state.row.Folded, orZero(state.row.ChosenAt)).
			Updates(r))
	}
	if err != nil || r.Folded == state.username {
		return err
	}
	return changed(tx.Model(&userRow{}).
		Where("id = ? AND COALESCE(username, '') = ?", r.UserID, state.username).
		Update("username", r.Folded))
}

// changed is the error of an update that must change a row: errRace if it
// changed none.
func changed(update *gorm.DB) error {
	if update.Error == nil && update.RowsAffected == 0 {
		return errRace
	}
	return update.Error
}

func orZero(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}
