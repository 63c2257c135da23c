package caddymodule

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/store"
)

const (
	// refusedFor is how long the database counts as one that cannot be written
	// after it has refused a request's write: what the heartbeat needs may fit in
	// where a session does not. Longer than two heartbeats.
	refusedFor = 25 * time.Second
	// notWritable is what health says then.
	notWritable = "The database cannot be written; nobody can sign in or out."
)

// writes knows whether the database takes anything down. A database that can be
// read serves whoever is signed in, so that nothing else would tell: it is known
// from the heartbeat among the gateways, which writes every few seconds, and
// from requests.
type writes struct {
	// gone reports whether the database does not even answer, which others tell:
	// as of a second ago, and now.
	gone, goneNow func(context.Context) bool
	log           *zap.Logger
	now           func() time.Time

	mu      sync.Mutex
	failed  bool      // the last heartbeat was not written
	refused time.Time // when a request's write was, last
	since   time.Time // zero unless the log knows of it
}

// request hears how an operation of a request ended.
func (w *writes) request(ctx context.Context, err error) {
	if errors.Is(err, store.ErrNotWritable) && !w.gone(ctx) {
		w.note(func() { w.refused = w.now() }, err)
	}
}

// heartbeat hears how writing a heartbeat ended. If the database does not
// answer, that says nothing about writing.
func (w *writes) heartbeat(ctx context.Context, err error) {
	if err != nil && (errors.Is(ctx.Err(), context.Canceled) || w.goneNow(ctx)) {
		return
	}
	w.note(func() { w.failed = err != nil }, err)
}

// note makes a change, and tells the log when it begins and when it ends.
func (w *writes) note(change func(), err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
	switch failing := w.failing(); {
	case failing && w.since.IsZero():
		w.since = w.now()
		w.log.Warn("the database cannot be written; nobody can sign in or out", zap.Error(err))
	case !failing && !w.since.IsZero():
		w.log.Info("the database can be written again", zap.Duration("after", w.now().Sub(w.since)))
		w.since = time.Time{}
	}
}

// failing wants the lock.
func (w *writes) failing() bool {
	return w.failed || !w.refused.IsZero() && w.now().Sub(w.refused) < refusedFor
}

// reason is why the database is degraded; "" if it is not.
func (w *writes) reason() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failing() {
		return notWritable
	}
	return ""
}

// heartbeats is the database as gateways announce themselves in it.
type heartbeats struct {
	*store.Store
	writes *writes
}

// Announce implements node.Store.
func (h heartbeats) Announce(ctx context.Context, own store.Node, ttl time.Duration) ([]store.Node, error) {
	others, err := h.Store.Announce(ctx, own, ttl)
	h.writes.heartbeat(ctx, err)
	return others, err
}
