package caddymodule

import (
	"fmt"
	"regexp"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/internal/cache"
	"github.com/datahq/auth-gateway/internal/token"
)

// redisConfig is the Redis of a configuration; without an address there is none.
type redisConfig struct {
	address cache.Address
	prefix  string
	secrets [][]byte
}

var cachePrefix = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,64}$`)

// checkCachePrefix judges what every key in Redis shall begin with.
func checkCachePrefix(prefix string) error {
	if !cachePrefix.MatchString(prefix) {
		return fmt.Errorf("the cache's prefix is %q; expected up to 64 letters, digits, dots, dashes, underscores and colons", prefix)
	}
	return nil
}

// provisionCache reads where Redis is.
func (a *App) provisionCache() error {
	repl := caddy.NewReplacer()
	address, err := resolve(repl, a.Cache)
	if err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	if a.redis.prefix, err = resolve(repl, a.CachePrefix); err != nil {
		return fmt.Errorf("cache: prefix: %w", err)
	}
	if a.redis.prefix != "" {
		if err := checkCachePrefix(a.redis.prefix); err != nil {
			return err
		}
	}
	if address == "" {
		return nil
	}
	if a.redis.address, err = cache.ParseURL(address); err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	return nil
}

func (c redisConfig) configured() bool { return c.address != cache.Address{} }

// key names the Redis in pools.
func (c redisConfig) key() string {
	if !c.configured() {
		return "alone"
	}
	return c.address.Key() + " " + c.prefix
}

// open begins to use Redis; nil if there is none. What other gateways withdraw
// is forgotten in memory.
func (c redisConfig) open(memory *authz.Cache, log *zap.Logger) (*cache.Shared, error) {
	if !c.configured() {
		return nil, nil
	}
	shared, err := cache.OpenShared(c.address, cache.Options{
		Prefix: c.prefix, Secrets: c.secrets, Logger: log.Named("redis"),
		OnDrop: memory.Drop,
		OnWithdraw: func(names []string) {
			metrics.revocations.WithLabelValues("redis").Add(float64(len(names)))
			memory.Withdrawn(names)
		},
		Observer: cache.Observer{Call: metrics.redisCall, Lookup: metrics.redisLookup, Health: metrics.redisHealth},
	})
	if err != nil {
		return nil, fmt.Errorf("opening the cache %s: %w", c.address, err)
	}
	return shared, nil
}

// redisReason says for a person what is wrong with Redis; "" if nothing is.
func redisReason(state string) string {
	if state == "ok" {
		return ""
	}
	return "Redis is of no use now (" + state + "). The database is asked instead."
}

// cacheSecrets are what entries in Redis are sealed with: derived from the
// session keys, which all gateways on one database share, and which rotate.
func cacheSecrets(keys token.Keys) [][]byte {
	secrets := [][]byte{keys.Session.Text()}
	for _, key := range keys.OtherSessions {
		secrets = append(secrets, key.Text())
	}
	return secrets
}

// observedMemory counts what the database's journal withdraws.
type observedMemory struct{ *authz.Cache }

func (m observedMemory) ForgetSession(id string) {
	metrics.revocations.WithLabelValues("database").Inc()
	m.Cache.ForgetSession(id)
}

func (m observedMemory) ForgetUser(id string) {
	metrics.revocations.WithLabelValues("database").Inc()
	m.Cache.ForgetUser(id)
}

// redisCall notes one call to Redis.
func (c *collectors) redisCall(operation string, took time.Duration, err error) {
	c.redis.WithLabelValues(operation).Observe(took.Seconds())
	if err != nil {
		c.redisFails.WithLabelValues(operation).Inc()
	}
}

func (c *collectors) redisLookup(kind string, outcome cache.Outcome) {
	c.cache.WithLabelValues("redis "+kind, string(outcome)).Inc()
}

func (c *collectors) redisHealth(healthy bool) {
	if healthy {
		c.redisUp.Set(1)
		return
	}
	c.redisUp.Set(0)
}
