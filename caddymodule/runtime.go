package caddymodule

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/datahq/auth-gateway/authapi"
	"github.com/datahq/auth-gateway/caddymodule/requestlog"
	"github.com/datahq/auth-gateway/internal/authn"
	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/internal/gate"
	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/internal/token"
	"github.com/datahq/auth-gateway/providers"
)

// freshWithoutBus is how long a decision holds where others may end a session
// without telling.
const freshWithoutBus = 5 * time.Second

// runtime is the app once it has started.
type runtime struct {
	ring  *token.Ring
	authz *authz.Authorizer
	api   *authapi.API
	limit func(r *http.Request, event, account string) (retryAfter time.Duration, ok bool)
}

// assemble opens what the configuration names and puts the parts together.
func (a *App) assemble(ctx context.Context) (*runtime, error) {
	keys, err := a.openKeys(ctx)
	if err != nil {
		return nil, err
	}
	b, err := a.acquireBackend(ctx, keys)
	if err != nil {
		return nil, err
	}
	l, err := a.acquireLimiter(b.shared)
	if err != nil {
		return nil, err
	}
	a.handOut(b)
	rt := &runtime{ring: keys.Tokens(), limit: limitFunc(l)}
	rt.authz = a.newAuthz(rt, b, keys.Fingerprint())
	rt.api, err = a.newAPI(rt, b, a.newAuthn(rt, b))
	if err != nil {
		return nil, fmt.Errorf("preparing the auth endpoints: %w", err)
	}
	return rt, a.useKeys(ctx, keys, b, rt.authz.KeysRemoved)
}

// handOut gives guests what of ours they want.
func (a *App) handOut(b *backend) {
	for _, s := range a.Services {
		if user, ok := s.provider.(providers.GrantStoreUser); ok {
			user.UseGrantStore(b.observed())
		}
	}
}

func (a *App) newAuthz(rt *runtime, b *backend, fingerprint string) *authz.Authorizer {
	c := authz.Config{
		Store: b.observed(), Tokens: observedTokens{rt.ring, metrics}, Services: a.authzServices(), Fingerprint: fingerprint,
		FreshFor: a.freshFor(), StaleIfError: time.Duration(a.StaleIfError), SessionIdle: time.Duration(a.SessionIdle),
		IsCookie: authn.IsCookie, Near: metrics.near, Render: gate.Render, Logger: a.logger.Named("authz"),
	}
	if a.legacy != nil {
		c.Legacy = &authz.Legacy{Tokens: a.legacy, Users: b.store, Until: a.legacyEnd}
		// Without the switch, or on another day, what it let in is not remembered (S4).
		c.Fingerprint += " legacy " + a.AcceptLegacySessions
	}
	return authz.New(c, b.cache)
}

// freshFor is how long a decision is used without asking again: gateways that
// share a database and nothing else hear of each other's sign-outs only when
// they ask it (ruling 2).
func (a *App) freshFor() time.Duration {
	if a.dsn.IsServer() && !a.redis.configured() {
		return freshWithoutBus
	}
	return authz.DefaultFreshFor
}

func (a *App) newAuthn(rt *runtime, b *backend) *authn.Service {
	return authn.New(authn.Config{
		Store: b.attempts(), Tokens: rt.ring, Logins: a.authnLogins(), Extensions: a.authnExtensions(),
		CallbackURL:     a.site.URL("/oauth_callback"),
		SessionLifetime: cmp.Or(time.Duration(a.SessionLifetime), authz.DefaultSessionLifetime),
		NewUserID:       a.newUserID(),
		IsAccountExists: is(store.ErrAccountExists),
		SessionEnded: func(sessionID, _ string) {
			metrics.revocations.WithLabelValues("local").Inc()
			rt.authz.SessionEnded(sessionID)
		},
		Observe: b.signIn,
		Logger:  a.logger.Named("authn"),
	})
}

func (a *App) newAPI(rt *runtime, b *backend, sessions *authn.Service) (*authapi.API, error) {
	return authapi.New(authapi.Config{
		Site: a.site, Next: a.next, DefaultNext: a.DefaultNext, Authn: sessions, Authz: rt.authz, Keys: rt.ring,
		Users: b.observed(), UserChanged: rt.authz.UserChanged,
		UsernameTaken: is(store.ErrUsernameTaken), UsernameChosen: is(store.ErrUsernameChosen), UsernameInvalid: is(store.ErrUsernameInvalid),
		PublicProfilesOff: isOff(a.PublicProfiles), GravatarOff: isOff(a.Gravatar), Conductor: a.OSConductor,
		Logins: a.apiLogins(), Limit: rt.limit, Health: a.health(b), Logger: a.logger.Named("api"), RequestID: requestlog.RequestID,
	})
}

// health tells how the parts are that this configuration uses.
func (a *App) health(b *backend) func(context.Context) map[string]authapi.HealthCheck {
	logins := make([]string, 0, len(a.Logins))
	for _, l := range a.Logins {
		logins = append(logins, l.Name)
	}
	return func(ctx context.Context) map[string]authapi.HealthCheck { return b.health.checks(ctx, logins) }
}

// is tells one error.
func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func (a *App) authzServices() []authz.Service {
	services := make([]authz.Service, 0, len(a.Services))
	for _, s := range a.Services {
		local, _ := s.provider.(providers.LocalAnswerer)
		services = append(services, authz.Service{
			Name: s.Name, Provider: s.provider, Fingerprint: s.fingerprint, Near: local != nil && local.AnswersLocally(),
			TokenLifetime: time.Duration(cmp.Or(s.TokenLifetime, a.TokenLifetime)),
		})
	}
	return services
}

func (a *App) authnLogins() []authn.Login {
	logins := make([]authn.Login, 0, len(a.Logins))
	for _, l := range a.Logins {
		login := authn.Login{Name: l.Name, Provider: l.provider}
		if a.OSConductorCallback && l.Name == "google" {
			login.CallbackURL = a.site.Origin() + authapi.ConductorCallback
		}
		logins = append(logins, login)
	}
	return logins
}

func (a *App) apiLogins() []authapi.Login {
	logins := make([]authapi.Login, 0, len(a.Logins))
	for _, l := range a.Logins {
		pages, _ := l.provider.(http.Handler)
		logins = append(logins, authapi.Login{Name: l.Name, Pages: pages})
	}
	return logins
}
