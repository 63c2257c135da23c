package authz

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/datahq/auth-gateway/providers"
)

const (
	// patience is how long a request waits that has nothing to fall back on. The
	// look-up goes on for the next one.
	patience = 5 * time.Second
	// shortPatience is how long one waits that has a stale answer, or that comes
	// while the database is known to hang: it is as good as none then.
	shortPatience = time.Second
	// retryAfterHang is how long nobody waits after that for a new answer in place
	// of a stale one, and how long a hang is known; what comes meanwhile counts at
	// once.
	retryAfterHang = 5 * time.Second
	// providerPatience is how long a permission provider has. It is short enough
	// for what serves instead of its answer, a permission token's own claim.
	providerPatience = 3 * time.Second
)

// hang is what is known of a database that does not answer. Times are in Unix
// nanoseconds.
type hang struct{ answered, knownUntil atomic.Int64 }

// hasAnswered notes that the database has said something.
func (h *hang) hasAnswered(now time.Time) {
	h.answered.Store(now.UnixNano())
	h.knownUntil.Store(0)
}

// waitedInVain notes that somebody has lost his patience, unless the database
// has said something since he began.
func (h *hang) waitedInVain(began, now time.Time) {
	if h.answered.Load() < began.UnixNano() {
		h.knownUntil.Store(now.Add(retryAfterHang).UnixNano())
	}
}

// known reports whether the database hangs, as far as anybody knows. A clock
// that was set back does not make it hang for longer.
func (h *hang) known(now time.Time) bool {
	left := h.knownUntil.Load() - now.UnixNano()
	return left > 0 && left <= int64(retryAfterHang)
}

// patience is how long a request waits for an answer in place of an old one.
func (a *Authorizer) patience(old *entry, now time.Time) time.Duration {
	if old.stale(now) || a.cache.hang.known(now) {
		return shortPatience
	}
	return patience
}

// askProvider asks a service's provider for what it can say in time. One that
// heeds no deadline goes on by itself, and nobody hears what it says.
func (a *Authorizer) askProvider(ctx context.Context, s *service, user providers.User) (providers.Answer, error) {
	type outcome struct {
		answer providers.Answer
		err    error
	}
	ctx, cancel := context.WithTimeout(ctx, providerPatience)
	said := make(chan outcome, 1)
	go func() {
		defer cancel()
		var o outcome
		defer func() { said <- o }()
		defer a.recovered(&o.err)
		o.answer, o.err = s.Provider.Permissions(ctx, user, s.Name)
	}()
	select {
	case o := <-said:
		return o.answer, o.err
	case <-ctx.Done():
	}
	// It may have said so just now, or have ended the context by ending.
	select {
	case o := <-said:
		return o.answer, o.err
	default:
		return providers.Answer{}, ctx.Err()
	}
}
