package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/datahq/auth-gateway/providers"
)

// searchTimeout bounds a search, if its context does not.
const searchTimeout = 5 * time.Minute

var likeEscaper = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

// Users returns the users in whose ID, provider_id, username, name or e-mail
// address a text occurs, whatever its case, in the order in which they joined;
// "" is in all of them. limit is how many at most, and below 1 there is no
// limit. It reads the whole table: it is for the command line.
func (s *Store) Users(ctx context.Context, query string, limit int) (users []providers.User, err error) {
	const verb = "reading users"
	var (
		matches []string
		args    []any
	)
	pattern := "%" + likeEscaper.Replace(strings.ToLower(clean(query, 255))) + "%"
	for _, column := range []string{"id", "provider_id", "username", "name", "email"} {
		matches = append(matches, "LOWER(u."+column+") LIKE ? ESCAPE '!'")
		args = append(args, pattern)
	}
	statement := "SELECT " + userColumns + " FROM users u" + userAccount +
		"WHERE " + strings.Join(matches, " OR ") + " ORDER BY " + oldestFirst
	if limit > 0 {
		statement += " LIMIT ?"
		args = append(args, limit)
	}
	// The whole table takes its time.
	ctx, cancel := withTimeout(ctx, searchTimeout)
	defer cancel()
	err = s.read(ctx, verb, func(db *gorm.DB) error {
		users = nil
		rows, err := db.Raw(statement, args...).Rows()
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var scan userScan
			if err := rows.Scan(scan.dest()...); err != nil {
				return err
			}
			users = append(users, scan.user())
		}
		return errors.Join(rows.Err(), rows.Close())
	})
	if err != nil {
		return nil, err
	}
	return users, nil
}

// UserByEmail returns the user whom a sign-in with that address, verified,
// would lead to by it: the one it was verified for or else one of the original
// service, see FindOrCreateUser. providers.ErrNotFound means that there is
// none. Users whose identity provider's addresses prove nothing
// (providers.AccountSeparator) are not found by them.
func (s *Store) UserByEmail(ctx context.Context, email string) (providers.User, error) {
	const verb = "reading user by address"
	address, ok := foldEmail(email)
	if !ok {
		return providers.User{}, wrap(ctx, verb, providers.ErrNotFound)
	}
	var scan userScan
	err := s.read(ctx, verb, func(db *gorm.DB) (err error) {
		for _, way := range []struct{ query, arg string }{
			{emailQuery, address}, {originalIDQuery, originalID(email)}, {oldAddressQuery, address},
		} {
			scan = userScan{}
			if err = first(db, way.query, []any{way.arg}, scan.dest()...); !errors.Is(err, gorm.ErrRecordNotFound) {
				break
			}
		}
		return err
	})
	if err != nil {
		return providers.User{}, err
	}
	return scan.user(), nil
}
