package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/datahq/auth-gateway/providers"
)

var (
	// ErrAccountExists says that an identity must not be joined to the account
	// that has its address: the account has another subject of the same issuer
	// already, or it was not made by way of a verified address.
	ErrAccountExists = errors.New("account exists")
	// ErrUsernameTaken says that somebody else has the username, in whatever
	// case.
	ErrUsernameTaken = errors.New("username is taken")
	// ErrUsernameChosen says that the user has chosen before (S28).
	ErrUsernameChosen = errors.New("username has been chosen")
	// ErrUsernameInvalid says that nobody can have the username, see
	// ValidUsername.
	ErrUsernameInvalid = errors.New("username is invalid")
	// ErrGrant says that an entry of the table permissions holds no JSON object,
	// so that it cannot be told what is granted.
	ErrGrant = errors.New("malformed permissions")
	// ErrSchema says that a database cannot be used and that trying again will
	// not help: a newer version made it, or a table has another program's form.
	ErrSchema = errors.New("unusable schema")
	// ErrNotWritable says, beside providers.ErrUnavailable, that the database
	// answers and takes nothing down: it is read-only, full, locked by somebody
	// else, or closed to our user.
	ErrNotWritable = errors.New("database cannot be written")

	// errRace says that somebody else did the same first: start over.
	errRace = errors.New("lost a race")

	// final are the errors that say something else than "cannot tell".
	final = []error{providers.ErrNotFound, ErrAccountExists, ErrUsernameTaken, ErrUsernameChosen, ErrUsernameInvalid, ErrSchema}
)

// wrap makes one of this package's errors of any. While ctx is done, the
// cause is its error, whatever the driver called it.
func wrap(ctx context.Context, verb string, err error) error {
	err = withoutValues(err)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errConfig):
		return fmt.Errorf("%s: %w", verb, err)
	case errors.Is(err, gorm.ErrRecordNotFound):
		return fmt.Errorf("%s: %w", verb, providers.ErrNotFound)
	case slices.ContainsFunc(final, func(target error) bool { return errors.Is(err, target) }):
		return fmt.Errorf("%s: %w", verb, err)
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w: %w", verb, providers.ErrUnavailable, ctx.Err())
	case errors.Is(err, providers.ErrUnavailable):
		return fmt.Errorf("%s: %w", verb, err)
	default:
		return fmt.Errorf("%s: %w: %w", verb, providers.ErrUnavailable, err)
	}
}
