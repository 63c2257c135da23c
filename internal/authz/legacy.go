package authz

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/token"
	"github.com/datahq/auth-gateway/providers"
)

// Legacy lets session tokens of the original service count at the auth
// endpoints for a while (S4). They belong to no session here, so that they, and
// the permission tokens made of them, end by themselves alone, or with their
// user.
type Legacy struct {
	// Tokens verifies them. Errors wrap token.ErrInvalid or token.ErrExpired.
	Tokens interface {
		Verify(raw string, now time.Time) (userID string, expires time.Time, err error)
	}
	// Users finds their users, or providers.ErrNotFound.
	Users interface {
		User(ctx context.Context, id string) (providers.User, error)
	}
	// Until is when they no longer count.
	Until time.Time
}

func (l *Legacy) on(now time.Time) bool { return l != nil && now.Before(l.Until) }

// legacy finds the user of a session token of the original's. The error wraps
// token.ErrInvalid if it is none.
func (a *Authorizer) legacy(ctx context.Context, raw string, now time.Time) (subject, error) {
	userID, expires, err := a.Legacy.Tokens.Verify(raw, now)
	switch {
	case errors.Is(err, token.ErrExpired):
		return subject{}, fmt.Errorf("%w: %w", ErrEnded, err)
	case err != nil:
		return subject{}, err
	}
	return a.legacyUser(ctx, userID, earliest(expires, a.Legacy.Until), nil)
}

// noteLegacy logs each use of a session of the original service: when there are
// none any more, the switch can go.
func (a *Authorizer) noteLegacy(c Credential, d *Decision) {
	if a.Legacy != nil && c.Kind == APICredential && d != nil && d.Session.ID == "" {
		a.Logger.Info("a session of the original service was used", zap.String("user_id", d.User.ID), zap.Time("expires", d.ExpiresAt))
	}
}

// legacyUser is the user of a token without a session.
func (a *Authorizer) legacyUser(ctx context.Context, userID string, expires time.Time, claimed *token.Permission) (subject, error) {
	user, err := a.Legacy.Users.User(ctx, userID)
	switch {
	case errors.Is(err, providers.ErrNotFound):
		return subject{}, ErrEnded
	case err != nil:
		return subject{}, fmt.Errorf("finding the user: %w", err)
	case user.Disabled:
		return subject{user: user}, ErrDisabled
	}
	session := providers.Session{UserID: user.ID, ExpiresAt: expires}
	return subject{user: user, session: session, expires: expires, claimed: claimed}, nil
}
