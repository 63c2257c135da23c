package authz

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/cache"
	"github.com/datahq/auth-gateway/providers"
)

const (
	// freshAlone is how long a positive answer is used while what other gateways
	// withdraw does not arrive here (ruling 2).
	freshAlone = 5 * time.Second
	// tellTimeout is how long telling the other gateways may take. They find out
	// from the database otherwise.
	tellTimeout = time.Second
)

// Use makes the cache look into a Redis that gateways share, between the near
// cache and the truth. It is called before the first decision, with one that was
// opened with Drop and Withdrawn as its OnDrop and OnWithdraw.
func (c *Cache) Use(shared *cache.Shared) { c.shared = shared }

// Drop forgets everything: withdrawals may have been missed.
func (c *Cache) Drop() { c.stamps.WithdrawAll() }

// Withdrawn forgets what another gateway has withdrawn.
func (c *Cache) Withdrawn(names []string) {
	for _, name := range names {
		c.stamps.Withdraw(name)
	}
}

// ForgetSession forgets what was decided for a session that has been ended
// elsewhere, and ForgetUser for a user who has been changed. Other gateways are
// not told.
func (c *Cache) ForgetSession(id string) { c.forget(sessionStamp(id)) }

// ForgetUser is ForgetSession for all sessions of a user.
func (c *Cache) ForgetUser(id string) { c.forget(userStamp(id)) }

// ForgetAll is ForgetSession for everybody.
func (c *Cache) ForgetAll() {
	if c.shared != nil {
		c.shared.ForgetAll()
	}
	c.stamps.WithdrawAll()
}

// forget ends first what a load could still find in Redis, and then what loads
// have found: one in between is then ended too.
func (c *Cache) forget(name string) {
	if c.shared != nil {
		c.shared.Forget(name)
	}
	c.stamps.Withdraw(name)
}

// withdraw forgets what belongs to a name, here and everywhere.
func (a *Authorizer) withdraw(name string) {
	a.cache.forget(name)
	a.tell(func(ctx context.Context, shared *cache.Shared) error { return shared.Withdraw(ctx, name) })
}

// withdrawAll forgets everything, here and everywhere.
func (a *Authorizer) withdrawAll() {
	a.cache.ForgetAll()
	a.tell(func(ctx context.Context, shared *cache.Shared) error { return shared.WithdrawAll(ctx) })
}

func (a *Authorizer) tell(what func(context.Context, *cache.Shared) error) {
	if a.cache.shared == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), tellTimeout)
	defer cancel()
	if err := what(ctx, a.cache.shared); err != nil {
		a.Logger.Debug("telling other gateways", zap.Error(err))
	}
}

// freshFor is how long an answer of now is used without asking again. A load
// asks for it after its turn: what Redis misses from then on ends it.
func (a *Authorizer) freshFor() time.Duration {
	if a.cache.shared != nil && !a.cache.shared.Healthy() {
		return min(a.FreshFor, freshAlone)
	}
	return a.FreshFor
}

// sessionRecord is a session with its user, in Redis.
type sessionRecord struct {
	// By is what the session was found by.
	By      string            `json:"by"`
	Session providers.Session `json:"session"`
	User    providers.User    `json:"user"`
}

// findSession finds a session and its user: in Redis, or by find in the
// database. Its ID may be "" if it is not known; names of it that are known save
// a round trip.
func (a *Authorizer) findSession(ctx context.Context, by, id string, known []string, find func() (providers.Session, providers.User, error)) (subject, error) {
	right := func(r sessionRecord) bool {
		return r.By == by && r.Session.ID != "" && r.Session.UserID == r.User.ID &&
			(id == "" || r.Session.ID == id)
	}
	r, until, err := recall(ctx, a, "session", by, known, right, func() (found[sessionRecord], error) {
		session, user, err := find()
		if err == nil || errors.Is(err, providers.ErrNotFound) {
			a.cache.hang.hasAnswered(a.Now())
		}
		names := []string{sessionStamp(session.ID), userStamp(user.ID)}
		return found[sessionRecord]{sessionRecord{by, session, user}, names, a.FreshFor}, err
	})
	return subject{user: r.User, session: r.Session, expires: r.Session.ExpiresAt, freshUntil: until}, err
}

// grantRecord is what a user may do in a service, in Redis.
type grantRecord struct {
	User        string                `json:"user"`
	Service     string                `json:"service"`
	Provider    string                `json:"provider"` // its fingerprint
	Permissions providers.Permissions `json:"permissions"`
}

// findPermissions finds what a user may do: in Redis, or from the provider.
func (a *Authorizer) findPermissions(ctx context.Context, s *service, user providers.User) (providers.Answer, time.Time, error) {
	if s.Near {
		answer, err := a.askProvider(ctx, s, user)
		return answer, time.Time{}, err
	}
	var answer providers.Answer
	place := fmt.Sprintf("%q %q %q", user.ID, s.Name, s.Fingerprint)
	right := func(r grantRecord) bool {
		return r.User == user.ID && r.Service == s.Name && r.Provider == s.Fingerprint
	}
	names := []string{userStamp(user.ID)}
	r, until, err := recall(ctx, a, "grants", place, names, right, func() (found[grantRecord], error) {
		var err error
		answer, err = a.askProvider(ctx, s, user)
		fresh := a.FreshFor
		if answer.ValidFor > 0 {
			fresh = min(fresh, answer.ValidFor)
		}
		return found[grantRecord]{grantRecord{user.ID, s.Name, s.Fingerprint, answer.Permissions}, names, fresh}, err
	})
	if until.IsZero() {
		return answer, until, err
	}
	return providers.Answer{Permissions: r.Permissions}, until, err
}

// found is something that was found out where it is true, what it can be
// withdrawn by, and for how long it is fresh.
type found[V any] struct {
	value V
	names []string
	fresh time.Duration
}

// recall returns what Redis has of a kind under a name, with until when that is
// fresh, if it is the right thing (S40); else what find finds, and the zero time.
// What was found goes into Redis, provided it comes back from there as it was.
func recall[V any](ctx context.Context, a *Authorizer, kind, name string, known []string, right func(V) bool, find func() (found[V], error)) (V, time.Time, error) {
	shared := a.cache.shared
	if shared == nil {
		f, err := find()
		return f.value, time.Time{}, err
	}
	key := cache.Key(sha256.Sum256([]byte(name)))
	if e, there := shared.Get(ctx, kind, key, known...); there {
		var value V
		if json.Unmarshal(e.Value, &value) == nil && right(value) {
			return value, e.FreshUntil, nil
		}
	}
	turn, now := shared.Turn(), a.Now()
	f, err := find()
	if err != nil {
		return f.value, time.Time{}, err
	}
	if text, same := encode(f.value); same {
		e := cache.Entry{Value: text, Names: f.names, FreshUntil: now.Add(f.fresh)}
		if err := shared.Set(ctx, turn, kind, key, e); err != nil {
			a.Logger.Debug("remembering in Redis", zap.Error(err))
		}
	}
	return f.value, time.Time{}, nil
}

// encode writes a value as JSON, and reports whether it would be read as the
// same.
func encode[V any](value V) (text []byte, same bool) {
	text, err := json.Marshal(value)
	if err != nil || bytes.Contains(text, []byte(`\ufffd`)) { // was no UTF-8
		return nil, false
	}
	var again V
	if err := json.Unmarshal(text, &again); err != nil {
		return nil, false
	}
	textAgain, err := json.Marshal(again)
	return text, err == nil && bytes.Equal(text, textAgain)
}
