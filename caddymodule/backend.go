package caddymodule

import (
	"context"
	"fmt"
	"sync"
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
	store *store.Store
	cache *authz.Cache
	log   *zap.Logger
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
	return &backend{store: s, cache: cache, log: log}, nil
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

// lease is one configuration's hold on a backend. Cleanup also runs for a
// configuration that never started: it must not give back what another holds.
type lease struct {
	mu   sync.Mutex
	key  string
	held bool
}

func (l *lease) acquire(ctx context.Context, dsn store.DSN, log *zap.Logger) (*backend, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := dsn.Key()
	value, _, err := backends.LoadOrNew(key, func() (caddy.Destructor, error) {
		return openBackend(ctx, dsn, log)
	})
	if err != nil {
		return nil, err
	}
	l.key, l.held = key, true
	return value.(*backend), nil
}

func (l *lease) release() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.held {
		return nil
	}
	l.held = false
	_, err := backends.Delete(l.key)
	return err
}
