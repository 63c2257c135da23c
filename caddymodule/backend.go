package caddymodule

import (
	"context"
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/internal/store"
)

const (
	// cacheSize is how many decisions a process remembers; one takes about 2 kB.
	cacheSize = 50_000
	// closeDelay leaves requests of an old configuration the time to finish:
	// Caddy cleans up while they are still under way.
	closeDelay = 10 * time.Second
)

// backends are the databases in use, each with the memory that belongs to it.
// They outlive a configuration as long as the next one uses the same database.
var backends = caddy.NewUsagePool()

type backend struct {
	store  *store.Store
	cache  *authz.Cache
	health *health
	log    *zap.Logger
}

func openBackend(ctx context.Context, dsn store.DSN, log *zap.Logger) (*backend, error) {
	cache, err := authz.NewCache(cacheSize)
	if err != nil {
		return nil, err
	}
	s, err := store.Open(ctx, dsn, log)
	if err != nil {
		cache.Close()
		return nil, fmt.Errorf("opening the database %s: %w", dsn, err)
	}
	return &backend{store: s, cache: cache, health: newHealth(s.Ping, nil), log: log}, nil
}

// observed is the database, with metrics.
func (b *backend) observed() observedStore { return observedStore{b.store, metrics} }

// signIn hears how a sign-in ended.
func (b *backend) signIn(login, result string) {
	metrics.logins.WithLabelValues(login, result).Inc()
	b.health.signIn(login, result)
}

// Destruct closes when the last configuration has let go.
func (b *backend) Destruct() error {
	if caddy.Exiting() {
		return b.close()
	}
	time.AfterFunc(closeDelay, func() {
		if err := b.close(); err != nil {
			b.log.Error("closing the database", zap.Error(err))
		}
	})
	return nil
}

func (b *backend) close() error {
	b.cache.Close()
	return b.store.Close()
}

// acquireBackend opens the database, or joins those who have it open.
func (a *App) acquireBackend(ctx context.Context) (*backend, error) {
	log := a.logger.Named("store")
	value, err := a.backend.acquire(backends, a.dsn.Key(), func() (caddy.Destructor, error) {
		return openBackend(ctx, a.dsn, log)
	})
	if err != nil {
		return nil, err
	}
	return value.(*backend), nil
}
