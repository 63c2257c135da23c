package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/datahq/auth-gateway/providers"
)

// maxRaces bounds how often a sign-in starts over.
const maxRaces = 10

// FindOrCreateUser returns the user whom an identity belongs to, and whether
// the call made the account (S27, S29).
//
// The account is the one that knows issuer and subject; else, if link is true
// and the address is verified, the one made by way of that address; else a new
// one with newUserID. provider is the configured name. With link false the
// identity stays apart: it neither finds an account by its address nor makes
// one that is found so. The address counts only if it is verified.
//
// Each sign-in brings provider_id, name and avatar up to date; username,
// address and join date stay (S28). A disabled user is returned as such.
//
// ErrAccountExists means that the account with that address, or with
// newUserID, must not be joined.
func (s *Store) FindOrCreateUser(ctx context.Context, provider string, id providers.Identity, newUserID string, link bool) (user providers.User, created bool, err error) {
	const verb = "finding or making user"
	if id.Issuer == "" || id.Subject == "" || newUserID == "" || len(newUserID) > 128 {
		return providers.User{}, false, wrap(ctx, verb, errors.New("issuer, subject or new user ID is missing or too long"))
	}
	login := newLogin(provider, id, newUserID, link, s.now())
	for range maxRaces {
		err = s.write(ctx, verb, func(tx *gorm.DB) (err error) {
			user, created, err = login.user(tx)
			return err
		})
		if err == nil {
			return user, created, nil
		}
		if !errors.Is(err, errRace) && !errors.Is(err, gorm.ErrDuplicatedKey) {
			break
		}
	}
	return providers.User{}, false, err
}

// login is one sign-in, in the form of the tables.
type login struct {
	identity identityRow
	profile  userRow // what each sign-in brings up to date
	email    string  // as the provider gave it; "" unless verified
	address  string  // folded; "" if accounts are not to be joined by it
	wish     string
	newID    string
	now      time.Time
}

func newLogin(provider string, id providers.Identity, newUserID string, link bool, now time.Time) login {
	now = now.UTC().Truncate(time.Microsecond)
	l := login{
		identity: identityRow{
			Issuer:      bounded(id.Issuer),
			Subject:     bounded(id.Subject),
			Provider:    clean(provider, 128),
			CreatedAt:   micros(now),
			LastLoginAt: micros(now),
		},
		profile: userRow{
			ProviderID: nullable(clean(provider+":"+id.Subject, 128)),
			Name:       nullable(clean(id.Name, 255)),
		},
		newID: newUserID,
		now:   now,
	}
	if avatar := clean(id.AvatarURL, 512); avatar == id.AvatarURL { // half a URL is none
		l.profile.AvatarURL = nullable(avatar)
	}
	if address, ok := foldEmail(id.Email); ok && id.EmailVerified {
		l.email = id.Email
		if link {
			l.address = address
		}
	}
	l.wish = id.Username
	if l.wish == "" {
		l.wish, _, _ = strings.Cut(l.email, "@")
	}
	return l
}

// user does the sign-in. Nothing is checked first and inserted later without a
// constraint behind it: whoever inserts no row has lost a race, and starts
// over. Everybody takes address, identity and username in this order, so that
// nobody waits for somebody who waits for him.
func (l login) user(tx *gorm.DB) (providers.User, bool, error) {
	user, err := l.byIdentity(tx)
	if err == nil || !errors.Is(err, gorm.ErrRecordNotFound) {
		return user, false, err
	}
	if l.address != "" {
		user, err := l.byAddress(tx)
		if err == nil || !errors.Is(err, gorm.ErrRecordNotFound) {
			return user, false, err
		}
	}
	// Rows of the original service are not joined: nobody verified their
	// addresses. This is the place for the rules of their adoption.
	user, err = l.create(tx)
	return user, err == nil, err
}

// byIdentity returns the user who is known by issuer and subject.
func (l login) byIdentity(tx *gorm.DB) (providers.User, error) {
	var row identityRow
	if err := tx.Where("issuer = ? AND subject = ?", l.identity.Issuer, l.identity.Subject).Take(&row).Error; err != nil {
		return providers.User{}, err
	}
	user, err := l.livingUser(tx, row.UserID)
	if err != nil {
		return providers.User{}, err
	}
	err = tx.Model(&row).Updates(identityRow{Provider: l.identity.Provider, LastLoginAt: l.identity.LastLoginAt}).Error
	if err != nil {
		return providers.User{}, err
	}
	return l.update(tx, user)
}

// byAddress joins the identity to the account that was made by way of its
// verified address, unless another subject of the issuer is there already:
// that address has been given to somebody else since.
func (l login) byAddress(tx *gorm.DB) (providers.User, error) {
	var owner emailRow
	if err := tx.Where("address = ?", l.address).Take(&owner).Error; err != nil {
		return providers.User{}, err
	}
	user, err := l.livingUser(tx, owner.UserID)
	if err != nil {
		return providers.User{}, err
	}
	var others int64
	err = tx.Model(&identityRow{}).Where("user_id = ? AND issuer = ?", user.ID, l.identity.Issuer).Count(&others).Error
	if err != nil {
		return providers.User{}, err
	}
	if others > 0 {
		return providers.User{}, ErrAccountExists
	}
	l.identity.UserID = user.ID
	if err := claim(tx, &l.identity); err != nil {
		return providers.User{}, err
	}
	return l.update(tx, user)
}

// livingUser returns the user whom our tables name. If an operator has deleted
// the row, what we know of the user is forgotten too, and the answer is
// gorm.ErrRecordNotFound.
func (l login) livingUser(tx *gorm.DB, id string) (providers.User, error) {
	user, err := loadUser(tx, id)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		if err := forget(tx, id); err != nil {
			return providers.User{}, err
		}
	}
	return user, err
}

// update writes what each sign-in brings up to date.
func (l login) update(tx *gorm.DB, user providers.User) (providers.User, error) {
	user.ProviderID = *l.profile.ProviderID
	if l.profile.Name != nil {
		user.Name = *l.profile.Name
	}
	if l.profile.AvatarURL != nil {
		user.AvatarURL = *l.profile.AvatarURL
	}
	// Updates passes over what is nil.
	return user, tx.Model(&userRow{}).Where("id = ?", user.ID).Updates(l.profile).Error
}

// create makes a new account.
func (l login) create(tx *gorm.DB) (providers.User, error) {
	if _, err := loadUser(tx, l.newID); err == nil {
		return providers.User{}, ErrAccountExists
	} else if !errors.Is(err, gorm.ErrRecordNotFound) {
		return providers.User{}, err
	}
	// An ID that is made of the address may have belonged to a deleted user,
	// whose sessions must not come to life again.
	if err := forget(tx, l.newID); err != nil {
		return providers.User{}, err
	}
	if l.address != "" {
		if err := claim(tx, &emailRow{Address: l.address, UserID: l.newID}); err != nil {
			return providers.User{}, err
		}
	}
	l.identity.UserID = l.newID
	if err := claim(tx, &l.identity); err != nil {
		return providers.User{}, err
	}
	username, err := claimUsername(tx, l.newID, l.wish)
	if err != nil {
		return providers.User{}, err
	}
	row := l.profile
	row.ID, row.Username, row.Email, row.JoinDate = l.newID, &username, nullable(l.email), joinDate{l.now}
	if err := claim(tx, &row); err != nil {
		return providers.User{}, err
	}
	if err := claim(tx, &accountRow{UserID: l.newID, CreatedAt: micros(l.now)}); err != nil {
		return providers.User{}, err
	}
	return (&userScan{row: row}).user(), nil
}

// claim inserts a row; errRace if a constraint is in the way.
func claim[T any](tx *gorm.DB, row *T) error {
	inserted := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(row)
	if inserted.Error == nil && inserted.RowsAffected == 0 {
		return fmt.Errorf("claiming a row of %s: %w", inserted.Statement.Table, errRace)
	}
	return inserted.Error
}

// forget removes what our tables know of a user.
func forget(tx *gorm.DB, userID string) error {
	for _, row := range []any{&emailRow{}, &identityRow{}, &usernameRow{}, &accountRow{}, &sessionRow{}} {
		if err := tx.Where("user_id = ?", userID).Delete(row).Error; err != nil {
			return err
		}
	}
	return nil
}
