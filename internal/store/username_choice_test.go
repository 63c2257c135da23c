package store

import (
	"errors"
	"testing"

	"gorm.io/gorm"

	"github.com/datahq/auth-gateway/providers"
)

// S28, for databases whose writers overlap: what has changed since it was read
// is not overwritten, neither our row nor that of users.
func TestChoiceLosesNoRace(t *testing.T) {
	for name, meanwhile := range map[string]string{
		"chosen":  "UPDATE auth_usernames SET chosen_at = 1",
		"renamed": "UPDATE users SET username = 'other'",
	} {
		t.Run(name, func(t *testing.T) {
			s := openTest(t, "sqlite://", options{})
			if err := signIn(t, s, "u1"); err != nil {
				t.Fatal(err)
			}
			updates := 0
			err := s.db.Callback().Update().Before("gorm:update").Register("test:meanwhile", func(tx *gorm.DB) {
				if updates++; updates == 1 {
					_ = tx.AddError(tx.Session(&gorm.Session{NewDB: true}).Exec(meanwhile).Error)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			// The transaction with the change in it starts over, and the second
			// updates two tables.
			first := map[string]int{"chosen": 1, "renamed": 2}[name]
			if err := s.ChooseUsername(t.Context(), "u1", "New", true); err != nil || updates != first+2 {
				t.Errorf("%v after %d updates, want %d", err, updates, first+2)
			}
			if display, chosen, err := s.UsernameChosen(t.Context(), "u1"); err != nil || display != "New" || !chosen {
				t.Errorf("%q, %v, %v", display, chosen, err)
			}
		})
	}
}

// An original service has given the name since we started: the constraint of
// users, where there is one, and a look into it, where there is none.
func TestChoiceOfANameThatAnOriginalHasGiven(t *testing.T) {
	path := tempFile(t)
	original(t, path)
	s := openTest(t, path, options{})
	rawExec(t, openRaw(t, path), "INSERT INTO users (id, username) VALUES ('theirs', 'New')")
	if err := s.ChooseUsername(t.Context(), "old2", "New", true); !errors.Is(err, ErrUsernameTaken) || errors.Is(err, providers.ErrUnavailable) {
		t.Errorf("%v, want ErrUsernameTaken", err)
	}
	if user, err := s.User(t.Context(), "old2"); err != nil || user.Username != "" {
		t.Errorf("%+v, %v", user, err)
	}
}
