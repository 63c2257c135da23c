package store

import (
	"errors"
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/datahq/auth-gateway/providers"
)

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

// byProviderID joins the identity to the row of the original that has it as
// its provider_id. Whoever has had several addresses at the provider has
// several such rows.
func (l login) byProviderID(tx *gorm.DB) (providers.User, error) {
	if l.providerID == "" {
		return providers.User{}, gorm.ErrRecordNotFound
	}
	found, err := adoptedBy(tx, "provider_id", l.providerID)
	if err != nil {
		return providers.User{}, err
	}
	// Byte for byte, whatever the column's collation finds equal.
	found = slices.DeleteFunc(found, func(row adoptedRow) bool { return row.ProviderID != l.providerID })
	if len(found) == 0 {
		return providers.User{}, gorm.ErrRecordNotFound
	}
	chosen := found[0]
	if l.address != "" {
		for _, fits := range []func(adoptedRow) bool{
			func(row adoptedRow) bool { return row.UserID == originalID(l.email) },
			func(row adoptedRow) bool { return row.Address != nil && *row.Address == l.address },
		} {
			if i := slices.IndexFunc(found, fits); i >= 0 {
				chosen = found[i]
				break
			}
		}
	}
	user, err := loadUser(tx, chosen.UserID)
	if err != nil {
		return providers.User{}, err
	}
	return l.join(tx, user)
}

// byAddress joins the identity to the account that was made, or joined, by way
// of its verified address. If an operator has given the account another address
// since, the old one may be somebody else's by now: it is the account's no more,
// and free.
func (l login) byAddress(tx *gorm.DB) (providers.User, error) {
	if l.address == "" {
		return providers.User{}, gorm.ErrRecordNotFound
	}
	var owner emailRow
	if err := tx.Where("address = ?", l.address).Take(&owner).Error; err != nil {
		return providers.User{}, err
	}
	user, err := l.livingUser(tx, owner.UserID)
	if err != nil {
		return providers.User{}, err
	}
	if address, _ := foldEmail(user.Email); address != "" && address != l.address {
		// Only this owner's row: who has claimed the address meanwhile keeps it.
		if err := tx.Where("address = ? AND user_id = ?", l.address, user.ID).Delete(&emailRow{}).Error; err != nil {
			return providers.User{}, err
		}
		return providers.User{}, gorm.ErrRecordNotFound
	}
	return l.join(tx, user)
}

// byOldAddress joins the identity to the row of the original that the original
// would have found by the address, or to one that has it in another spelling.
// From then on the address is the account's.
func (l login) byOldAddress(tx *gorm.DB) (providers.User, error) {
	if l.address == "" {
		return providers.User{}, gorm.ErrRecordNotFound
	}
	// By way of adoptedUser, so that a row is found which an original on the
	// same database has only just made.
	row, err := adoptedUser(tx, originalID(l.email))
	if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
		return providers.User{}, err
	}
	found, err := adoptedBy(tx, "address", l.address)
	if err != nil {
		return providers.User{}, err
	}
	if row.UserID != "" {
		found = slices.Insert(found, 0, row)
	}
	for _, row := range found {
		user, err := loadUser(tx, row.UserID)
		if errors.Is(err, gorm.ErrRecordNotFound) {
			continue
		}
		if err != nil {
			return providers.User{}, err
		}
		// An operator may have changed the address since.
		if address, _ := foldEmail(user.Email); address != l.address && user.ID != originalID(l.email) {
			continue
		}
		if err := claim(tx, &emailRow{Address: l.address, UserID: user.ID}); err != nil {
			return providers.User{}, err
		}
		return l.join(tx, user)
	}
	return providers.User{}, gorm.ErrRecordNotFound
}

// join gives the identity to an account, unless another subject of the same
// provider is there already, or was when the original service ran: the address
// has been given to somebody else since.
func (l login) join(tx *gorm.DB, user providers.User) (providers.User, error) {
	var others int64
	err := tx.Model(&identityRow{}).Where("user_id = ? AND issuer = ?", user.ID, l.identity.Issuer).Count(&others).Error
	if err != nil {
		return providers.User{}, err
	}
	if others > 0 {
		return providers.User{}, ErrAccountExists
	}
	var old adoptedRow
	err = tx.Where("user_id = ?", user.ID).Take(&old).Error
	if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
		return providers.User{}, err
	}
	if l.legacy != "" && strings.HasPrefix(old.ProviderID, l.legacy) && old.ProviderID != l.providerID {
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
