package store

import (
	"context"
	"errors"
	"strings"

	"gorm.io/gorm"

	"github.com/datahq/auth-gateway/providers"
)

var likeEscaper = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

// Users returns the users in whose ID, provider_id, username, name or e-mail
// address a text occurs, whatever its case, in the order in which they joined;
// "" is in all of them. limit is how many at most, and below 1 there is no
// limit. It reads the whole table: it is for the command line.
func (s *Store) Users(ctx context.Context, query string, limit int) ([]providers.User, error) {
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
	rows, err := s.db.WithContext(ctx).Raw(statement, args...).Rows()
	if err != nil {
		return nil, wrap(ctx, verb, err)
	}
	defer rows.Close()
	var users []providers.User
	for rows.Next() {
		var scan userScan
		if err := rows.Scan(scan.dest()...); err != nil {
			return nil, wrap(ctx, verb, err)
		}
		users = append(users, scan.user())
	}
	return users, wrap(ctx, verb, errors.Join(rows.Err(), rows.Close()))
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
	const users = "SELECT " + userColumns + " FROM users u" + userAccount
	for _, way := range []struct {
		query string
		arg   string
	}{
		{users + "JOIN auth_emails e ON e.user_id = u.id WHERE e.address = ?", address},
		{users + "LEFT JOIN auth_adopted o ON o.user_id = u.id WHERE u.id = ? AND (o.user_id IS NOT NULL OR a.user_id IS NULL)", originalID(email)},
		{users + "JOIN auth_adopted o ON o.user_id = u.id WHERE o.address = ? ORDER BY " + oldestFirst, address},
	} {
		var scan userScan
		err := first(s.db.WithContext(ctx), way.query, []any{way.arg}, scan.dest()...)
		if err == nil {
			return scan.user(), nil
		}
		if !errors.Is(err, gorm.ErrRecordNotFound) {
			return providers.User{}, wrap(ctx, verb, err)
		}
	}
	return providers.User{}, wrap(ctx, verb, providers.ErrNotFound)
}
