package store

import (
	"context"
	"errors"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/datahq/auth-gateway/providers"
)

// userRow is a row of the original's table. Adopted rows may have NULL in any
// column but the first.
type userRow struct {
	ID         string `gorm:"primaryKey"`
	ProviderID *string
	Username   *string
	Name       *string
	Email      *string
	AvatarURL  *string
	JoinDate   joinDate
}

func (userRow) TableName() string { return "users" }

// accountRow is what we add to a user. Whoever has one, and no adoptedRow, was
// made by us.
type accountRow struct {
	UserID     string `gorm:"primaryKey"`
	DisabledAt *int64
	CreatedAt  int64 `gorm:"autoCreateTime:false"`
}

func (accountRow) TableName() string { return "auth_accounts" }

// userColumns are what a userScan receives, of users u with userAccount.
const (
	userColumns = "u.id, u.provider_id, u.username, u.name, u.email, u.avatar_url, u.join_date, a.disabled_at"
	userAccount = " LEFT JOIN auth_accounts a ON a.user_id = u.id "
)

// userScan receives userColumns.
type userScan struct {
	row        userRow
	disabledAt *int64
}

func (s *userScan) dest() []any {
	return []any{&s.row.ID, &s.row.ProviderID, &s.row.Username, &s.row.Name, &s.row.Email, &s.row.AvatarURL, &s.row.JoinDate, &s.disabledAt}
}

func (s *userScan) user() providers.User {
	text := func(p *string) string {
		if p == nil {
			return ""
		}
		return *p
	}
	return providers.User{
		ID:         s.row.ID,
		ProviderID: text(s.row.ProviderID),
		Username:   text(s.row.Username),
		Name:       text(s.row.Name),
		Email:      text(s.row.Email),
		AvatarURL:  text(s.row.AvatarURL),
		JoinDate:   s.row.JoinDate.Time,
		Disabled:   s.disabledAt != nil,
	}
}

// loadUser returns a user in a transaction; gorm.ErrRecordNotFound if there is
// none.
func loadUser(db *gorm.DB, id string) (providers.User, error) {
	var scan userScan
	if err := first(db, userQuery, []any{id}, scan.dest()...); err != nil {
		return providers.User{}, err
	}
	return scan.user(), nil
}

// User returns a user, or providers.ErrNotFound.
func (s *Store) User(ctx context.Context, id string) (providers.User, error) {
	var scan userScan
	err := s.read(ctx, "reading user", func(db *gorm.DB) error {
		return one(db, s.statements.user, []any{id}, scan.dest()...)
	})
	if err != nil {
		return providers.User{}, err
	}
	return scan.user(), nil
}

// UserByUsername returns the user who has a username, whatever its case, or
// providers.ErrNotFound.
func (s *Store) UserByUsername(ctx context.Context, username string) (providers.User, error) {
	var scan userScan
	err := s.read(ctx, "reading user by username", func(db *gorm.DB) error {
		return first(db, usernameQuery, []any{usernameKey(username)}, scan.dest()...)
	})
	if err != nil {
		return providers.User{}, err
	}
	return scan.user(), nil
}

// SetDisabled disables or enables a user; providers.ErrNotFound if there is
// none. It does not end sessions.
func (s *Store) SetDisabled(ctx context.Context, userID string, disabled bool) error {
	return s.write(ctx, "disabling user", func(tx *gorm.DB) error {
		if _, err := loadUser(tx, userID); err != nil {
			return err
		}
		// Before there is a row of ours, by which a user counts as made by us.
		if _, err := adoptedUser(tx, userID); err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
			return err
		}
		now := micros(s.now())
		account := accountRow{UserID: userID, CreatedAt: now}
		if disabled {
			account.DisabledAt = &now
		}
		err := tx.Clauses(clause.OnConflict{
			Columns:   []clause.Column{{Name: "user_id"}},
			DoUpdates: clause.AssignmentColumns([]string{"disabled_at"}),
		}).Create(&account).Error
		if err != nil {
			return err
		}
		return record(tx, Change{UserID: userID})
	})
}
