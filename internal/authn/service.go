package authn

import (
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/datahq/auth-gateway/providers"
)

// DefaultSessionLifetime is how long a session lasts where nothing else is
// configured.
const DefaultSessionLifetime = 14 * 24 * time.Hour

// SignedIn is the result of a sign-in that has succeeded, for Config.Observe.
const SignedIn = "success"

// Login is one configured identity provider.
type Login struct {
	// Name is the configured name: the API's provider name and the end of the
	// provider's paths.
	Name string
	// Provider signs people in.
	Provider providers.IdentityProvider
	// CallbackURL is where the provider sends browsers back to, where that is
	// another address than Config.CallbackURL says: one that was registered there
	// long ago. Complete must be called for it as for the shared address.
	CallbackURL string
}

// Config is what a Service is made of.
type Config struct {
	// Store is required.
	Store Store
	// Tokens makes session tokens; required.
	Tokens SessionSigner
	// Logins are the identity providers in the order of the configuration. Names
	// are unique.
	Logins []Login
	// Extensions are told about new users, sign-ins and sign-outs, one after the
	// other in this order.
	Extensions []providers.Extension
	// CallbackURL is the absolute URL that identity providers send browsers back
	// to, such as https://app.example.com/auth/oauth_callback; no trailing slash.
	CallbackURL string
	// SessionLifetime is how long a session lasts; 0 means
	// DefaultSessionLifetime.
	SessionLifetime time.Duration
	// NewUserID names a new account whose identity may be linked by its address
	// (ruling 13); nil makes random names. Accounts that stay apart
	// (providers.AccountSeparator) always get random ones.
	NewUserID func(email string) string
	// IsAccountExists reports whether an error of Store.FindOrCreateUser means
	// that the address belongs to another account; nil means that none does.
	IsAccountExists func(error) bool
	// SessionEnded is told when a session has ended, before any extension, so
	// that caches are cleared (S8); may be nil.
	SessionEnded func(sessionID, userID string)
	// Observe is told how each sign-in ended that was begun or came back: the
	// configured name of its provider, "" if it is not known, and SignedIn or the
	// code of the Error; may be nil.
	Observe func(provider, result string)
	// Logger gets the outcome of every sign-in; nil logs nothing.
	Logger *zap.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Service runs sign-ins and ends sessions. It keeps no state of its own: what
// must survive a reload of the configuration is in the Store. All methods may
// be called by many goroutines at once.
type Service struct {
	store           Store
	tokens          SessionSigner
	logins          []Login
	listeners       listeners
	callbackURL     string
	sessionLifetime time.Duration
	newUserID       func(email string) string
	isAccountExists func(error) bool
	sessionEnded    func(sessionID, userID string)
	observe         func(provider, result string)
	logger          *zap.Logger
	// outages writes each message once a minute: anybody can make any number of
	// requests that meet an outage.
	outages *zap.Logger
	now     func() time.Time
}

// New returns a Service with the defaults of Config filled in.
func New(config Config) *Service {
	s := &Service{
		store:           config.Store,
		tokens:          config.Tokens,
		logins:          append([]Login(nil), config.Logins...),
		callbackURL:     config.CallbackURL,
		sessionLifetime: config.SessionLifetime,
		newUserID:       config.NewUserID,
		isAccountExists: config.IsAccountExists,
		sessionEnded:    config.SessionEnded,
		observe:         config.Observe,
		logger:          config.Logger,
		now:             config.Now,
	}
	if s.sessionLifetime == 0 {
		s.sessionLifetime = DefaultSessionLifetime
	}
	if s.newUserID == nil {
		s.newUserID = func(string) string { return randomID() }
	}
	if s.isAccountExists == nil {
		s.isAccountExists = func(error) bool { return false }
	}
	if s.sessionEnded == nil {
		s.sessionEnded = func(string, string) {}
	}
	if s.observe == nil {
		s.observe = func(string, string) {}
	}
	if s.logger == nil {
		s.logger = zap.NewNop()
	}
	if s.now == nil {
		s.now = time.Now
	}
	s.outages = s.logger.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core {
		return zapcore.NewSamplerWithOptions(core, time.Minute, 1, 0)
	}))
	s.listeners = listeners{extensions: append([]providers.Extension(nil), config.Extensions...), logger: s.logger}
	return s
}

// Logins returns the names of the identity providers in the order of the
// configuration.
func (s *Service) Logins() []string {
	names := make([]string, len(s.logins))
	for i, login := range s.logins {
		names[i] = login.Name
	}
	return names
}

// LoginNamed returns the identity provider of that exact name, and whether
// there is one.
func (s *Service) LoginNamed(name string) (Login, bool) {
	for _, login := range s.logins {
		if login.Name == name {
			return login, true
		}
	}
	return Login{}, false
}
