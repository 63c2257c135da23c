package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm"
)

// statements are the queries that each miss of a cache makes.
type statements struct {
	user            statement // by ID
	sessionByID     statement // and the time
	sessionByCookie statement // and the time
	grants          statement // by user ID and service
}

// statement is a query. It is prepared where parsing costs several times what
// running it does. (gorm's own PrepareStmt keeps a goroutine for ever, and lets
// one call's cancelled context fail another's.)
type statement struct {
	text     string
	prepared *sql.Stmt // nil if the driver does so itself, or need not
}

func (s statement) query(db *gorm.DB, args []any) (*sql.Rows, error) {
	ctx := db.Statement.Context
	if s.prepared != nil {
		return s.prepared.QueryContext(ctx, args...)
	}
	return db.Statement.ConnPool.QueryContext(ctx, s.text, args...)
}

const (
	userQuery     = "SELECT " + userColumns + " FROM users u" + userAccount + "WHERE u.id = ?"
	usernameQuery = "SELECT " + userColumns + " FROM auth_usernames n JOIN users u ON u.id = n.user_id" + userAccount + "WHERE n.folded = ?"
	// The three ways in which UserByEmail looks.
	emailQuery      = "SELECT " + userColumns + " FROM users u" + userAccount + "JOIN auth_emails e ON e.user_id = u.id WHERE e.address = ?"
	originalIDQuery = "SELECT " + userColumns + " FROM users u" + userAccount + "LEFT JOIN auth_adopted o ON o.user_id = u.id WHERE u.id = ? AND (o.user_id IS NOT NULL OR a.user_id IS NULL)"
	oldAddressQuery = "SELECT " + userColumns + " FROM users u" + userAccount + "JOIN auth_adopted o ON o.user_id = u.id WHERE o.address = ? ORDER BY " + oldestFirst
	sessionQuery    = "SELECT s.id, s.user_id, s.provider, s.provider_session_id, s.created_at, s.last_seen_at, s.expires_at, " + userColumns +
		" FROM auth_sessions s JOIN users u ON u.id = s.user_id" + userAccount + "WHERE s.expires_at > ? AND "
	grantsQuery = "SELECT permissions FROM permissions WHERE userid = ? AND service = ?"
)

// prepare makes the statements; they last as long as the database is open.
func prepare(ctx context.Context, db *gorm.DB, d dialect) (statements, error) {
	var all statements
	for query, s := range map[string]*statement{
		userQuery:                          &all.user,
		sessionQuery + "s.id = ?":          &all.sessionByID,
		sessionQuery + "s.cookie_hash = ?": &all.sessionByCookie,
		grantsQuery:                        &all.grants,
	} {
		// By way of gorm for the database's own placeholders.
		s.text = db.Raw(query, "", "").Statement.SQL.String()
		if !d.prepares {
			continue
		}
		var err error
		if s.prepared, err = d.pool.PrepareContext(ctx, s.text); err != nil {
			return statements{}, fmt.Errorf("preparing queries: %w", err)
		}
	}
	return all, nil
}

// one reads the row of a statement; gorm.ErrRecordNotFound if there is none.
func one(db *gorm.DB, s statement, args []any, dest ...any) error {
	if !storable(args) {
		return gorm.ErrRecordNotFound
	}
	rows, err := s.query(db, args)
	if err != nil {
		return err
	}
	return scanFirst(rows, dest...)
}

// first reads the first row of a query; gorm.ErrRecordNotFound if there is none.
func first(db *gorm.DB, query string, args []any, dest ...any) error {
	if !storable(args) {
		return gorm.ErrRecordNotFound
	}
	rows, err := db.Raw(query, args...).Rows()
	if err != nil {
		return err
	}
	return scanFirst(rows, dest...)
}

// storable says whether there can be rows with such values: some databases
// refuse to compare with what is no text.
func storable(args []any) bool {
	for _, arg := range args {
		if text, ok := arg.(string); ok && (!utf8.ValidString(text) || strings.ContainsRune(text, 0)) {
			return false
		}
	}
	return true
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
