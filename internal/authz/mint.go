package authz

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/datahq/auth-gateway/internal/cache"
	"github.com/datahq/auth-gateway/internal/token"
)

const (
	// upstreamLifetime and upstreamRenew bound the token that goes along with a
	// forwarded request: never more than ten minutes to live (ruling 9), never
	// less than five.
	upstreamLifetime = 10 * time.Minute
	upstreamRenew    = 5 * time.Minute
	// upstreamUse marks it, so that it is no credential at a gate.
	upstreamUse = "upstream"
)

// upstreamToken is a header's values, shared between requests.
type upstreamToken struct {
	values  []string
	renewAt time.Time
}

// Mint signs a permission token for a decision: valid as long as the service's
// tokens are, but never beyond the session (S5).
func (a *Authorizer) Mint(d *Decision) (string, error) {
	lifetime := DefaultTokenLifetime
	if s, known := a.services[d.Service]; known {
		lifetime = s.TokenLifetime
	}
	return a.sign(d, lifetime, "")
}

// UpstreamToken is the permission token that goes along with a request to an
// upstream, as a header's values.
func (a *Authorizer) UpstreamToken(ctx context.Context, d *Decision) ([]string, error) {
	now := a.Now()
	if t := d.upstream.Load(); t != nil && now.Before(t.renewAt) {
		return t.values, nil
	}
	key, err := a.upstreamKey(d)
	if err != nil {
		return nil, err
	}
	t, found := a.cache.upstream.Get(key)
	if !found || !now.Before(t.renewAt) {
		t, err = a.cache.upstream.Load(ctx, key, func(context.Context) (*upstreamToken, error) {
			raw, err := a.sign(d, upstreamLifetime, upstreamUse)
			if err != nil {
				return nil, err
			}
			t := &upstreamToken{values: []string{raw}, renewAt: earliest(now.Add(upstreamRenew), d.Session.ExpiresAt)}
			a.cache.upstream.Set(key, t)
			return t, nil
		})
		if err != nil {
			return nil, err
		}
	}
	d.upstream.Store(t)
	return t.values, nil
}

// upstreamKey covers all that the token says.
func (a *Authorizer) upstreamKey(d *Decision) (cache.Key, error) {
	permissions, err := json.Marshal(d.Permissions)
	if err != nil {
		return cache.Key{}, fmt.Errorf("encoding permissions: %w", err)
	}
	return sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %s", a.Fingerprint, d.User.ID, d.Session.ID, d.Service, permissions)), nil
}

func (a *Authorizer) sign(d *Decision, lifetime time.Duration, use string) (string, error) {
	raw, err := a.Tokens.SignPermission(token.Permission{
		UserID: d.User.ID, SessionID: d.Session.ID, Service: d.Service, Permissions: d.Permissions, Use: use,
		ExpiresAt: earliest(a.Now().Add(lifetime), d.Session.ExpiresAt),
	})
	if err != nil {
		return "", fmt.Errorf("signing a permission token: %w", err)
	}
	return raw, nil
}
