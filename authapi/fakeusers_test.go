package authapi

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/datahq/auth-gateway/providers"
)

var (
	errTaken   = errors.New("taken")
	errChosen  = errors.New("chosen")
	errInvalid = errors.New("invalid")
)

// is makes a predicate of Config's.
func is(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }

// fakeUsers is a table of users. Like a database, it hands out copies.
type fakeUsers struct {
	users map[string]providers.User
	// chosen are the names that were chosen, as they are shown, by user.
	chosen map[string]string
	// changed are the users that were to be forgotten.
	changed []string
	// down makes everything fail; downAt the named method only.
	down   error
	downAt string
	asked  []string
}

func newFakeUsers() *fakeUsers {
	grace := providers.User{ID: "u2", ProviderID: "github:99", Username: "grace", Email: "Grace@Example.org"}
	return &fakeUsers{users: map[string]providers.User{"u1": ada(), "u2": grace}, chosen: make(map[string]string)}
}

func (f *fakeUsers) fails(method string) error {
	f.asked = append(f.asked, method)
	if f.down != nil && (f.downAt == "" || f.downAt == method) {
		return fmt.Errorf("asking the database: %w", f.down)
	}
	return nil
}

func (f *fakeUsers) User(_ context.Context, id string) (providers.User, error) {
	if err := f.fails("User"); err != nil {
		return providers.User{}, err
	}
	u, found := f.users[id]
	if !found {
		return u, fmt.Errorf("reading user: %w", providers.ErrNotFound)
	}
	return u, nil
}

func (f *fakeUsers) UserByUsername(_ context.Context, username string) (providers.User, error) {
	if err := f.fails("UserByUsername"); err != nil {
		return providers.User{}, err
	}
	for _, u := range f.users {
		if strings.EqualFold(u.Username, username) {
			return u, nil
		}
	}
	return providers.User{}, fmt.Errorf("reading user by username: %w", providers.ErrNotFound)
}

func (f *fakeUsers) ChooseUsername(_ context.Context, userID, username string, keepCase bool) error {
	if err := f.fails("ChooseUsername"); err != nil {
		return err
	}
	u, found := f.users[userID]
	_, chosen := f.chosen[userID]
	folded := strings.ToLower(username)
	switch {
	case !found:
		return fmt.Errorf("choosing a username: %w", providers.ErrNotFound)
	case chosen:
		return fmt.Errorf("choosing a username: %w", errChosen)
	case folded == "" || strings.ContainsAny(folded, " @<"):
		return fmt.Errorf("choosing a username: %w", errInvalid)
	}
	for id, other := range f.users {
		if id != userID && other.Username == folded {
			return fmt.Errorf("choosing a username: %w", errTaken)
		}
	}
	u.Username, f.chosen[userID] = folded, folded
	if keepCase {
		f.chosen[userID] = username
	}
	f.users[userID] = u
	return nil
}

func (f *fakeUsers) UsernameChosen(_ context.Context, userID string) (display string, chosen bool, err error) {
	if err := f.fails("UsernameChosen"); err != nil {
		return "", false, err
	}
	display, chosen = f.chosen[userID]
	if !chosen {
		return f.users[userID].Username, false, nil // the one that was made for him
	}
	return display, true, nil
}
