package caddymodule

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/authapi"
	"github.com/datahq/auth-gateway/internal/authn"
)

const (
	// pingTimeout is how long the database may take to be called healthy.
	pingTimeout = 2 * time.Second
	// pingFor is how long the answer holds: however many ask, the database is
	// asked no more often.
	pingFor = time.Second
	// failureFor is how long an identity provider that did not answer is called
	// degraded, unless somebody signs in there before. It is not asked for its
	// health.
	failureFor = 5 * time.Minute
)

// health knows how the parts are. It outlives a configuration with the
// database.
type health struct {
	ping func(context.Context) error
	// cache tells what is wrong with Redis; "" if nothing is. Nil without Redis.
	cache  func() string
	writes *writes

	mu       sync.Mutex
	pinged   time.Time
	pingErr  error
	failures map[string]time.Time // of logins, by configured name
}

func newHealth(ping func(context.Context) error, cache func() string, log *zap.Logger) *health {
	h := &health{ping: ping, cache: cache, failures: make(map[string]time.Time)}
	h.writes = &writes{gone: h.databaseGone, goneNow: func(ctx context.Context) bool { return h.askDatabase(ctx) != nil }, log: log, now: time.Now}
	return h
}

// signIn hears how a sign-in ended.
func (h *health) signIn(login, result string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch result {
	case authn.SignedIn:
		delete(h.failures, login)
	case authn.CodeProviderUnavailable:
		h.failures[login] = time.Now()
	}
}

// checks are the states of the database, of the cache and of the logins that
// are configured.
func (h *health) checks(ctx context.Context, logins []string) map[string]authapi.HealthCheck {
	ok := authapi.HealthCheck{Status: authapi.HealthOK}
	checks := map[string]authapi.HealthCheck{"database": ok}
	if h.databaseGone(ctx) {
		checks["database"] = authapi.HealthCheck{
			Status: authapi.HealthNotReady,
			Reason: "The database does not answer. What is remembered is served for a while, everything else is refused.",
		}
	} else if reason := h.writes.reason(); reason != "" {
		checks["database"] = authapi.HealthCheck{Status: authapi.HealthDegraded, Reason: reason}
	}
	if h.cache != nil {
		checks["cache"] = ok
		if reason := h.cache(); reason != "" {
			checks["cache"] = authapi.HealthCheck{Status: authapi.HealthDegraded, Reason: reason}
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, login := range logins {
		if at, failed := h.failures[login]; failed && time.Since(at) < failureFor {
			checks["login "+login] = authapi.HealthCheck{
				Status: authapi.HealthDegraded,
				Reason: fmt.Sprintf("The identity provider did not answer a sign-in %s ago.", time.Since(at).Round(time.Second)),
			}
		}
	}
	return checks
}

// databaseGone asks the database, at most once a second. Who asks meanwhile
// waits for that answer.
func (h *health) databaseGone(ctx context.Context) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Since(h.pinged) >= pingFor {
		h.pingErr, h.pinged = h.askDatabase(ctx), time.Now()
	}
	return h.pingErr != nil
}

// askDatabase asks it, even if ctx has ended.
func (h *health) askDatabase(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingTimeout)
	defer cancel()
	return h.ping(ctx)
}
