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
)

// runtime is the app once it has started.
type runtime struct {
	ring  *token.Ring
	authz *authz.Authorizer
	api   *authapi.API
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
	rt := &runtime{ring: token.NewRing(a.site.Origin(), session, signing)}
	lifetime := cmp.Or(time.Duration(a.SessionLifetime), authz.DefaultSessionLifetime)
	rt.authz = authz.New(authz.Config{
		Store: b.store, Tokens: rt.ring, Services: a.authzServices(),
		Fingerprint:  keyFingerprint(a.site.Origin(), signing, session),
		StaleIfError: time.Duration(a.StaleIfError), SessionIdle: time.Duration(a.SessionIdle),
		Render: gate.Render, Logger: a.logger.Named("authz"),
	}, b.cache)
	sessions := authn.New(authn.Config{
		Store: b.store, Tokens: rt.ring, Logins: a.authnLogins(), Extensions: a.authnExtensions(),
		CallbackURL: a.site.URL("/oauth_callback"), SessionLifetime: lifetime,
		NewUserID:       a.newUserID(),
		IsAccountExists: func(err error) bool { return errors.Is(err, store.ErrAccountExists) },
		SessionEnded:    func(sessionID, _ string) { rt.authz.SessionEnded(sessionID) },
		Logger:          a.logger.Named("authn"),
	})
	rt.api, err = authapi.New(authapi.Config{
		Site: a.site, Next: a.next, DefaultNext: a.DefaultNext, Authn: sessions, Authz: rt.authz, Keys: rt.ring,
		Logins: a.apiLogins(), Logger: a.logger.Named("api"), RequestID: requestID,
	})
	if err != nil {
		return nil, fmt.Errorf("preparing the auth endpoints: %w", err)
	}
	return rt, nil
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
		logins = append(logins, authn.Login{Name: l.Name, Provider: l.provider})
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
