package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/datahq/auth-gateway/authapi"
	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/providers"
)

// A database that answers and takes nothing down is degraded: nobody can sign in
// or out, and whoever is signed in is served. The log is told when it begins and
// when it ends.
func TestWrites(t *testing.T) {
	var (
		down       error
		core, logs = observer.New(zap.DebugLevel)
		h          = newHealth(func(context.Context) error { return down }, nil, zap.New(core))
		now        = time.Now()
		refused    = fmt.Errorf("ending session: %w: %w", providers.ErrUnavailable, store.ErrNotWritable)
		timeout    = fmt.Errorf("announcing: %w: %w", providers.ErrUnavailable, context.DeadlineExceeded)
	)
	h.writes.now = func() time.Time { return now }
	want := func(when, status string, told int) {
		t.Helper()
		h.pinged = time.Time{} // ask anew
		check := h.checks(t.Context(), nil)["database"]
		if check.Status != status || (check.Reason == "") != (status == authapi.HealthOK) || logs.Len() != told {
			t.Errorf("%s: %+v, told %d; want %s, told %d", when, check, logs.Len(), status, told)
		}
	}
	ctx := t.Context()
	h.writes.heartbeat(ctx, nil)
	h.writes.request(ctx, nil)
	h.writes.request(ctx, fmt.Errorf("x: %w", providers.ErrUnavailable))
	h.writes.request(ctx, providers.ErrNotFound)
	want("in normal operation", authapi.HealthOK, 0)

	h.writes.request(ctx, refused)
	h.writes.request(ctx, refused)
	want("a request's write is refused", authapi.HealthDegraded, 1)
	h.writes.heartbeat(ctx, refused)
	h.writes.heartbeat(ctx, refused)
	want("and the heartbeat's", authapi.HealthDegraded, 1)
	h.writes.heartbeat(ctx, nil)
	want("the heartbeat alone is well", authapi.HealthDegraded, 1)
	now = now.Add(refusedFor)
	want("nothing was refused for some time", authapi.HealthOK, 1)
	h.writes.heartbeat(ctx, nil)
	want("the next heartbeat", authapi.HealthOK, 2)

	h.writes.heartbeat(ctx, timeout)
	now = now.Add(time.Hour)
	want("it takes for ever", authapi.HealthDegraded, 3)
	down = errors.New("down")
	h.writes.heartbeat(ctx, timeout)
	want("then it goes", authapi.HealthNotReady, 3)
	down = nil
	h.writes.heartbeat(ctx, nil)
	want("and is back", authapi.HealthOK, 4)

	down = errors.New("down")
	h.pinged = time.Time{}
	h.writes.heartbeat(ctx, timeout)
	h.writes.request(ctx, refused)
	down = nil
	want("an outage is nothing of the kind", authapi.HealthOK, 4)
	// A database that has gone since it was asked last, as one that has gone.
	want("asked a moment ago", authapi.HealthOK, 4)
	down = errors.New("down")
	h.writes.heartbeat(ctx, timeout)
	down = nil
	want("gone a moment ago", authapi.HealthOK, 4)

	ended, cancel := context.WithCancel(ctx)
	cancel()
	h.writes.heartbeat(ended, context.Canceled)
	want("at the gateway's end", authapi.HealthOK, 4)
}
