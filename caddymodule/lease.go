package caddymodule

import (
	"sync"

	"github.com/caddyserver/caddy/v2"
)

// lease is one configuration's hold on something in a pool. Caddy cleans up
// configurations that never started, too: they must not give back what another
// one holds.
type lease struct {
	mu   sync.Mutex
	pool *caddy.UsagePool // nil while nothing is held
	key  any
}

// acquire takes hold of what the pool has under a key, or makes it.
func (l *lease) acquire(pool *caddy.UsagePool, key any, construct caddy.Constructor) (any, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	value, _, err := pool.LoadOrNew(key, construct)
	if err != nil {
		return nil, err
	}
	l.pool, l.key = pool, key
	return value, nil
}

// release lets go, if anything is held.
func (l *lease) release() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pool == nil {
		return nil
	}
	pool := l.pool
	l.pool = nil
	_, err := pool.Delete(l.key)
	return err
}
