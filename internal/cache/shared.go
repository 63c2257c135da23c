package cache

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/sony/gobreaker/v2"
	"go.uber.org/zap"
)

const (
	// DefaultPrefix begins the name of every key and channel in Redis.
	DefaultPrefix = "auth-gateway"
	// DefaultLifetime is how long an entry lives in Redis at most (ruling 2).
	DefaultLifetime = time.Minute
)

// Options are how a Shared is used.
type Options struct {
	// Prefix begins the name of every key and channel; "" means DefaultPrefix.
	// Gateways with the same prefix, Redis and number of database belong together.
	Prefix string
	// Secrets are what the sealing keys are derived from, each of at least 16 bytes.
	// The first one seals and all of them open.
	Secrets [][]byte
	// Lifetime is how long an entry lives at most, and so how long this gateway
	// listens before it believes any; at most, and by default, 60 s.
	Lifetime time.Duration
	// Logger; nil means none.
	Logger *zap.Logger
	// OnDrop is called when withdrawals may have been missed: everything that is
	// remembered must be forgotten. Neither it nor OnWithdraw may wait; both are
	// called by one goroutine, before OpenShared has returned too.
	OnDrop func()
	// OnWithdraw is called when another gateway has withdrawn names.
	OnWithdraw func(names []string)
	// Observer is told what happens.
	Observer Observer
	// Now is the clock by which entries are fresh; nil means time.Now.
	Now func() time.Time
}

// Shared is what gateways have in common in a Redis: entries, withdrawals of
// them, attempts to sign in, and counts. It works as long as Redis does, ends no
// request when Redis does not, and comes back by itself.
//
// What stands in Redis is sealed. Whoever writes there can make gateways forget,
// and delay a withdrawal by the lifetime of an entry if he also cuts their
// connections; he cannot make up an answer (S40).
type Shared struct {
	Options
	client   redis.UniversalClient
	breaker  *gobreaker.TwoStepCircuitBreaker[struct{}]
	health   *health
	trust    *trust
	sealer   *sealer
	instance string
	// channel is where withdrawals are told. Channels know no numbers of
	// databases, so that the number is in the name.
	channel string
	cancel  context.CancelFunc
	ended   chan struct{}
}

// OpenShared begins to use a Redis, which need not be there yet. An error means
// that something is wrong with the address or options.
func OpenShared(a Address, o Options) (*Shared, error) {
	if o.Prefix == "" {
		o.Prefix = DefaultPrefix
	}
	if o.Lifetime <= 0 || o.Lifetime > DefaultLifetime {
		o.Lifetime = DefaultLifetime
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.OnDrop == nil {
		o.OnDrop = func() {}
	}
	if o.OnWithdraw == nil {
		o.OnWithdraw = func([]string) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	sealer, err := newSealer(o.Secrets)
	if err != nil {
		return nil, fmt.Errorf("opening Redis: %w", err)
	}
	// The library would write a line to standard error for each failed attempt to
	// connect.
	redis.SetLogger(libraryLog{o.Logger})
	client, err := a.open()
	if err != nil {
		return nil, fmt.Errorf("opening Redis: %w", err)
	}
	s := &Shared{Options: o, client: client, sealer: sealer, trust: newTrust(o.Lifetime), instance: rand.Text(), ended: make(chan struct{})}
	s.channel = fmt.Sprintf("%s:v1:bus:%d", s.Prefix, a.database)
	s.health = newHealth(o.Logger.With(zap.Stringer("redis", a)), s.Observer.health)
	s.breaker = newBreaker(s.health.breaker)
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	go func() {
		defer close(s.ended)
		s.listenAlways(ctx)
	}()
	return s, nil
}

// SetSecrets exchanges Options.Secrets, whose rules hold: keys rotate.
func (s *Shared) SetSecrets(secrets [][]byte) error {
	if err := s.sealer.use(secrets); err != nil {
		return fmt.Errorf("exchanging the secrets for Redis: %w", err)
	}
	return nil
}

// Close ends all connections and goroutines. Requests that come later find no
// Redis.
func (s *Shared) Close() error {
	s.health.close()
	s.trust.end()
	s.cancel()
	<-s.ended
	if err := s.client.Close(); err != nil {
		return fmt.Errorf("closing Redis: %w", err)
	}
	return nil
}

// place is the Redis key of something.
func (s *Shared) place(kind string, key Key) string {
	return s.Prefix + ":v1:" + kind + ":" + hex.EncodeToString(key[:])
}

// libraryLog takes what the Redis library has to say, which health says better.
type libraryLog struct{ logger *zap.Logger }

func (l libraryLog) Printf(_ context.Context, format string, v ...any) {
	if l.logger.Core().Enabled(zap.DebugLevel) {
		l.logger.Debug("Redis library", zap.String("message", fmt.Sprintf(format, v...)))
	}
}
