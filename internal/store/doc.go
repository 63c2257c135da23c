// Package store keeps accounts, sessions, sign-in attempts and permissions in
// SQL: SQLite, PostgreSQL, MySQL or MariaDB. It is the only importer of gorm and
// of their drivers. What differs between them is a dialect; all else is the
// same statements and the same promises (package storetest).
//
// Nothing is decided by what was read a moment ago: a unique constraint or a
// condition of the statement that writes stands behind each decision, and who
// loses a race starts over. So the transactions are READ COMMITTED everywhere.
//
// Several gateways may share a database. What their caches must forget is in
// auth_changes, written in the same transaction as the change itself
// (Store.Changes); which of them live is in auth_nodes (Store.Announce).
//
// The tables "users" and "permissions" are the original service's: made in its
// form where they are missing, used as they are where they exist, never
// altered. Everything that is ours stands in tables named auth_…, which keep
// times as microseconds since 1970, so that no column has a time zone.
//
// Users whom the original has made are adopted: known in auth_adopted by what
// it has written of them, so that a sign-in finds its account
// (Store.FindOrCreateUser). An original may go on writing the same database;
// what it adds is adopted within minutes: one of the gateways reads through all
// users, page by page, and rests nine times as long as it works.
//
// Errors of a Store are providers.ErrNotFound, ErrAccountExists, those of
// usernames, and everything else, which wraps providers.ErrUnavailable: it
// cannot be told now. No error text holds an e-mail address or a secret.
package store
