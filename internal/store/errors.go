package store

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/datahq/auth-gateway/providers"
)

var (
	// ErrAccountExists says that an identity must not be joined to the account
	// that has its address: the account has another subject of the same issuer
	// already, or it was not made by way of a verified address.
	ErrAccountExists = errors.New("account exists")
	// ErrSchema says that a database cannot be used and that trying again will
	// not help: a newer version made it, or a table has another program's form.
	ErrSchema = errors.New("unusable schema")

	// errRace says that somebody else did the same first: start over.
	errRace = errors.New("lost a race")
)

// wrap makes one of this package's errors of any. While ctx is done, the
// cause is its error, whatever the driver called it.
func wrap(ctx context.Context, verb string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, gorm.ErrRecordNotFound):
		return fmt.Errorf("%s: %w", verb, providers.ErrNotFound)
	case errors.Is(err, providers.ErrNotFound), errors.Is(err, ErrAccountExists), errors.Is(err, ErrSchema):
		return fmt.Errorf("%s: %w", verb, err)
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w: %w", verb, providers.ErrUnavailable, ctx.Err())
	case errors.Is(err, providers.ErrUnavailable):
		return fmt.Errorf("%s: %w", verb, err)
	default:
		return fmt.Errorf("%s: %w: %w", verb, providers.ErrUnavailable, err)
	}
}
