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

const (
	// refusalFor is how long a refusal is remembered.
	refusalFor = 5 * time.Second
	// claimFor is how long a permission token's own claim is used before its
	// provider is asked again.
	claimFor = 5 * time.Second
	// clockLeeway is how far the clocks of two gateways may be apart (S5).
	clockLeeway = time.Minute
	// touchTimeout is how long noting the use of a session may take.
	touchTimeout = time.Second
)

// subject is who a credential stands for, as the database has it now.
type subject struct {
	user    providers.User
	session providers.Session
	// expires is when the credential or its session ends.
	expires time.Time
	// freshUntil is until when it is so; zero if the database has just been asked.
	freshUntil time.Time
	// claimed is what a permission token says for itself; nil for others.
	claimed *token.Permission
}

// load decides and remembers the outcome. An error means that it could not be
// told.
func (a *Authorizer) load(ctx context.Context, c Credential, s *service, key cache.Key) (e *entry, err error) {
	defer func() {
		if err != nil {
			a.complain(cannotDecide, err, zap.String("service", s.Name))
		}
	}()
	defer a.recovered(&err)
	turn := a.cache.stamps.Turn()
	now := a.Now()
	if e, found := a.recall(key); found && e.fresh(now) {
		return e, nil // of another load, just now
	}
	who, err := a.identify(ctx, c, s, now)
	switch {
	case isRefusal(err):
		e = a.refuse(who, err, turn, now)
	case err != nil:
		return nil, err
	default:
		if e, err = a.grant(ctx, s, who, turn, now); err != nil {
			return nil, err
		}
	}
	// What was read before a logout does not outlive it: the stamp tells (S8).
	a.cache.set(key, e)
	return e, nil
}

// grant makes the decision for somebody who is signed in.
func (a *Authorizer) grant(ctx context.Context, s *service, who subject, turn uint64, now time.Time) (*entry, error) {
	d := &Decision{User: who.user, Session: who.session, Service: s.Name, ExpiresAt: who.expires}
	fresh := a.freshFor()
	known := who.freshUntil
	if s != a.nobody {
		answer, until, err := a.permissions(ctx, s, who)
		if err != nil {
			return nil, err
		}
		d.Permissions, known = answer.Permissions, earliestOf(known, until)
		if answer.ValidFor > 0 {
			fresh = min(fresh, answer.ValidFor)
		}
	}
	if a.Render != nil {
		d.Rendered = a.Render(d)
	}
	until := earliestOf(known, earliest(now.Add(fresh), who.expires))
	e := newEntry(a.stamp(turn, who), now, until, earliest(until.Add(max(0, a.StaleIfError)), who.expires))
	e.decision = d
	return e, nil
}

// refuse makes the refusal of a credential.
func (a *Authorizer) refuse(who subject, refusal error, turn uint64, now time.Time) *entry {
	until := now.Add(refusalFor)
	e := newEntry(a.stamp(turn, who), now, until, until)
	e.refusal = refusal
	return e
}

func (a *Authorizer) stamp(turn uint64, who subject) cache.Stamp {
	return a.cache.stamps.Stamp(turn, sessionStamp(who.session.ID), userStamp(who.user.ID))
}

// identify finds the session and user of a credential.
func (a *Authorizer) identify(ctx context.Context, c Credential, s *service, now time.Time) (subject, error) {
	if c.Kind == CookieCredential {
		if a.IsCookie != nil && !a.IsCookie(c.Value) {
			return subject{}, fmt.Errorf("%w: not a cookie of this gateway", ErrInvalid)
		}
		hash := sha256.Sum256([]byte(c.Value))
		who, err := a.findSession(ctx, fmt.Sprintf("cookie %x", hash), "", nil, func() (providers.Session, providers.User, error) {
			return a.Store.SessionByCookie(ctx, hash[:])
		})
		return a.alive(ctx, who, err, now)
	}
	if c.Kind == APICredential && a.Legacy.on(now) {
		if who, err := a.legacy(ctx, c.Value, now); !errors.Is(err, token.ErrInvalid) {
			return who, err
		}
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
		// S5: no key makes a token that lasts longer than the service's do.
		if longest := max(DefaultTokenLifetime, s.TokenLifetime) + clockLeeway; claims.ExpiresAt.After(now.Add(longest)) {
			return subject{}, fmt.Errorf("%w: a permission token that lasts too long", ErrInvalid)
		}
		return a.bySessionID(ctx, claims.SessionID, claims.UserID, claims.ExpiresAt, &claims, now)
	}
	return subject{}, fmt.Errorf("%w: not a token of this gateway", ErrInvalid)
}

func (a *Authorizer) bySessionID(ctx context.Context, sessionID, userID string, expires time.Time, claimed *token.Permission, now time.Time) (subject, error) {
	if sessionID == "" && a.Legacy.on(now) {
		return a.legacyUser(ctx, userID, expires, claimed)
	}
	known := []string{sessionStamp(sessionID), userStamp(userID)}
	who, err := a.findSession(ctx, "session "+sessionID, sessionID, known, func() (providers.Session, providers.User, error) {
		return a.Store.SessionByID(ctx, sessionID)
	})
	if err == nil && (who.user.ID != userID || who.session.ID != sessionID) {
		return subject{}, fmt.Errorf("%w: user and session do not belong together", ErrInvalid)
	}
	who.expires, who.claimed = earliest(expires, who.session.ExpiresAt), claimed
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
	if now.Sub(who.session.LastSeenAt) >= a.touchEvery {
		a.touch(ctx, who.session.ID, now)
	}
	return who, nil
}

// touch notes the use of a session. Without it the session may end early,
// nothing worse, so that nobody waits long for a database that cannot write.
func (a *Authorizer) touch(ctx context.Context, sessionID string, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, touchTimeout)
	defer cancel()
	if err := a.Store.TouchSession(ctx, sessionID, now); err != nil {
		a.Logger.Debug("noting the use of a session", zap.Error(err))
	}
}

// permissions asks the service's provider. When it cannot answer, a permission
// token's own claim holds, as it does for any service that verifies it
// (ruling 1).
func (a *Authorizer) permissions(ctx context.Context, s *service, who subject) (answer providers.Answer, freshUntil time.Time, err error) {
	answer, freshUntil, err = a.findPermissions(ctx, s, who.user)
	if err == nil {
		return answer, freshUntil, nil
	}
	err = fmt.Errorf("asking for permissions in %s: %w: %w", s.Name, providers.ErrUnavailable, err)
	if who.claimed == nil {
		return providers.Answer{}, time.Time{}, err
	}
	a.complain(claimHolds, err, zap.String("service", s.Name))
	return providers.Answer{Permissions: who.claimed.Permissions, ValidFor: claimFor}, time.Time{}, nil
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// earliestOf is earliest, where the zero time is none.
func earliestOf(a, b time.Time) time.Time {
	switch {
	case a.IsZero():
		return b
	case b.IsZero():
		return a
	}
	return earliest(a, b)
}
