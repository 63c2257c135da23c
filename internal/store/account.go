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

// FindOrCreateUser returns the user whom an identity belongs to, and whether
// the call made the account (S27, S29). The account is the first of these:
//
//   - the one that knows issuer and subject;
//   - a row of the original service with the provider_id "google:1234", where
//     legacy is "google" and the subject "1234". legacy is the name that the
//     original had for what the identity's issuer really is, "" for none
//     (ruling 12);
//   - the one that was made by way of the identity's address;
//   - a row of the original whose ID is the MD5 of the address as the provider
//     gave it, or whose e-mail address it is, whatever its case;
//   - a new one with newUserID.
//
// Of several rows of the original that fit, it is the one that the address
// leads to as well, then the one that joined first. Then issuer and subject
// lead there for ever.
//
// An address counts only if it is verified. With link false the identity
// stays apart: it finds its own account or makes a new one, which nobody is
// joined to by its address. provider is the configured name.
//
// Each sign-in brings provider_id, name and avatar up to date; ID, username,
// address and join date stay (S28): a user of the original who has no username
// is not given one. A disabled user is returned as such.
//
// ErrAccountExists means that the account with that address, or with
// newUserID, must not be joined.
func (s *Store) FindOrCreateUser(ctx context.Context, provider string, id providers.Identity, newUserID string, link bool, legacy string) (user providers.User, created bool, err error) {
	const verb = "finding or making user"
	if id.Issuer == "" || id.Subject == "" || newUserID == "" || len(newUserID) > 128 {
		return providers.User{}, false, wrap(ctx, verb, errors.New("issuer, subject or new user ID is missing or too long"))
	}
	login := newLogin(provider, id, newUserID, link, legacy, s.now())
	refused := false
	err = s.compete(ctx, verb, func(tx *gorm.DB) (err error) {
		user, created, err = login.user(tx)
		if errors.Is(err, ErrAccountExists) && !refused {
			// Perhaps by the same person's other sign-in, which was committed while
			// this one looked around. Then he is known by now.
			refused = true
			return errRace
		}
		return err
	})
	if err != nil {
		return providers.User{}, false, err
	}
	return user, created, nil
}

// login is one sign-in, in the form of the tables.
type login struct {
	identity   identityRow
	profile    userRow // what each sign-in brings up to date
	email      string  // as the provider gave it; "" unless verified
	address    string  // folded; "" if accounts are not to be joined by it
	legacy     string  // with a colon; "" for none
	providerID string  // as the original service wrote it; "" for none
	wish       string
	newID      string
	now        time.Time
}

func newLogin(provider string, id providers.Identity, newUserID string, link bool, legacy string, now time.Time) login {
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
	if link && legacy != "" {
		l.legacy = legacy + ":"
		l.providerID = bounded(l.legacy + id.Subject)
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
	for _, find := range []func(*gorm.DB) (providers.User, error){
		l.byIdentity, l.byProviderID, l.byAddress, l.byOldAddress,
	} {
		user, err := find(tx)
		if err == nil || !errors.Is(err, gorm.ErrRecordNotFound) {
			return user, false, err
		}
	}
	user, err := l.create(tx)
	return user, err == nil, err
}

// update writes what each sign-in brings up to date, if it has changed.
func (l login) update(tx *gorm.DB, user providers.User) (providers.User, error) {
	before := user
	user.ProviderID = *l.profile.ProviderID
	if l.profile.Name != nil {
		user.Name = *l.profile.Name
	}
	if l.profile.AvatarURL != nil {
		user.AvatarURL = *l.profile.AvatarURL
	}
	if user == before {
		return user, nil
	}
	// Updates passes over what is nil.
	if err := tx.Model(&userRow{}).Where("id = ?", user.ID).Updates(l.profile).Error; err != nil {
		return user, err
	}
	return user, record(tx, Change{UserID: user.ID})
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
	for _, row := range []any{&emailRow{}, &identityRow{}, &usernameRow{}, &accountRow{}, &adoptedRow{}} {
		if err := tx.Where("user_id = ?", userID).Delete(row).Error; err != nil {
			return err
		}
	}
	ended := tx.Where("user_id = ?", userID).Delete(&sessionRow{})
	if ended.Error != nil || ended.RowsAffected == 0 {
		return ended.Error
	}
	return record(tx, Change{UserID: userID})
}
