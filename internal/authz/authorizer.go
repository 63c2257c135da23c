// Package authz is the one place that decides: whose credential this is, and
// what its user may do in a service. The gate and the auth endpoints both ask
// here.
package authz

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/token"
	"github.com/datahq/auth-gateway/providers"
)

// The limits that hold where the configuration says nothing.
const (
	DefaultFreshFor        = time.Minute
	DefaultStaleIfError    = time.Minute
	DefaultSessionLifetime = 14 * 24 * time.Hour
	DefaultTokenLifetime   = 12 * time.Hour
)

// touchEvery is how exactly a session's last use is kept.
const touchEvery = time.Minute

// Store is what authz needs of the database.
type Store interface {
	// SessionByID and SessionByCookie return a session with its user, or
	// providers.ErrNotFound. The cookie is given by its SHA-256.
	SessionByID(ctx context.Context, id string) (providers.Session, providers.User, error)
	SessionByCookie(ctx context.Context, cookieHash []byte) (providers.Session, providers.User, error)
	// TouchSession notes that a session has been used.
	TouchSession(ctx context.Context, id string, seen time.Time) error
}

// Tokens is what authz needs of the keys.
type Tokens interface {
	Kind(raw string) token.Kind
	VerifySession(raw string, now time.Time) (token.Session, error)
	VerifyPermission(raw string, now time.Time) (token.Permission, error)
	SignPermission(p token.Permission) (string, error)
}

// Service is a protected service and how its permissions are found.
type Service struct {
	Name     string
	Provider providers.PermissionProvider
	// TokenLifetime of its permission tokens; 0 means DefaultTokenLifetime.
	TokenLifetime time.Duration
	// Fingerprint changes when the provider's configuration does, so that
	// answers of an old configuration are not used.
	Fingerprint string
	// Near says that the provider asks nobody else: its answers are not worth
	// remembering in Redis.
	Near bool
}

// Config is what an Authorizer is made of.
type Config struct {
	Store    Store
	Tokens   Tokens
	Services []Service
	// Fingerprint changes when issuer or keys do.
	Fingerprint string
	// FreshFor is how long a positive answer is used without asking again; at
	// most, and by default, 60 s, and at most 5 s while gateways share a Redis that
	// does not tell them what they withdraw (ruling 2).
	FreshFor time.Duration
	// StaleIfError is how much longer it serves while the truth cannot be asked;
	// negative means not at all.
	StaleIfError time.Duration
	// SessionIdle ends a session that has not been used for so long; 0 means
	// never before its lifetime ends. The last use is known to about two minutes,
	// or to a fifth of SessionIdle if that is less.
	SessionIdle time.Duration
	// Legacy lets session tokens of the original service count; nil means that
	// they do not.
	Legacy *Legacy
	// IsCookie reports whether a cookie's value has the form of ours; the database
	// is asked for no other. Nil means that every value has.
	IsCookie func(value string) bool
	// Near is told of each look into the near cache whether it found a fresh
	// answer; may be nil. It must cost next to nothing.
	Near func(hit bool)
	// Render makes of a decision what a gate sends with it; may be nil.
	Render func(*Decision) any
	Logger *zap.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Authorizer decides. Its memory is a Cache, which outlives it.
type Authorizer struct {
	Config
	cache      *Cache
	nobody     *service
	services   map[string]*service
	touchEvery time.Duration
	complained [complaints]atomic.Int64 // Unix nanoseconds
}

type service struct {
	Service
	fingerprint [16]byte
}

// New makes an Authorizer on a cache that others may share.
func New(c Config, memory *Cache) *Authorizer {
	if c.FreshFor <= 0 || c.FreshFor > DefaultFreshFor {
		c.FreshFor = DefaultFreshFor
	}
	touch := touchEvery
	if c.SessionIdle > 0 {
		// What the cache answers leaves no trace in the database: a session in use
		// must not look idle for that.
		c.FreshFor = min(c.FreshFor, c.SessionIdle/10)
		touch = min(touch, c.SessionIdle/10)
	}
	if c.StaleIfError == 0 {
		c.StaleIfError = DefaultStaleIfError
	}
	if c.Near == nil {
		c.Near = func(bool) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	a := &Authorizer{Config: c, cache: memory, services: make(map[string]*service, len(c.Services)), touchEvery: touch}
	a.nobody = a.newService(Service{})
	for _, s := range c.Services {
		a.services[s.Name] = a.newService(s)
		if i, ok := s.Provider.(providers.Invalidator); ok {
			i.OnChange(a.permissionsChanged)
		}
	}
	return a
}

func (a *Authorizer) newService(s Service) *service {
	if s.TokenLifetime == 0 {
		s.TokenLifetime = DefaultTokenLifetime
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", a.Fingerprint, s.Name, s.Fingerprint))
	return &service{Service: s, fingerprint: [16]byte(sum[:16])}
}

// SessionEnded forgets what was decided for a session. It must have been ended
// in the database before.
func (a *Authorizer) SessionEnded(sessionID string) { a.withdraw(sessionStamp(sessionID)) }

// UserChanged forgets what was decided for a user, who must have been changed in
// the database before.
func (a *Authorizer) UserChanged(userID string) { a.withdraw(userStamp(userID)) }

// KeysRemoved forgets everything: tokens that have been accepted, and forwarded,
// may be of a key that has been taken out. It must be out of the ring before.
func (a *Authorizer) KeysRemoved() { a.cache.stamps.WithdrawAll() }

func (a *Authorizer) permissionsChanged(userID string) {
	if userID == "" {
		a.withdrawAll()
		return
	}
	a.UserChanged(userID)
}

func sessionStamp(id string) string { return "session:" + id }
func userStamp(id string) string    { return "user:" + id }
