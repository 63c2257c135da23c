package caddymodule

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/authapi"
	"github.com/datahq/auth-gateway/internal/authn"
)

func TestHealthChecks(t *testing.T) {
	down, reason := errors.New("down"), ""
	var err error
	check := func(part, want string) {
		t.Helper()
		h := newHealth(func(context.Context) error { return err }, func() string { return reason }, zap.NewNop())
		h.signIn("google", authn.CodeProviderUnavailable)
		h.signIn("github", authn.CodeProviderUnavailable)
		h.signIn("github", authn.SignedIn)
		h.signIn("gone", authn.CodeProviderUnavailable)
		h.signIn("corp", authn.CodeStateUsed) // a person's fault
		checks := h.checks(t.Context(), []string{"google", "github", "corp"})
		if got := checks[part].Status; got != want {
			t.Errorf("%s is %q, want %q", part, got, want)
		}
		if (checks[part].Reason == "") != (want == authapi.HealthOK || want == "") {
			t.Errorf("%s: reason %q", part, checks[part].Reason)
		}
	}
	check("database", authapi.HealthOK)
	check("cache", authapi.HealthOK)
	check("login google", authapi.HealthDegraded)
	check("login github", "")
	check("login corp", "")
	check("login gone", "") // not configured any more
	err, reason = down, "Redis does not answer."
	check("database", authapi.HealthNotReady)
	check("cache", authapi.HealthDegraded)
}

// A crowd of probes is one question to the database.
func TestHealthAsksOnce(t *testing.T) {
	var asked atomic.Int32
	h := newHealth(func(context.Context) error { asked.Add(1); return nil }, nil, zap.NewNop())
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() { h.checks(t.Context(), nil) })
	}
	wait.Wait()
	if got := asked.Load(); got < 1 || got > 3 { // more only if that took seconds
		t.Errorf("asked %d times", got)
	}
}
