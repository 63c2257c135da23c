package caddymodule

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/internal/keyring"
)

// storage is Caddy's, which may be shared by a cluster.
type storage = certmagic.Storage

// openKeys finds the keys and makes the ring.
func (a *App) openKeys(ctx context.Context) (*keyring.Ring, error) {
	return keyring.Open(ctx, keyring.Config{
		Issuer: a.site.Origin(), Given: a.keys, Lifetimes: a.storedLifetimes(),
		Store: keyring.NewStore(a.storage), Logger: a.logger.Named("keys"),
	})
}

// storedLifetimes are the kinds of keys that the configuration leaves to the
// storage, and how long their tokens live at most.
func (a *App) storedLifetimes() map[keyring.Kind]time.Duration {
	stored := make(map[keyring.Kind]time.Duration)
	if a.keys.Signing == nil {
		longest := cmp.Or(time.Duration(a.TokenLifetime), authz.DefaultTokenLifetime)
		for _, s := range a.Services {
			longest = max(longest, time.Duration(s.TokenLifetime))
		}
		// Also of unknown services, and of those that a later reload takes away.
		stored[keyring.Signing] = max(longest, authz.DefaultTokenLifetime)
	}
	if a.keys.Session == nil {
		stored[keyring.Session] = cmp.Or(time.Duration(a.SessionLifetime), authz.DefaultSessionLifetime)
	}
	return stored
}

// warnOfLocalKeys tells about keys that other gateways on the same Redis will
// not have: Caddy's own storage is files on one machine. sharedCache says that a
// Redis is configured.
func (a *App) warnOfLocalKeys(sharedCache bool) {
	_, local := a.storage.(*certmagic.FileStorage)
	if !sharedCache || !local || len(a.storedLifetimes()) == 0 {
		return
	}
	a.logger.Warn("there is a shared cache, but the keys are in files on this machine; gateways on other machines would sign with keys of their own: "+
		"give all of them the same signing_key and session_key by file or environment, or a Caddy storage that they share",
		zap.String("storage", fmt.Sprint(a.storage)))
}
