package store

import (
	"context"
	"database/sql"
	"fmt"

	"gorm.io/gorm"
)

// statements are the queries that each miss of a cache makes, prepared: their
// parsing costs several times what running them does. (gorm's own PrepareStmt
// keeps a goroutine for ever, and lets one call's cancelled context fail
// another's.)
type statements struct {
	user            *sql.Stmt // by ID
	sessionByID     *sql.Stmt // and the time
	sessionByCookie *sql.Stmt // and the time
	grants          *sql.Stmt // by user ID and service
}

const (
	userQuery     = "SELECT " + userColumns + " FROM users u" + userAccount + "WHERE u.id = ?"
	usernameQuery = "SELECT " + userColumns + " FROM auth_usernames n JOIN users u ON u.id = n.user_id" + userAccount + "WHERE n.folded = ?"
	sessionQuery  = "SELECT s.id, s.user_id, s.provider, s.provider_session_id, s.created_at, s.last_seen_at, s.expires_at, " + userColumns +
		" FROM auth_sessions s JOIN users u ON u.id = s.user_id" + userAccount + "WHERE s.expires_at > ? AND "
	grantsQuery = "SELECT permissions FROM permissions WHERE userid = ? AND service = ?"
)

// prepare prepares the statements; they last as long as the database is open.
func prepare(ctx context.Context, db *gorm.DB) (statements, error) {
	pool, err := db.DB()
	if err != nil {
		return statements{}, err
	}
	var s statements
	for query, statement := range map[string]**sql.Stmt{
		userQuery:                          &s.user,
		sessionQuery + "s.id = ?":          &s.sessionByID,
		sessionQuery + "s.cookie_hash = ?": &s.sessionByCookie,
		grantsQuery:                        &s.grants,
	} {
		// By way of gorm for the database's own placeholders.
		query = db.Raw(query, "", "").Statement.SQL.String()
		if *statement, err = pool.PrepareContext(ctx, query); err != nil {
			return statements{}, fmt.Errorf("preparing queries: %w", err)
		}
	}
	return s, nil
}

// one reads the row of a prepared query; gorm.ErrRecordNotFound if there is none.
func one(ctx context.Context, statement *sql.Stmt, args []any, dest ...any) error {
	rows, err := statement.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	return scanFirst(rows, dest...)
}

// first reads the first row of a query; gorm.ErrRecordNotFound if there is none.
func first(db *gorm.DB, query string, args []any, dest ...any) error {
	rows, err := db.Raw(query, args...).Rows()
	if err != nil {
		return err
	}
	return scanFirst(rows, dest...)
}

func scanFirst(rows *sql.Rows, dest ...any) error {
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return gorm.ErrRecordNotFound
	}
	if err := rows.Scan(dest...); err != nil {
		return err
	}
	return rows.Close()
}
