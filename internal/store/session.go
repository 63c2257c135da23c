package store

import (
	"context"
	"encoding/hex"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/datahq/auth-gateway/providers"
)

// sessionRow is a session that has not been ended.
type sessionRow struct {
	ID                string `gorm:"primaryKey"`
	UserID            string
	CookieHash        *string // hexadecimal
	Provider          string
	ProviderSessionID *string
	CreatedAt         int64 `gorm:"autoCreateTime:false"`
	LastSeenAt        int64
	ExpiresAt         int64
}

func (sessionRow) TableName() string { return "auth_sessions" }

// CreateSession stores a session, with the hash of the cookie that leads to it
// if it has one (ruling 3); the hash is at most 64 bytes. A ProviderSessionID
// longer than 255 bytes is kept as a hash. Times are kept to the microsecond.
func (s *Store) CreateSession(ctx context.Context, session providers.Session, cookieHash []byte) error {
	row := sessionRow{
		ID:                session.ID,
		UserID:            session.UserID,
		CookieHash:        nullable(hex.EncodeToString(cookieHash)),
		Provider:          clean(session.Provider, 128),
		ProviderSessionID: nullable(bounded(session.ProviderSessionID)),
		CreatedAt:         micros(session.CreatedAt),
		LastSeenAt:        micros(session.LastSeenAt),
		ExpiresAt:         micros(session.ExpiresAt),
	}
	return s.write(ctx, "storing session", func(tx *gorm.DB) error { return tx.Create(&row).Error })
}

// SessionByID returns a session and its user. providers.ErrNotFound means that
// the session does not exist, is over, or that its user is gone; a disabled
// user is returned as such.
func (s *Store) SessionByID(ctx context.Context, id string) (providers.Session, providers.User, error) {
	return s.session(ctx, s.statements.sessionByID, id)
}

// SessionByCookie is SessionByID for the hash that CreateSession was given.
func (s *Store) SessionByCookie(ctx context.Context, cookieHash []byte) (providers.Session, providers.User, error) {
	return s.session(ctx, s.statements.sessionByCookie, hex.EncodeToString(cookieHash))
}

func (s *Store) session(ctx context.Context, statement statement, key string) (providers.Session, providers.User, error) {
	var (
		row  sessionRow
		user userScan
	)
	dest := append([]any{
		&row.ID, &row.UserID, &row.Provider, &row.ProviderSessionID, &row.CreatedAt, &row.LastSeenAt, &row.ExpiresAt,
	}, user.dest()...)
	err := s.read(ctx, "reading session", func(db *gorm.DB) error {
		return one(db, statement, []any{micros(s.now()), key}, dest...)
	})
	if err != nil {
		return providers.Session{}, providers.User{}, err
	}
	session := providers.Session{
		ID:         row.ID,
		UserID:     row.UserID,
		Provider:   row.Provider,
		CreatedAt:  fromMicros(row.CreatedAt),
		LastSeenAt: fromMicros(row.LastSeenAt),
		ExpiresAt:  fromMicros(row.ExpiresAt),
	}
	if row.ProviderSessionID != nil {
		session.ProviderSessionID = *row.ProviderSessionID
	}
	return session, user.user(), nil
}

// TouchSession records when a session was last used; never an earlier time
// than is known. A session that is gone stays gone, without an error.
func (s *Store) TouchSession(ctx context.Context, id string, seen time.Time) error {
	return s.write(ctx, "touching session", func(tx *gorm.DB) error {
		return tx.Model(&sessionRow{}).Where("id = ? AND last_seen_at < ?", id, micros(seen)).
			Update("last_seen_at", micros(seen)).Error
	})
}

// EndSession removes a session. One that is not there is no error.
func (s *Store) EndSession(ctx context.Context, id string) error {
	return s.write(ctx, "ending session", func(tx *gorm.DB) error {
		ended := tx.Where("id = ?", id).Delete(&sessionRow{})
		if ended.Error != nil || ended.RowsAffected == 0 {
			return ended.Error
		}
		return record(tx, Change{SessionID: id})
	})
}

// EndUserSessions removes all sessions of a user and returns their IDs.
func (s *Store) EndUserSessions(ctx context.Context, userID string) (ids []string, err error) {
	err = s.write(ctx, "ending sessions of user", func(tx *gorm.DB) error {
		ids = nil
		err := tx.Model(&sessionRow{}).Where("user_id = ?", userID).Pluck("id", &ids).Error
		if err != nil || len(ids) == 0 {
			return err
		}
		// By ID: a session opened meanwhile is not to vanish unreported.
		for chunk := range slices.Chunk(ids, 500) {
			if err := tx.Where("id IN ?", chunk).Delete(&sessionRow{}).Error; err != nil {
				return err
			}
		}
		return record(tx, Change{UserID: userID})
	})
	if err != nil {
		return nil, err
	}
	return ids, nil
}
