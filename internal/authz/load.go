package authz

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/cache"
	"github.com/datahq/auth-gateway/internal/token"
	"github.com/datahq/auth-gateway/providers"
)

// subject is who a credential stands for, as the database has it now.
type subject struct {
	user    providers.User
	session providers.Session
	// expires is when the credential or its session ends.
	expires time.Time
	// claimed is what a permission token says for itself; nil for others.
	claimed *token.Permission
}

// load decides without the cache and remembers the outcome. An error means
// that it could not be told.
func (a *Authorizer) load(ctx context.Context, c Credential, s *service, key cache.Key) (*entry, error) {
	turn := a.cache.stamps.Turn()
	now := a.Now()
	who, err := a.identify(ctx, c, s, now)
	if err != nil {
		return a.refuse(key, who, err, turn, now)
	}
	d := &Decision{User: who.user, Session: who.session, Service: s.Name, ExpiresAt: who.expires}
	fresh := a.FreshFor
	if s != a.nobody {
		answer, err := a.permissions(ctx, s, who)
		if err != nil {
			return nil, err
		}
		d.Permissions = answer.Permissions
		if answer.ValidFor > 0 {
			fresh = min(fresh, answer.ValidFor)
		}
	}
	if a.Render != nil {
		d.Rendered = a.Render(d)
	}
	e := &entry{decision: d, stamp: a.cache.stamps.Take(sessionStamp(d.Session.ID), userStamp(d.User.ID))}
	until := earliest(now.Add(fresh), who.expires)
	e.freshUntil.Store(until.UnixNano())
	e.staleUntil = earliest(until.Add(max(0, a.StaleIfError)), who.expires).UnixNano()
	a.remember(key, e, turn)
	return e, nil
}

// refuse remembers that a credential is none; the error comes back if it is no
// refusal at all.
func (a *Authorizer) refuse(key cache.Key, who subject, err error, turn uint64, now time.Time) (*entry, error) {
	if !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrEnded) && !errors.Is(err, ErrDisabled) {
		return nil, err
	}
	e := &entry{refusal: err, stamp: a.cache.stamps.Take(sessionStamp(who.session.ID), userStamp(who.user.ID))}
	e.freshUntil.Store(now.Add(refusalFor).UnixNano())
	e.staleUntil = e.freshUntil.Load()
	a.remember(key, e, turn)
	return e, nil
}

// remember keeps an entry unless something was withdrawn while it was made:
// what was read before a logout must not outlive it (S8).
func (a *Authorizer) remember(key cache.Key, e *entry, turn uint64) {
	if a.cache.stamps.Turn() == turn {
		a.cache.decisions.Set(key, e)
	}
}

// identify finds the session and user of a credential.
func (a *Authorizer) identify(ctx context.Context, c Credential, s *service, now time.Time) (subject, error) {
	if c.Kind == CookieCredential {
		hash := sha256.Sum256([]byte(c.Value))
		session, user, err := a.Store.SessionByCookie(ctx, hash[:])
		return a.alive(ctx, subject{user: user, session: session, expires: session.ExpiresAt}, err, now)
	}
	switch a.Tokens.Kind(c.Value) {
	case token.KindSession:
		claims, err := a.Tokens.VerifySession(c.Value, now)
		if err != nil {
			return subject{}, fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		return a.bySessionID(ctx, claims.SessionID, claims.UserID, claims.ExpiresAt, nil, now)
	case token.KindPermission:
		claims, err := a.Tokens.VerifyPermission(c.Value, now)
		if err != nil {
			return subject{}, fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		// S6: it opens its own service and no other. One that was made for an
		// upstream is for the upstream's eyes (ruling 9).
		if s == a.nobody || claims.Service != s.Name || claims.Use != "" {
			return subject{}, fmt.Errorf("%w: a permission token for something else", ErrInvalid)
		}
		return a.bySessionID(ctx, claims.SessionID, claims.UserID, claims.ExpiresAt, &claims, now)
	}
	return subject{}, fmt.Errorf("%w: not a token of this gateway", ErrInvalid)
}

func (a *Authorizer) bySessionID(ctx context.Context, sessionID, userID string, expires time.Time, claimed *token.Permission, now time.Time) (subject, error) {
	session, user, err := a.Store.SessionByID(ctx, sessionID)
	if err == nil && user.ID != userID {
		return subject{}, fmt.Errorf("%w: user and session do not belong together", ErrInvalid)
	}
	who := subject{user: user, session: session, expires: earliest(expires, session.ExpiresAt), claimed: claimed}
	return a.alive(ctx, who, err, now)
}

// alive judges what the database said of a session, and notes its use.
func (a *Authorizer) alive(ctx context.Context, who subject, err error, now time.Time) (subject, error) {
	switch {
	case errors.Is(err, providers.ErrNotFound):
		return subject{}, ErrEnded
	case err != nil:
		return subject{}, fmt.Errorf("finding the session: %w", err)
	case !now.Before(who.session.ExpiresAt):
		return who, ErrEnded
	case a.SessionIdle > 0 && now.Sub(who.session.LastSeenAt) >= a.SessionIdle:
		return who, ErrEnded
	case who.user.Disabled:
		return who, ErrDisabled
	}
	if now.Sub(who.session.LastSeenAt) >= touchEvery {
		if err := a.Store.TouchSession(ctx, who.session.ID, now); err != nil {
			// The session may end early for want of it, nothing worse.
			a.Logger.Debug("noting the use of a session", zap.Error(err))
		}
	}
	return who, nil
}

// permissions asks the service's provider. When it cannot answer, a permission
// token's own claim holds, as it does for any service that verifies it
// (ruling 1).
func (a *Authorizer) permissions(ctx context.Context, s *service, who subject) (providers.Answer, error) {
	answer, err := s.Provider.Permissions(ctx, who.user, s.Name)
	if err == nil {
		return answer, nil
	}
	a.Logger.Warn("permission provider cannot answer", zap.String("service", s.Name), zap.Error(err))
	if who.claimed != nil {
		return providers.Answer{Permissions: who.claimed.Permissions, ValidFor: refusalFor}, nil
	}
	return providers.Answer{}, fmt.Errorf("asking for permissions in %s: %w: %w", s.Name, providers.ErrUnavailable, err)
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
