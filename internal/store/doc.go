// Package store keeps accounts, sessions and sign-in attempts in SQL. It is
// the only importer of gorm, and SQLite is the one kind of database it opens.
//
// The tables "users" and "permissions" are the original service's: made in its
// form where they are missing, used as they are where they exist, never
// altered. Everything that is ours stands in tables named auth_…, which keep
// times as microseconds since 1970, so that no column has a time zone.
//
// Errors of a Store are three: providers.ErrNotFound, ErrAccountExists, and
// everything else, which wraps providers.ErrUnavailable: it cannot be told now.
// No error text holds an e-mail address or a secret.
package store
