package authapi

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/datahq/auth-gateway/providers"
)

// conductorProfile is a user in os-conductor's dialect: "id" is the provider's
// name of him, "idhash" ours. Every member is there, null when it is not set.
func (a *API) conductorProfile(ctx context.Context, u providers.User) (object, error) {
	username, chosen, err := a.Users.UsernameChosen(ctx, u.ID)
	if err != nil && !errors.Is(err, providers.ErrNotFound) {
		return nil, err
	}
	if !chosen {
		username = ""
	}
	return object{
		"id": cmp.Or(u.ProviderID, u.ID), "idhash": u.ID,
		"avatar_url": orNull(u.AvatarURL),
		"email":      orNull(u.Email),
		"join_date":  orNull(isoDate(u.JoinDate)),
		"name":       orNull(u.Name),
		"username":   orNull(username),
	}, nil
}

// isoDate is a date as Python's datetime.isoformat() writes one in UTC that has
// no zone: "2026-11-23T08:50:34.274776", with six digits or none; "" for none.
func isoDate(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.UTC().Truncate(time.Microsecond)
	if t.Nanosecond() == 0 {
		return t.Format("2006-01-02T15:04:05")
	}
	return t.Format("2006-01-02T15:04:05.000000")
}
