package cache

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// health knows whether Redis can be relied on: messages arrive, and calls are
// answered. It says so once to the log when that ends, and once when it is so
// again.
type health struct {
	logger  *zap.Logger
	changed func(healthy bool)
	healthy atomic.Bool
	// judged is closed as soon as the first attempt to listen has ended.
	judged chan struct{}
	first  sync.Once

	mu        sync.Mutex
	closed    bool
	listening bool
	open      bool  // the breaker
	cause     error // of the last failure
	unwell    bool  // and the log knows
	since     time.Time
}

func newHealth(logger *zap.Logger, changed func(bool)) *health {
	return &health{logger: logger, changed: changed, judged: make(chan struct{})}
}

// blame remembers why a call failed.
func (h *health) blame(cause error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cause = cause
}

// breaker notes whether the breaker lets no calls through.
func (h *health) breaker(open bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open = open
	h.judge()
}

// hear notes whether messages arrive, and if not, why.
func (h *health) hear(listening bool, cause error) {
	defer h.first.Do(func() { close(h.judged) })
	h.mu.Lock()
	defer h.mu.Unlock()
	h.listening = listening
	if cause != nil {
		h.cause = cause
	}
	h.judge()
}

// judge tells whom it concerns of a change.
func (h *health) judge() {
	if h.closed {
		return
	}
	healthy := h.listening && !h.open
	if h.healthy.Swap(healthy) != healthy {
		h.changed(healthy)
	}
	switch {
	case healthy && h.unwell:
		h.unwell = false
		h.logger.Info("Redis is back", zap.Duration("after", time.Since(h.since)))
	case !healthy && !h.unwell:
		h.unwell, h.since = true, time.Now()
		h.logger.Warn("Redis cannot be used; going on without it", zap.Error(h.cause))
	}
}

// close ends it: that a closed connection breaks is nothing to tell of.
func (h *health) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed, h.listening = true, false
	h.healthy.Store(false)
	h.first.Do(func() { close(h.judged) })
}

func (h *health) state() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return "closed"
	case h.healthy.Load():
		return "ok"
	case h.cause == nil:
		return "starting"
	}
	return reason(h.cause)
}

// Healthy reports whether withdrawals of other gateways arrive here and Redis
// answers. While it is false, nothing may be remembered for longer than 5 s
// (ruling 2). A loader asks after it has taken its stamps' turn.
func (s *Shared) Healthy() bool { return s.health.healthy.Load() }

// State says in a few words how Redis is, without addresses: "ok", "starting",
// "closed", or what is the matter.
func (s *Shared) State() string { return s.health.state() }

// Check returns an error with what State says unless that is "ok". Just after
// OpenShared it waits until Redis has been tried, or ctx ends; later it does not
// wait.
func (s *Shared) Check(ctx context.Context) error {
	select {
	case <-s.health.judged:
	case <-ctx.Done():
	}
	if state := s.State(); state != "ok" {
		return errors.New(state)
	}
	return nil
}
