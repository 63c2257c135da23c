package store

import (
	"context"
	"fmt"
	"strings"

	"gorm.io/gorm"
)

const (
	// changesKept is how long a change is known, in microseconds: all gateways
	// have read it long since.
	changesKept = 10 * 60 * 1_000_000
	// maxChanges is how many changes are read at a time.
	maxChanges = 1000
)

// Change is something that caches must forget, in the order of its ID. Exactly
// one of SessionID and UserID is not "".
type Change struct {
	// ID is greater than that of each change before; it is never used again,
	// unless the database goes back to an older copy of itself.
	ID int64
	// SessionID is a session that has ended.
	SessionID string
	// UserID is a user of whom something has changed: the record, the username,
	// whether he is disabled, what is granted to him, or that all his sessions
	// have ended. providers.Everyone means that what is granted to everyone has.
	UserID string
	// CreatedAt is when it was, in microseconds since 1970 by the database's clock.
	// With the others it tells two changes apart that have one ID.
	CreatedAt int64
}

// record writes a change with what has changed. Its time is the database's, by
// which it is removed.
func record(tx *gorm.DB, change Change) error {
	err := tx.Exec("INSERT INTO auth_changes (session_id, user_id, created_at) VALUES (?, ?, "+clock(tx)+")",
		nullable(change.SessionID), nullable(change.UserID)).Error
	if err != nil {
		return fmt.Errorf("recording change: %w", err)
	}
	return nil
}

// Changes returns the changes with greater IDs than after, by ID, 1000 at most;
// they are known for ten minutes, and the last one for longer. What is committed
// later may have a lesser ID: who polls looks back some hundred IDs. If the
// greatest ID that he knows is not there, and he has polled within ten minutes,
// this is not the journal any more that he has read.
func (s *Store) Changes(ctx context.Context, after int64) (changes []Change, err error) {
	err = s.read(ctx, "reading changes", func(db *gorm.DB) error {
		changes = nil
		return db.Raw(changesQuery, after, maxChanges).Scan(&changes).Error
	})
	return changes, err
}

// LastChange returns the greatest ID of a change that is known, or 0: from
// there on somebody who knows nothing yet has to listen.
func (s *Store) LastChange(ctx context.Context) (id int64, err error) {
	err = s.read(ctx, "reading last change", func(db *gorm.DB) error {
		return first(db, lastChangeQuery, nil, &id)
	})
	return id, err
}

const (
	changesQuery    = "SELECT id, COALESCE(session_id, '') AS session_id, COALESCE(user_id, '') AS user_id, created_at FROM auth_changes WHERE id > ? ORDER BY id LIMIT ?"
	lastChangeQuery = "SELECT COALESCE(MAX(id), 0) FROM auth_changes"
)

// forgetChanges removes the changes that everybody has read, but for the last of
// them: so the greatest ID that somebody knows who polls is there, however long
// nothing has changed.
func forgetChanges(tx *gorm.DB) error {
	query := strings.NewReplacer("{old}", "created_at < "+clock(tx)+" - ?")
	var last int64
	// Not a subquery: MySQL reads no table that it deletes from.
	if err := first(tx, query.Replace("SELECT COALESCE(MAX(id), 0) FROM auth_changes WHERE {old}"), []any{changesKept}, &last); err != nil {
		return err
	}
	return tx.Exec(query.Replace("DELETE FROM auth_changes WHERE {old} AND id < ?"), changesKept, last).Error
}
