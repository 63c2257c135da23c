// Package storetest is the contract of package store, as a suite that runs
// against each kind of database.
package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/providers"
)

// Store is what the suite tests: the methods of *store.Store.
type Store interface {
	FindOrCreateUser(ctx context.Context, provider string, id providers.Identity, newUserID string, link bool, legacy string) (user providers.User, created bool, err error)
	User(ctx context.Context, id string) (providers.User, error)
	UserByUsername(ctx context.Context, username string) (providers.User, error)
	UserByEmail(ctx context.Context, email string) (providers.User, error)
	Users(ctx context.Context, query string, limit int) ([]providers.User, error)
	SetDisabled(ctx context.Context, userID string, disabled bool) error

	ChooseUsername(ctx context.Context, userID, username string, keepCase bool) error
	UsernameChosen(ctx context.Context, userID string) (display string, chosen bool, err error)

	Grants(ctx context.Context, userID, service string) (providers.Permissions, error)
	SetGrant(ctx context.Context, userID, service, permission string, value any) error
	RemoveGrant(ctx context.Context, userID, service, permission string) error
	ListGrants(ctx context.Context, userID, service string) ([]store.Grant, error)

	CreateSession(ctx context.Context, session providers.Session, cookieHash []byte) error
	SessionByID(ctx context.Context, id string) (providers.Session, providers.User, error)
	SessionByCookie(ctx context.Context, cookieHash []byte) (providers.Session, providers.User, error)
	TouchSession(ctx context.Context, id string, seen time.Time) error
	EndSession(ctx context.Context, id string) error
	EndUserSessions(ctx context.Context, userID string) (ids []string, err error)

	PutAttempt(ctx context.Context, key, value []byte, expires time.Time) error
	TakeAttempt(ctx context.Context, key []byte) (value []byte, first bool, err error)

	Changes(ctx context.Context, after int64) ([]store.Change, error)
	LastChange(ctx context.Context) (int64, error)
	Announce(ctx context.Context, node store.Node, ttl time.Duration) (others []store.Node, err error)
	Leave(ctx context.Context, id string) error

	Ping(ctx context.Context) error
	Close() error
}

// Run tests one kind of database. open returns a Store on a new, empty
// database and closes it when the test ends.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for _, group := range []struct {
		name  string
		tests []test
	}{
		{"accounts", accountTests},
		{"linking", linkTests},
		{"usernames", usernameTests},
		{"choices", choiceTests},
		{"search", searchTests},
		{"grants", grantTests},
		{"sessions", sessionTests},
		{"attempts", attemptTests},
		{"changes", changeTests},
		{"nodes", nodeTests},
		{"races", raceTests},
		{"errors", errorTests},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, test := range group.tests {
				t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
			}
		})
	}
}

type test struct {
	name string
	run  func(t *testing.T, s Store)
}

// moshe is somebody who signs in by Google.
func moshe() providers.Identity {
	return providers.Identity{
		Issuer: "https://accounts.google.com", Subject: "1234",
		Email: "Moshe@Example.com", EmailVerified: true,
		Name: "Moshe Cohen", AvatarURL: "https://pictures.example/moshe.png",
	}
}

// person is somebody with a subject and a wished-for username.
func person(subject, username string) providers.Identity {
	return providers.Identity{Issuer: "https://github.com", Subject: subject, Username: username}
}

// signIn makes or finds an account, with linking on.
func signIn(t *testing.T, s Store, provider string, id providers.Identity, newUserID string) (providers.User, bool) {
	t.Helper()
	user, created, err := s.FindOrCreateUser(t.Context(), provider, id, newUserID, true, "")
	if err != nil {
		t.Fatalf("signing in: %v", err)
	}
	return user, created
}
