package authz

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/cache"
	"github.com/datahq/auth-gateway/providers"
)

// retryAfterError is how long a stale answer serves before the truth is asked
// again.
const retryAfterError = time.Second

// Decide says whom a credential stands for and what he may do in a service.
// With service "" it only says who; a permission token is no credential then. A
// service that is not configured grants nothing.
//
// Errors are ErrInvalid, ErrEnded (or ErrUnknown) and ErrDisabled; any other means that it
// cannot be told now and wraps providers.ErrUnavailable.
func (a *Authorizer) Decide(ctx context.Context, c Credential, name string) (*Decision, error) {
	d, err := a.decide(ctx, c, name)
	a.noteLegacy(c, d)
	return d, err
}

func (a *Authorizer) decide(ctx context.Context, c Credential, name string) (*Decision, error) {
	s := a.nobody
	if name != "" {
		var known bool
		if s, known = a.services[name]; !known {
			return a.unknownService(ctx, c, name)
		}
	}
	key := c.key(s)
	old, found := a.recall(key)
	if found && old.fresh(a.Now()) {
		a.Near(true)
		return old.result()
	}
	a.Near(false)
	return a.ask(ctx, c, s, key, old)
}

// recall returns what is remembered and has not been withdrawn.
func (a *Authorizer) recall(key cache.Key) (*entry, bool) {
	e, found := a.cache.get(key)
	if !found || !a.cache.stamps.Current(e.stamp) {
		return nil, false
	}
	return e, true
}

// ask finds the answer out, together with all who want the same. old is the
// answer that is no longer fresh; nil if there is none.
func (a *Authorizer) ask(ctx context.Context, c Credential, s *service, key cache.Key, old *entry) (*Decision, error) {
	began := a.Now()
	wait, cancel := context.WithTimeout(ctx, a.patience(old, began))
	defer cancel()
	load := func(ctx context.Context) (*entry, error) { return a.load(ctx, c, s, key) }
	e, err := a.cache.decisions.Load(wait, key, load)
	if err == nil && !a.cache.stamps.Current(e.stamp) {
		// It was withdrawn while it was loaded, and the load may be older than this
		// request (S8). Another one is not.
		e, err = a.cache.decisions.Load(wait, key, load)
	}
	if err == nil {
		if errors.Is(e.refusal, ErrEnded) {
			return nil, ErrUnknown
		}
		return e.result()
	}
	// A client that has gone away says nothing about the database. If it did,
	// one could keep a stale answer alive by going away again and again.
	if now := a.Now(); ctx.Err() == nil {
		retry := retryAfterError
		if wait.Err() != nil {
			retry = retryAfterHang
			if !old.stale(began) {
				a.cache.hang.waitedInVain(began, now)
			}
		}
		if old.stale(now) && a.cache.stamps.Current(old.stamp) {
			old.freshUntil.Store(min(now.Add(retry).UnixNano(), old.staleUntil))
			return old.decision, nil
		}
	}
	if !errors.Is(err, providers.ErrUnavailable) {
		err = fmt.Errorf("%w: %w", providers.ErrUnavailable, err)
	}
	return nil, err
}

// unknownService answers for a service that has no provider: the user, and no
// permissions. It is not remembered under the name, which anybody may invent.
func (a *Authorizer) unknownService(ctx context.Context, c Credential, name string) (*Decision, error) {
	who, err := a.decide(ctx, c, "")
	if err != nil {
		return nil, err
	}
	return &Decision{User: who.User, Session: who.Session, Service: name, ExpiresAt: who.ExpiresAt}, nil
}

// recovered makes an error of a panic, and tells the log where it was.
func (a *Authorizer) recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic: %v", p)
		a.Logger.Error("panic while deciding", zap.Error(*err), zap.String("stack", string(debug.Stack())))
	}
}
