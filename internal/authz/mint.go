package authz

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/cache"
	"github.com/datahq/auth-gateway/internal/token"
)

const (
	// upstreamLifetime and upstreamRenew bound the token that goes along with a
	// forwarded request: never more than ten minutes to live (ruling 9), and less
	// than five only where its session ends.
	upstreamLifetime = 10 * time.Minute
	upstreamRenew    = 5 * time.Minute
	// upstreamUse marks it, so that it is no credential at a gate.
	upstreamUse = "upstream"
)

// upstreamToken is a header's values, shared between requests, or why there are
// none.
type upstreamToken struct {
	values          []string
	err             error
	stamp           cache.Stamp
	madeAt, renewAt time.Time
}

func (t *upstreamToken) fresh(now time.Time) bool {
	return !now.Before(t.madeAt) && now.Before(t.renewAt)
}

func (t *upstreamToken) lifetime() time.Duration { return t.renewAt.Sub(t.madeAt) }

func (t *upstreamToken) result() ([]string, error) { return t.values, t.err }

// Mint signs a permission token for a decision: valid as long as the service's
// tokens are, but never beyond the session (S5). ErrInvalid means that there can
// be no such token: the service's name, or what the user may do in it, does not
// go into one.
func (a *Authorizer) Mint(d *Decision) (string, error) {
	lifetime := DefaultTokenLifetime
	if s, known := a.services[d.Service]; known {
		lifetime = s.TokenLifetime
	}
	return a.sign(d, a.Now().Add(lifetime), "")
}

// UpstreamToken is the permission token that goes along with a request to an
// upstream, as a header's values. Errors are Mint's.
func (a *Authorizer) UpstreamToken(ctx context.Context, d *Decision) ([]string, error) {
	if t := d.upstream.Load(); t != nil && t.fresh(a.Now()) {
		return t.result()
	}
	key, err := a.upstreamKey(d)
	if err != nil {
		return nil, err
	}
	t, found := a.signedUpstream(key)
	// A token that was signed with a key that is taken out meanwhile is of no use.
	for try := 0; try < 2 && !found; try++ {
		t, err = a.cache.upstream.Load(ctx, key, func(context.Context) (*upstreamToken, error) {
			return a.signUpstream(d, key)
		})
		if err != nil {
			return nil, err
		}
		found = a.cache.stamps.Current(t.stamp)
	}
	d.upstream.Store(t)
	return t.result()
}

// signedUpstream is a token that is remembered and still good.
func (a *Authorizer) signedUpstream(key cache.Key) (*upstreamToken, bool) {
	t, found := a.cache.upstream.Get(key)
	return t, found && t.fresh(a.Now()) && a.cache.stamps.Current(t.stamp)
}

// signUpstream makes and remembers an upstream's token. That there can be none
// is remembered for a short time: to find out costs as much as a token.
func (a *Authorizer) signUpstream(d *Decision, key cache.Key) (*upstreamToken, error) {
	if t, found := a.signedUpstream(key); found {
		return t, nil // of another load, just now
	}
	now := a.Now()
	stamp := a.cache.stamps.Stamp(a.cache.stamps.Turn(), sessionStamp(d.Session.ID), userStamp(d.User.ID))
	t := &upstreamToken{stamp: stamp, madeAt: now, renewAt: now.Add(upstreamRenew)}
	raw, err := a.sign(d, earliest(now.Add(upstreamLifetime), d.ExpiresAt), upstreamUse)
	switch {
	case err == nil:
		t.values = []string{raw}
	case errors.Is(err, ErrInvalid):
		t.err, t.renewAt = err, now.Add(refusalFor)
	default:
		return nil, err
	}
	a.cache.upstream.Set(key, t)
	return t, nil
}

// upstreamKey covers all that the token says. The session's end is in it for
// those who have no session, only a credential that ends, and so is the end of a
// credential that comes before the token's would.
func (a *Authorizer) upstreamKey(d *Decision) (cache.Key, error) {
	permissions, err := json.Marshal(d.Permissions)
	if err != nil {
		return cache.Key{}, a.unsignable(d, err)
	}
	end := d.Session.ExpiresAt
	if d.ExpiresAt.Before(a.Now().Add(upstreamLifetime)) {
		end = d.ExpiresAt
	}
	return sha256.Sum256(fmt.Appendf(nil, "%q %q %q %d %q %s",
		a.Fingerprint, d.User.ID, d.Session.ID, end.Unix(), d.Service, permissions)), nil
}

func (a *Authorizer) sign(d *Decision, expires time.Time, use string) (string, error) {
	raw, err := a.Tokens.SignPermission(token.Permission{
		UserID: d.User.ID, SessionID: d.Session.ID, Service: d.Service, Permissions: d.Permissions, Use: use,
		ExpiresAt: earliest(expires, d.Session.ExpiresAt),
	})
	switch {
	case err == nil:
		return raw, nil
	case errors.Is(err, token.ErrUnsignable):
		return "", a.unsignable(d, err)
	}
	return "", fmt.Errorf("signing a permission token: %w", err)
}

// unsignable makes an ErrInvalid. Anybody may invent a service's name; what a
// provider says of one that is configured, somebody has to put right.
func (a *Authorizer) unsignable(d *Decision, err error) error {
	if _, known := a.services[d.Service]; known {
		a.complain(unsignable, err, zap.String("service", d.Service), zap.String("user_id", d.User.ID))
	}
	return fmt.Errorf("signing a permission token: %w: %w", ErrInvalid, err)
}
