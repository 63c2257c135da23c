package caddymodule

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/datahq/auth-gateway/internal/cache"
	"github.com/datahq/auth-gateway/internal/wire"
)

// limiterSize is how many addresses are remembered.
const limiterSize = 100_000

// RateLimits bound what one client address may do (S37). The address is the
// one Caddy knows, which honours `trusted_proxies`.
type RateLimits struct {
	// Off switches all limits off.
	Off bool `json:"off,omitempty"`

	// Exempt lists addresses and networks that are not limited, such as those of
	// services that ask for many users.
	Exempt []string `json:"exempt,omitempty"`

	// Limits replace the defaults, by what they limit: `login` (sign-ins that
	// start) and `callback` (300 at once, 300 a minute), `bad_token` (1000, 1000),
	// `profile` (resolve and get_profile: 200, 200) and, by account, `update` (10,
	// 10) and `authorize` (1000, 1000).
	Limits map[string]RateLimit `json:"limits,omitempty"`
}

// RateLimit is one limit.
type RateLimit struct {
	// Burst is how many may come at once.
	Burst int `json:"burst,omitempty"`

	// PerMinute is how many may come in the long run.
	PerMinute int `json:"per_minute,omitempty"`
}

// defaultLimits leave room for a company behind one address, and for a program
// that signs in over and over, but not for trying things out by the thousand.
var defaultLimits = map[string]RateLimit{
	"login":     {Burst: 300, PerMinute: 300},
	"callback":  {Burst: 300, PerMinute: 300},
	"bad_token": {Burst: 1000, PerMinute: 1000},
	"profile":   {Burst: 200, PerMinute: 200},
	"update":    {Burst: 10, PerMinute: 10},
	"authorize": {Burst: 1000, PerMinute: 1000},
}

// limiters outlive a configuration as long as the next one has the same
// limits: a reload forgives nobody.
var limiters = caddy.NewUsagePool()

// pooledLimiter is a limiter in the pool.
type pooledLimiter struct{ *cache.Limiter }

// Destruct implements caddy.Destructor.
func (l pooledLimiter) Destruct() error {
	time.AfterFunc(closeDelay, l.Close)
	return nil
}

// provisionRateLimits checks the limits; the limiter itself is made at start.
func (a *App) provisionRateLimits() error {
	if a.RateLimits == nil {
		a.RateLimits = new(RateLimits)
	}
	for _, text := range a.RateLimits.Exempt {
		if _, err := parsePrefix(text); err != nil {
			return fmt.Errorf("rate_limits: exempt %q is no address; expected something like 10.0.0.0/8 or 192.0.2.1", text)
		}
	}
	for name, limit := range a.RateLimits.Limits {
		if _, known := defaultLimits[name]; !known {
			return fmt.Errorf("rate_limits: unknown limit %q; %s", name, expected(name, sortedKeys(defaultLimits)))
		}
		if limit.Burst < 1 || limit.PerMinute < 1 {
			return fmt.Errorf("rate_limits: %s is %d at once and %d a minute; expected at least 1 of each", name, limit.Burst, limit.PerMinute)
		}
	}
	return nil
}

func parsePrefix(text string) (netip.Prefix, error) {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return prefix.Masked(), nil
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	return address.Prefix(address.BitLen())
}

// acquireLimiter returns the limiter of this configuration; nil if limits are
// off. With Redis all gateways count together.
func (a *App) acquireLimiter(shared *cache.Shared) (*cache.Limiter, error) {
	if a.RateLimits.Off {
		return nil, nil
	}
	key, err := json.Marshal(a.RateLimits)
	if err != nil {
		return nil, fmt.Errorf("reading the rate limits: %w", err)
	}
	value, err := a.limiter.acquire(limiters, a.backendKey()+" "+string(key), func() (caddy.Destructor, error) {
		limits := make(map[string]cache.Limit, len(defaultLimits))
		for name, limit := range defaultLimits {
			if own, set := a.RateLimits.Limits[name]; set {
				limit = own
			}
			limits[name] = cache.Limit(limit)
		}
		var exempt []netip.Prefix
		for _, text := range a.RateLimits.Exempt {
			prefix, err := parsePrefix(text)
			if err != nil {
				return nil, err
			}
			exempt = append(exempt, prefix)
		}
		l, err := cache.NewLimiter(limiterSize, limits, exempt, shared)
		if err != nil {
			return nil, fmt.Errorf("making the rate limiter: %w", err)
		}
		return pooledLimiter{l}, nil
	})
	if err != nil {
		return nil, err
	}
	return value.(pooledLimiter).Limiter, nil
}

// limitFunc is how the endpoints and gates count: by the client's address, or
// by an account.
func limitFunc(l *cache.Limiter) func(r *http.Request, event, account string) (time.Duration, bool) {
	if l == nil {
		return nil
	}
	return func(r *http.Request, event, account string) (time.Duration, bool) {
		if account != "" {
			return l.AllowName(r.Context(), event, account)
		}
		return l.Allow(r.Context(), event, clientAddress(r))
	}
}

// tooManyKey is where countBadToken notes when to try again.
const tooManyKey = "auth_too_many"

// countBadToken counts a credential at a gate, also at one that turns nobody
// away, that is none. A dead cookie that a browser sends with every request
// counts when the database is asked for it, every few seconds.
func countBadToken(ctx context.Context, rt *runtime) {
	if rt.limit == nil {
		return
	}
	if retryAfter, ok := rt.limit(new(http.Request).WithContext(ctx), "bad_token", ""); !ok {
		caddyhttp.SetVar(ctx, tooManyKey, retryAfter)
	}
}

// limitBadToken says so to whoever tries too many, instead of the refusal of
// his credential. What a gate lets through is not limited (ruling 7).
func limitBadToken(r *http.Request, p *wire.Problem) *wire.Problem {
	retryAfter, tooMany := caddyhttp.GetVar(r.Context(), tooManyKey).(time.Duration)
	if !tooMany || p.Status != http.StatusUnauthorized {
		return p
	}
	return &wire.Problem{
		Status: http.StatusTooManyRequests, Code: wire.CodeRateLimited,
		Detail: "Too many requests with a credential that is not valid. Try again later.", RetryAfter: max(retryAfter, time.Second),
	}
}

// clientAddress is the address a request came from, as Caddy knows it.
func clientAddress(r *http.Request) string {
	address, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	return address
}
