package caddymodule

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/datahq/auth-gateway/internal/gate"
	"github.com/datahq/auth-gateway/internal/wire"
)

// collectors are what Caddy's metrics endpoint shows of us. No label holds
// anything that a client chooses: no user, path, address or token (S41).
type collectors struct {
	decisions     *prometheus.CounterVec   // outcome, reason
	logins        *prometheus.CounterVec   // provider, result
	revocations   *prometheus.CounterVec   // origin
	verifications *prometheus.CounterVec   // kind, result
	cache         *prometheus.CounterVec   // layer, result
	database      *prometheus.HistogramVec // operation
	databaseFails *prometheus.CounterVec   // operation
	redis         *prometheus.HistogramVec // operation
	redisFails    *prometheus.CounterVec   // operation
	redisUp       prometheus.Gauge

	// What a hit of the near cache counts, found once.
	known, anonymous  prometheus.Counter
	nearHit, nearMiss prometheus.Counter
}

// metrics are made once for the process: each configuration has a registry of
// its own, and the counts go on across reloads.
var metrics = newCollectors()

// latencies are in seconds: from a row in memory to a database that hangs.
var latencies = []float64{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

func newCollectors() *collectors {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "caddy", Subsystem: "auth", Name: name, Help: help}, labels)
	}
	histogram := func(name, help string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "caddy", Subsystem: "auth", Name: name, Help: help, Buckets: latencies,
		}, []string{"operation"})
	}
	c := &collectors{
		decisions:     counter("decisions_total", "Requests judged by a gate, by outcome (allowed, refused, unavailable) and reason.", "outcome", "reason"),
		logins:        counter("logins_total", "Sign-ins by identity provider and result: success, or the code of the failure.", "provider", "result"),
		revocations:   counter("revocations_total", "Withdrawals of sessions and users from this process's memory, by origin: local, redis or database.", "origin"),
		verifications: counter("token_verifications_total", "Signatures checked, by kind of token and result (valid, invalid).", "kind", "result"),
		cache:         counter("cache_requests_total", "Look-ups by layer (near; redis with what was looked up) and how they ended.", "layer", "result"),
		database:      histogram("database_seconds", "Time that a database operation took."),
		databaseFails: counter("database_errors_total", "Database operations that could not be done.", "operation"),
		redis:         histogram("redis_seconds", "Time that a Redis operation took."),
		redisFails:    counter("redis_errors_total", "Redis operations that could not be done.", "operation"),
		redisUp: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "caddy", Subsystem: "auth", Name: "redis_up",
			Help: "1 while Redis answers and its messages arrive, 0 while the gateway goes on without it: the breaker is open or half open, or the subscription broken.",
		}),
	}
	c.known = c.decisions.WithLabelValues("allowed", "signed_in")
	c.anonymous = c.decisions.WithLabelValues("allowed", "anonymous")
	c.nearHit = c.cache.WithLabelValues("near", "hit")
	c.nearMiss = c.cache.WithLabelValues("near", "miss")
	return c
}

// near counts a look into the near cache.
func (c *collectors) near(hit bool) {
	if hit {
		c.nearHit.Inc()
		return
	}
	c.nearMiss.Inc()
}

// decided counts what a gate has said of a request.
func (c *collectors) decided(p *wire.Problem, st *gate.State) {
	switch {
	case p == nil && st.Decision != nil:
		c.known.Inc()
	case p == nil:
		c.anonymous.Inc()
	case p.Status == http.StatusServiceUnavailable:
		c.decisions.WithLabelValues("unavailable", p.Code).Inc()
	case !gate.IsRefusal(p): // an answered preflight
	default:
		c.decisions.WithLabelValues("refused", p.Code).Inc()
	}
}

// register adds the collectors to a configuration's registry.
func (c *collectors) register(ctx caddy.Context) error {
	registry := ctx.GetMetricsRegistry()
	if registry == nil {
		return nil
	}
	for _, collector := range []prometheus.Collector{
		c.decisions, c.logins, c.revocations, c.verifications, c.cache, c.database, c.databaseFails, c.redis, c.redisFails, c.redisUp,
	} {
		var there prometheus.AlreadyRegisteredError
		if err := registry.Register(collector); err != nil && !errors.As(err, &there) {
			return fmt.Errorf("registering metrics: %w", err)
		}
	}
	return nil
}

// databaseCall notes one call that began at start. What is not there, or cannot
// be done for what it is, is an answer and no failure: failed says so.
func (c *collectors) databaseCall(operation string, start time.Time, failed bool) {
	c.database.WithLabelValues(operation).Observe(time.Since(start).Seconds())
	if failed {
		c.databaseFails.WithLabelValues(operation).Inc()
	}
}
