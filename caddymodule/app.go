package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/caddymodule/requestlog"
	"github.com/datahq/auth-gateway/internal/gate"
	"github.com/datahq/auth-gateway/internal/keyring"
	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/internal/token"
	"github.com/datahq/auth-gateway/internal/wire"
)

func init() {
	caddy.RegisterModule(new(App))
}

// App signs people in, knows what each of them may do in each service, and
// keeps the sessions. The handlers `auth_api` and `auth_gate` use it; a
// configuration has one.
//
// Strings may hold placeholders such as `{env.NAME}` and `{file./absolute/path}`,
// which are replaced when the configuration is loaded and never appear in it.
type App struct {
	// ExternalAddress is the origin under which users reach the gateway, such as
	// `https://app.example.com`. Without a scheme, https is meant. Plain http is
	// for loopback alone. If every listener of the server that has `auth_api` is on
	// loopback, the default is `http://localhost:<port>`.
	ExternalAddress string `json:"external_address,omitempty"`

	// Path is where the auth endpoints are. Default: `/auth`.
	Path string `json:"path,omitempty"`

	// Database is where users and sessions are kept, as a URL in SQLAlchemy's
	// form: `sqlite:////var/lib/auth/auth.db`,
	// `postgresql://user:password@host/database` or
	// `mysql://user:password@host/database`. Default: the environment variable
	// DATABASE_URL, else `auth/auth.db` in Caddy's data directory.
	Database string `json:"database,omitempty"`

	// DatabasePool bounds the connections to a database server. A reload changes
	// it without opening the database again.
	DatabasePool *DatabasePool `json:"database_pool,omitempty"`

	// Cache is a Redis that all gateways on one database share:
	// `redis://user:password@host:6379/0`, `rediss://` with TLS,
	// `unix:///socket`, or Sentinel and Cluster URLs. It holds sessions,
	// permissions, sign-ins under way and rate limits, and tells the gateways at
	// once what has ended. Default: the environment variable REDIS_URL, else
	// each gateway remembers by itself.
	Cache string `json:"cache,omitempty"`

	// CachePrefix begins every key in Redis. Default: `auth-gateway`.
	CachePrefix string `json:"cache_prefix,omitempty"`

	// SigningKey is the RSA private key that signs permission tokens: PEM text
	// (PKCS#1 or PKCS#8, at least 2048 bits) or the path of a file that holds it.
	// Default: the environment variable PRIVATE_KEY, else a key that is made once
	// and kept in Caddy's storage.
	SigningKey string `json:"signing_key,omitempty"`

	// SigningKeyNext are keys that will sign: tokens of theirs are accepted, and
	// they are published with the others. SigningKeyRetired are those that have
	// signed, for as long as their tokens live. Each is given as SigningKey is, and
	// the public half is enough.
	SigningKeyNext    []string `json:"signing_key_next,omitempty"`
	SigningKeyRetired []string `json:"signing_key_retired,omitempty"`

	// PublicKey is the PEM text that `public-key` shows, or the path of a file. It
	// must belong to the signing key. Default: the environment variable PUBLIC_KEY,
	// else it is derived.
	PublicKey string `json:"public_key,omitempty"`

	// SessionKey signs session tokens: 32 random bytes or more in base64, or the
	// path of a file. Default: made once and kept in Caddy's storage.
	SessionKey string `json:"session_key,omitempty"`

	// SessionKeyNext and SessionKeyRetired are keys that will sign session tokens
	// and that have: their tokens are accepted. Each is given as SessionKey is.
	SessionKeyNext    []string `json:"session_key_next,omitempty"`
	SessionKeyRetired []string `json:"session_key_retired,omitempty"`

	// Logins are the identity providers, in the order in which the login page
	// shows them.
	Logins []*Login `json:"logins,omitempty"`

	// Services are what is protected.
	Services []*Service `json:"services,omitempty"`

	// Extensions are told about new users, sign-ins and sign-outs. Caddy's event
	// handlers are told as well: `new_user`, `user_login` and `user_logout`.
	Extensions []*Extension `json:"extensions,omitempty"`

	// AllowNext lists where browsers may be sent after signing in or out, besides
	// this site: origins with an optional path prefix, such as
	// `https://frontend.example.com`. Pages of these origins may call the API.
	AllowNext []string `json:"allow_next,omitempty"`

	// LoopbackNext allows `http://localhost`, `http://127.0.0.1` and
	// `http://[::1]` with any port as destinations, for command-line tools
	// (RFC 8252 section 7.3). Default: true.
	LoopbackNext *bool `json:"loopback_next,omitempty"`

	// DefaultNext is where a browser goes that signed in without saying where it
	// wants to go. Default: the account page.
	DefaultNext string `json:"default_next,omitempty"`

	// SessionLifetime ends a session whatever happens. Default: 14 days.
	SessionLifetime caddy.Duration `json:"session_lifetime,omitempty"`

	// SessionIdle ends a session that has not been used for so long. Default: the
	// session's lifetime.
	SessionIdle caddy.Duration `json:"session_idle,omitempty"`

	// TokenLifetime of permission tokens, where a service does not say
	// otherwise. Default: 12 hours.
	TokenLifetime caddy.Duration `json:"token_lifetime,omitempty"`

	// StaleIfError is how long a decision that is no longer fresh may serve while
	// the database does not answer. Default: 60 seconds; negative: not at all.
	StaleIfError caddy.Duration `json:"stale_if_error,omitempty"`

	// UserIDs is `md5_email` to give new users the MD5 of their e-mail address as
	// their ID, as the original service did, for services that compute it
	// themselves. Whoever knows an address then knows the ID, and whoever has the ID
	// can try addresses. Default: random.
	UserIDs string `json:"user_ids,omitempty"`

	// PublicProfiles lets anybody ask for a user's ID, name and picture by
	// username (`resolve` and `get_profile`). Default: true.
	PublicProfiles *bool `json:"public_profiles,omitempty"`

	// Gravatar puts the MD5 of the e-mail address into public profiles. Default:
	// true.
	Gravatar *bool `json:"gravatar,omitempty"`

	// OSConductor also serves os-conductor's API: `/user/*` and
	// `/oauth/google_callback`.
	OSConductor bool `json:"os_conductor,omitempty"`

	// OSConductorCallback sends the sign-ins of the login `google` back to
	// `/oauth/google_callback`, for a registration at Google that names nothing else.
	OSConductorCallback bool `json:"os_conductor_callback,omitempty"`

	// AcceptLegacySessions is the day, as in `2026-12-31`, up to which session
	// tokens of the original service count at `check` and `authorize`. They are
	// verified with the text of the signing key, which must be given. Default: they
	// do not count.
	AcceptLegacySessions string `json:"accept_legacy_sessions,omitempty"`

	// RateLimits bound what one client address may do.
	RateLimits *RateLimits `json:"rate_limits,omitempty"`

	// UnguardedRoutes says what happens when a server that has one of the
	// directives also has proxied routes that no gate stands before, rewrites
	// behind a gate, sign-in pages behind one, a route to Caddy's admin API, or
	// metrics for everybody: `warn` logs it, `error` refuses the configuration.
	// Default: `warn`.
	UnguardedRoutes string `json:"unguarded_routes,omitempty"`

	// Errors says who writes the gates' refusals: `handle` hands them to the
	// site's `handle_errors` routes, with the placeholders `{http.auth.error.code}`,
	// `{http.auth.error.detail}` and `{http.auth.error.login_url}`. Default: the
	// gate itself.
	Errors string `json:"errors,omitempty"`

	logger    *zap.Logger
	logs      *requestlog.Logs
	storage   storage
	site      *wire.Site
	next      *wire.NextPolicy
	reserved  *gate.Reserved
	walked    map[*caddyhttp.Server]bool
	exposed   bool // a warning of listeners has been given
	dsn       store.DSN
	redis     redisConfig
	keys      keyring.Given
	closeKeys func()
	node      lease
	backend   lease
	limiter   lease
	events    *eventEmitter
	legacy    *token.Legacy // nil: none count
	legacyEnd time.Time
	ready     chan struct{}
	running   atomic.Pointer[runtime]
}

// CaddyModule returns the Caddy module information.
func (*App) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "auth", New: func() caddy.Module { return new(App) }}
}

// Provision checks all that can be checked without the network and without
// changing anything: it also runs for "validate".
func (a *App) Provision(ctx caddy.Context) error {
	a.logger = ctx.Logger()
	a.storage = ctx.Storage()
	a.ready = make(chan struct{})
	a.reserved = new(gate.Reserved)
	a.logs = requestlog.New(ctx.Logger(new(caddyhttp.App)))
	if err := metrics.register(ctx); err != nil {
		return err
	}
	if err := a.provisionEnvironment(); err != nil {
		return err
	}
	if a.ExternalAddress == "" && serverOf(ctx) == nil {
		// Only a handler knows the listeners that tell the address; Caddy provisions
		// apps in any order.
		return nil
	}
	return a.provision(ctx)
}

// provision does the work of Provision, once.
func (a *App) provision(ctx caddy.Context) error {
	if a.site != nil {
		return nil
	}
	if a.ExternalAddress == "" {
		a.ExternalAddress = loopbackAddress(serverOf(ctx))
	}
	for _, step := range []func() error{a.provisionStrings, a.provisionSite, a.provisionKeys, a.provisionDatabase, a.provisionCache, a.provisionCompatibility, a.provisionRateLimits, a.checkNames} {
		if err := step(); err != nil {
			return err
		}
	}
	for _, step := range []func(caddy.Context) error{a.provisionLogins, a.provisionServices, a.provisionExtensions} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Start opens the database, finds the keys and begins to serve.
func (a *App) Start() error {
	if a.site == nil {
		return errors.New("external_address is missing; expected an origin such as https://app.example.com")
	}
	ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
	defer cancel()
	rt, err := a.assemble(ctx)
	if err != nil {
		return err
	}
	a.logs.Check(a.logger)
	a.running.Store(rt)
	close(a.ready)
	return nil
}

// Stop does nothing: requests that are under way still need everything.
func (a *App) Stop() error { return nil }

// Cleanup gives back what other configurations may share.
func (a *App) Cleanup() error {
	if a.closeKeys != nil {
		a.closeKeys()
	}
	return errors.Join(a.node.release(), a.backend.release(), a.limiter.release())
}

// runtime waits until the app has started: Caddy starts apps in any order, so
// requests may come first.
func (a *App) runtime(ctx context.Context) (*runtime, error) {
	if rt := a.running.Load(); rt != nil {
		return rt, nil
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	select {
	case <-a.ready:
		return a.running.Load(), nil
	case <-ctx.Done():
		return nil, fmt.Errorf("the auth app has not started: %w", ctx.Err())
	}
}

// Interface guards
var (
	_ caddy.App          = (*App)(nil)
	_ caddy.Provisioner  = (*App)(nil)
	_ caddy.CleanerUpper = (*App)(nil)
)
