package caddymodule

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/datahq/auth-gateway/authapi"
	"github.com/datahq/auth-gateway/internal/authn"
	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/internal/gate"
	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/internal/token"
	"github.com/datahq/auth-gateway/providers"
)

// runtime is the app once it has started.
type runtime struct {
	ring  *token.Ring
	authz *authz.Authorizer
	api   *authapi.API
	limit func(r *http.Request, event, account string) (retryAfter time.Duration, ok bool)
}

// assemble opens what the configuration names and puts the parts together.
func (a *App) assemble(ctx context.Context) (*runtime, error) {
	signing, session, err := a.findKeys(ctx)
	if err != nil {
		return nil, err
	}
	b, err := a.acquireBackend(ctx)
	if err != nil {
		return nil, err
	}
	l, err := a.acquireLimiter()
	if err != nil {
		return nil, err
	}
	a.handOut(b)
	rt := &runtime{ring: token.NewRing(a.site.Origin(), session, signing), limit: limitFunc(l)}
	rt.authz = a.newAuthz(rt, b, keyFingerprint(a.site.Origin(), signing, session))
	rt.api, err = a.newAPI(rt, b, a.newAuthn(rt, b))
	if err != nil {
		return nil, fmt.Errorf("preparing the auth endpoints: %w", err)
	}
	return rt, nil
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
		StaleIfError: time.Duration(a.StaleIfError), SessionIdle: time.Duration(a.SessionIdle),
		Render: gate.Render, Logger: a.logger.Named("authz"),
	}
	if a.legacy != nil {
		c.Legacy = &authz.Legacy{Tokens: a.legacy, Users: b.store, Until: a.legacyEnd}
	}
	return authz.New(c, b.cache)
}

func (a *App) newAuthn(rt *runtime, b *backend) *authn.Service {
	return authn.New(authn.Config{
		Store: b.observed(), Tokens: rt.ring, Logins: a.authnLogins(), Extensions: a.authnExtensions(),
		CallbackURL:     a.site.URL("/oauth_callback"),
		SessionLifetime: cmp.Or(time.Duration(a.SessionLifetime), authz.DefaultSessionLifetime),
		NewUserID:       a.newUserID(),
		IsAccountExists: is(store.ErrAccountExists),
		SessionEnded:    func(sessionID, _ string) { rt.authz.SessionEnded(sessionID) },
		Observe:         b.signIn,
		Logger:          a.logger.Named("authn"),
	})
}

func (a *App) newAPI(rt *runtime, b *backend, sessions *authn.Service) (*authapi.API, error) {
	return authapi.New(authapi.Config{
		Site: a.site, Next: a.next, DefaultNext: a.DefaultNext, Authn: sessions, Authz: rt.authz, Keys: rt.ring,
		Users: b.observed(), UserChanged: rt.authz.UserChanged,
		UsernameTaken: is(store.ErrUsernameTaken), UsernameChosen: is(store.ErrUsernameChosen), UsernameInvalid: is(store.ErrUsernameInvalid),
		PublicProfilesOff: isOff(a.PublicProfiles), GravatarOff: isOff(a.Gravatar), Conductor: a.OSConductor,
		Logins: a.apiLogins(), Limit: rt.limit, Health: a.health(b), Logger: a.logger.Named("api"), RequestID: requestID,
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

// keyFingerprint changes when tokens of old decisions might no longer verify.
func keyFingerprint(issuer string, signing *token.SigningKey, session *token.SessionKey) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %s", issuer, signing.ID(), session.Text()))
	return hex.EncodeToString(sum[:])
}

func (a *App) authzServices() []authz.Service {
	services := make([]authz.Service, 0, len(a.Services))
	for _, s := range a.Services {
		services = append(services, authz.Service{
			Name: s.Name, Provider: s.provider, Fingerprint: s.fingerprint,
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
