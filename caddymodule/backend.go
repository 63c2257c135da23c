package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/internal/cache"
	"github.com/datahq/auth-gateway/internal/keyring"
	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/internal/token"
)

const (
	// cacheSize is how many decisions a process remembers; one takes about 2 kB.
	cacheSize = 50_000
	// closeDelay leaves requests of an old configuration the time to finish:
	// Caddy cleans up while they are still under way.
	closeDelay = 10 * time.Second
)

// backends are the databases in use, each with its Redis and the memory that
// belongs to them. They outlive a configuration as long as the next one uses the
// same.
var backends = caddy.NewUsagePool()

// backend is where everything is kept.
type backend struct {
	store  *store.Store
	shared *cache.Shared // nil without Redis
	cache  *authz.Cache
	health *health
	log    *zap.Logger

	stopFeed context.CancelFunc
	feedDone chan struct{}
}

// openBackend opens the database and follows what others change in it. Redis
// need not be there.
func openBackend(ctx context.Context, dsn store.DSN, redis redisConfig, log *zap.Logger) (*backend, error) {
	memory, err := authz.NewCache(cacheSize)
	if err != nil {
		return nil, err
	}
	b := &backend{cache: memory, log: log}
	if b.store, err = store.Open(ctx, dsn, log); err != nil {
		memory.Close()
		return nil, fmt.Errorf("opening the database %s: %w", dsn, err)
	}
	b.health = newHealth(b.store.Ping, nil, log)
	if b.shared, err = redis.open(memory, log); err != nil {
		return nil, errors.Join(err, b.close())
	}
	if b.shared != nil {
		memory.Use(b.shared)
		b.health.cache = func() string { return redisReason(b.shared.State()) }
	}
	feed, err := newFeed(ctx, b.store, observedMemory{memory}, log)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading the changes in the database %s: %w", dsn, err), b.close())
	}
	following, stop := context.WithCancel(context.Background())
	b.stopFeed, b.feedDone = stop, make(chan struct{})
	go func() {
		defer close(b.feedDone)
		feed.run(following)
	}()
	return b, nil
}

// observed is the database, with metrics.
func (b *backend) observed() observedStore { return observedStore{b.store, metrics, b.health.writes} }

// attempts is observed, with the sign-ins under way in Redis if there is one.
func (b *backend) attempts() attemptStore { return attemptStore{b.observed(), b.shared} }

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
	if b.stopFeed != nil {
		b.stopFeed()
		<-b.feedDone
	}
	var err error
	if b.shared != nil {
		err = b.shared.Close()
	}
	b.cache.Close()
	return errors.Join(err, b.store.Close())
}

// backendKey names what this configuration keeps things in. Redis belongs to it,
// since both speak of the same sessions.
func (a *App) backendKey() string { return a.dsn.Key() + " " + a.redis.key() }

// acquireBackend opens the database and Redis, or joins those who have them
// open.
func (a *App) acquireBackend(ctx context.Context, keys *keyring.Ring) (*backend, error) {
	log, redis := a.logger.Named("store"), a.redis
	redis.secrets = cacheSecrets(keys.Tokens().Keys())
	value, err := a.backend.acquire(backends, a.backendKey(), func() (caddy.Destructor, error) {
		return openBackend(ctx, a.dsn, redis, log)
	})
	if err != nil {
		return nil, err
	}
	b := value.(*backend)
	b.store.Tune(a.DatabasePool.limits())
	b.useSecrets(keys.Tokens().Keys())
	return b, nil
}

// useSecrets seals entries in Redis with the keys of now.
func (b *backend) useSecrets(keys token.Keys) {
	if b.shared == nil {
		return
	}
	if err := b.shared.SetSecrets(cacheSecrets(keys)); err != nil {
		b.log.Error("exchanging the keys for Redis", zap.Error(err))
	}
}
