package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/datahq/auth-gateway/providers"
)

// grantRow is a row of os-conductor's table. Services write it themselves,
// too.
type grantRow struct {
	UserID      string  `gorm:"column:userid;primaryKey"`
	Service     string  `gorm:"primaryKey"`
	Permissions *string // a JSON object
}

func (grantRow) TableName() string { return "permissions" }

// Grant is what is granted to a user in a service.
type Grant struct {
	// UserID is a user's ID, or providers.Everyone.
	UserID string
	// Service is the name of the service.
	Service string
	// Permissions is never empty.
	Permissions providers.Permissions
}

// values returns the permissions of a row as they are written there. NULL, the
// empty text and null are none; whatever else is no object is ErrGrant, whose
// text names the row and does not repeat what stands in it.
func (r grantRow) values() (map[string]json.RawMessage, error) {
	var values map[string]json.RawMessage
	if r.Permissions != nil && *r.Permissions != "" {
		if err := json.Unmarshal([]byte(*r.Permissions), &values); err != nil {
			return nil, fmt.Errorf("permissions of user %q in service %q: %w", r.UserID, r.Service, ErrGrant)
		}
	}
	if values == nil {
		values = make(map[string]json.RawMessage)
	}
	return values, nil
}

// permissions is values for those who only read; nil for none.
func (r grantRow) permissions() (providers.Permissions, error) {
	values, err := r.values()
	if err != nil || len(values) == 0 {
		return nil, err
	}
	permissions := make(providers.Permissions, len(values))
	for name, text := range values {
		var value any
		if err := json.Unmarshal(text, &value); err != nil { // a number beyond float64
			return nil, fmt.Errorf("permissions of user %q in service %q: %w", r.UserID, r.Service, ErrGrant)
		}
		permissions[name] = value
	}
	return permissions, nil
}

// Grants implements providers.GrantStore: what is granted to a user ID, or to
// providers.Everyone, in a service; nil means nothing. An entry that holds no
// JSON object is ErrGrant, which wraps providers.ErrUnavailable here as
// everywhere: it cannot be told what is granted.
func (s *Store) Grants(ctx context.Context, userID, service string) (providers.Permissions, error) {
	row := grantRow{UserID: userID, Service: service}
	var permissions providers.Permissions
	err := s.read(ctx, "reading permissions", func(db *gorm.DB) error {
		err := one(db, s.statements.grants, []any{userID, service}, &row.Permissions)
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return nil
		}
		if err == nil {
			permissions, err = row.permissions()
		}
		return err
	})
	return permissions, err
}

// SetGrant grants a permission to a user ID, or to providers.Everyone, in a
// service, with a value that encoding/json can write: true, or a number such
// as a limit. What else is granted stays as it is written. It does not ask
// whether there is such a user or service.
func (s *Store) SetGrant(ctx context.Context, userID, service, permission string, value any) error {
	const verb = "granting"
	if userID == "" || service == "" || permission == "" {
		return errors.New("granting: user ID, service or permission is missing")
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("granting %q: %w", permission, err)
	}
	return s.changeGrant(ctx, verb, userID, service, func(values map[string]json.RawMessage) error {
		values[permission] = text
		return nil
	})
}

// RemoveGrant takes a permission from a user ID, or from providers.Everyone, in
// a service, and with "" all of them. providers.ErrNotFound means that nothing
// of that was granted. What is granted to everyone cannot be taken from one
// user by it: grant him false.
func (s *Store) RemoveGrant(ctx context.Context, userID, service, permission string) error {
	const verb = "revoking"
	if permission != "" {
		return s.changeGrant(ctx, verb, userID, service, func(values map[string]json.RawMessage) error {
			if _, granted := values[permission]; !granted {
				return gorm.ErrRecordNotFound
			}
			delete(values, permission)
			return nil
		})
	}
	// Whatever stands there: this is how a malformed entry is got rid of.
	return s.write(ctx, verb, func(tx *gorm.DB) error {
		deleted := tx.Where("userid = ? AND service = ?", userID, service).Delete(&grantRow{})
		if deleted.Error == nil && deleted.RowsAffected == 0 {
			return gorm.ErrRecordNotFound
		}
		if deleted.Error != nil {
			return deleted.Error
		}
		return record(tx, Change{UserID: userID})
	})
}

// changeGrant changes the values of a row, which is made or removed as needed.
// It changes what it has read or nothing, and else starts over: others write
// the table as well.
func (s *Store) changeGrant(ctx context.Context, verb, userID, service string, change func(map[string]json.RawMessage) error) error {
	return s.compete(ctx, verb, func(tx *gorm.DB) error {
		row := grantRow{UserID: userID, Service: service}
		err := first(tx, grantsQuery, []any{userID, service}, &row.Permissions)
		missing := errors.Is(err, gorm.ErrRecordNotFound)
		if err != nil && !missing {
			return err
		}
		values, err := row.values()
		if err != nil {
			return err
		}
		if err := change(values); err != nil {
			return err
		}
		text, err := encodeGrant(values)
		if err != nil {
			return err
		}
		// No ON CONFLICT: an adopted table may lack the constraint.
		if missing {
			if err := tx.Create(&grantRow{UserID: userID, Service: service, Permissions: &text}).Error; err != nil {
				return err
			}
			return record(tx, Change{UserID: userID})
		}
		same := tx.Model(&grantRow{}).Where("userid = ? AND service = ?", userID, service)
		if row.Permissions == nil {
			same = same.Where("permissions IS NULL")
		} else {
			same = same.Where("permissions = ?", *row.Permissions)
		}
		switch {
		case len(values) == 0:
			err = changed(same.Delete(&grantRow{}))
		case row.Permissions != nil && *row.Permissions == text:
			return nil
		default:
			err = changed(same.Update("permissions", text))
		}
		if err != nil {
			return err
		}
		return record(tx, Change{UserID: userID})
	})
}

// encodeGrant writes a row's object as other programs would: no escapes for
// HTML's sake, keys sorted.
func encodeGrant(values map[string]json.RawMessage) (string, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(values)
	return string(bytes.TrimSpace(text.Bytes())), err
}

// ListGrants returns what is granted to a user ID in a service, "" being all
// of them, by service and user ID. A malformed entry is an error, as in Grants.
func (s *Store) ListGrants(ctx context.Context, userID, service string) ([]Grant, error) {
	const verb = "reading permissions"
	ctx, cancel := withTimeout(ctx, searchTimeout)
	defer cancel()
	var rows []grantRow
	err := s.read(ctx, verb, func(db *gorm.DB) error {
		query := db.Order("service, userid")
		if userID != "" {
			query = query.Where("userid = ?", userID)
		}
		if service != "" {
			query = query.Where("service = ?", service)
		}
		rows = nil
		return query.Find(&rows).Error
	})
	if err != nil {
		return nil, err
	}
	var grants []Grant
	for _, row := range rows {
		permissions, err := row.permissions()
		if err != nil {
			return nil, wrap(ctx, verb, err)
		}
		if len(permissions) > 0 {
			grants = append(grants, Grant{UserID: row.UserID, Service: row.Service, Permissions: permissions})
		}
	}
	return grants, nil
}

var _ providers.GrantStore = (*Store)(nil)
