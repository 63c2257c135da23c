// Package store keeps accounts, sessions, sign-in attempts and permissions in
// SQL. It is the only importer of gorm, and SQLite is the one kind of database
// it opens.
//
// The tables "users" and "permissions" are the original service's: made in its
// form where they are missing, used as they are where they exist, never
// altered. Everything that is ours stands in tables named auth_…, which keep
// times as microseconds since 1970, so that no column has a time zone.
//
// Users whom the original has made are adopted: known in auth_adopted by what
// it has written of them, so that a sign-in finds its account
// (Store.FindOrCreateUser). An original may go on writing the same database;
// what it adds is adopted within minutes.
//
// Errors of a Store are providers.ErrNotFound, ErrAccountExists, those of
// usernames, and everything else, which wraps providers.ErrUnavailable: it
// cannot be told now. No error text holds an e-mail address or a secret.
package store
