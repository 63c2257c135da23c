package caddymodule

import (
	"context"
	"errors"
	"net/http"

	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/internal/gate"
	"github.com/datahq/auth-gateway/internal/token"
	"github.com/datahq/auth-gateway/internal/wire"
)

// gateConfig is what all gates of this app share.
func (a *App) gateConfig() gate.Config {
	return gate.Config{Site: a.site, Next: a.next, Decider: a, Ours: a.ours, Page: a.problemPage, Reserved: a.reserved}
}

// Decide asks authz once the app has started.
func (a *App) Decide(ctx context.Context, c authz.Credential, service string) (*authz.Decision, error) {
	rt, err := a.runtime(ctx)
	if err != nil {
		return nil, err
	}
	d, err := rt.authz.Decide(ctx, c, service)
	if errors.Is(err, authz.ErrInvalid) || errors.Is(err, authz.ErrUnknown) {
		countBadToken(ctx, rt)
	}
	return d, err
}

// UpstreamToken asks authz once the app has started.
func (a *App) UpstreamToken(ctx context.Context, d *authz.Decision) ([]string, error) {
	rt, err := a.runtime(ctx)
	if err != nil {
		return nil, err
	}
	return rt.authz.UpstreamToken(ctx, d)
}

// ours reports whether a Bearer token claims to be the gateway's.
func (a *App) ours(raw string) bool {
	if rt := a.running.Load(); rt != nil && rt.ring.HasOwnHeader(raw) {
		return true
	}
	issuer, ok := token.UnverifiedIssuer(raw)
	return ok && issuer == a.site.Origin()
}

// problemPage shows a refusal to a person.
func (a *App) problemPage(w http.ResponseWriter, r *http.Request, p wire.Problem) {
	rt := a.running.Load()
	if rt == nil {
		p.WriteJSON(w)
		return
	}
	rt.api.ProblemPage(w, r, p)
}
