package authn

import (
	"context"
	"time"

	"github.com/datahq/auth-gateway/internal/token"
	"github.com/datahq/auth-gateway/providers"
)

// Store is what authn needs of the database.
type Store interface {
	// FindOrCreateUser returns the user whom the identity belongs to and whether
	// the call made the account, which then has newUserID. provider is the
	// configured name. link says whether the identity may be joined to an
	// existing account with its (verified) address, or to an account of the
	// original service. legacy is what the original called the provider, see
	// providers.LegacyProvider, or "". An error that Config.IsAccountExists knows
	// means that the address belongs to an account that this identity must not be
	// joined to.
	FindOrCreateUser(ctx context.Context, provider string, id providers.Identity, newUserID string, link bool, legacy string) (user providers.User, created bool, err error)

	// CreateSession stores a session under the hash of its cookie, see
	// CookieHash.
	CreateSession(ctx context.Context, session providers.Session, cookieHash []byte) error

	// SessionByCookie and SessionByID return a session and its user, who may be
	// disabled. providers.ErrNotFound means that it does not exist or is over.
	SessionByCookie(ctx context.Context, cookieHash []byte) (providers.Session, providers.User, error)
	SessionByID(ctx context.Context, id string) (providers.Session, providers.User, error)

	// EndSession removes a session. One that is not there is no error, or
	// providers.ErrNotFound.
	EndSession(ctx context.Context, id string) error

	// EndUserSessions removes all sessions of a user and returns their IDs.
	EndUserSessions(ctx context.Context, userID string) (ids []string, err error)

	// AttemptPlaces returns where PutAttempt may keep an attempt now, the one to
	// try first in front; at least one.
	AttemptPlaces() []Place

	// PutAttempt keeps value, at most 64 KiB, in one place under key until
	// expires. After an error it may be there all the same, so that nobody is
	// told of the key.
	PutAttempt(ctx context.Context, place Place, key, value []byte, expires time.Time) error

	// TakeAttempt marks the value as taken and returns it. It looks in one place
	// only. Of any number of calls exactly one gets first == true. The others get
	// false, and the value if it is still there. An unknown key, or place, is
	// providers.ErrNotFound; after any other error it is not known whether the
	// value was taken, but nobody has got it.
	TakeAttempt(ctx context.Context, place Place, key []byte) (value []byte, first bool, err error)
}

// SessionSigner makes session tokens (implemented by package token).
type SessionSigner interface {
	SignSession(session token.Session) (string, error)
}
