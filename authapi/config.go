package authapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/authn"
	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/internal/wire"
	"github.com/datahq/auth-gateway/providers"
)

// Authn is what authapi needs of package authn.
type Authn interface {
	Begin(ctx context.Context, provider string, request authn.Request) (authn.Start, error)
	Complete(ctx context.Context, pathProvider string, query url.Values, binding func(state string) string) (authn.Result, error)
	Sessions
}

// Sessions is what of that concerns sessions.
type Sessions interface {
	SessionToken(session providers.Session) (string, error)
	// End ends a session, EndAll all of a user.
	End(ctx context.Context, user providers.User, session providers.Session) error
	EndAll(ctx context.Context, user providers.User) error
	// EndByCookie and EndByID end a session, or all of its user, whatever authz says
	// of it; one that is not there is providers.ErrNotFound.
	EndByCookie(ctx context.Context, cookie string, everywhere bool) error
	EndByID(ctx context.Context, id string, everywhere bool) error
	// Alive reports whether a session is there.
	Alive(ctx context.Context, sessionID string) (bool, error)
}

// Authz is what authapi needs of package authz.
type Authz interface {
	Decide(ctx context.Context, c authz.Credential, service string) (*authz.Decision, error)
	Mint(d *authz.Decision) (token string, err error)
}

// Users is what authapi needs of the database.
type Users interface {
	// User and UserByUsername return a user, the latter whatever the case of the
	// name, or providers.ErrNotFound.
	User(ctx context.Context, id string) (providers.User, error)
	UserByUsername(ctx context.Context, username string) (providers.User, error)
	// ChooseUsername gives a user the name of his choice, which he can do once
	// (S28): in the DataHQ dialect if he has none at all, with keepCase, as
	// os-conductor's, if he has not chosen one, and then it is shown as it is typed.
	// Errors
	// are providers.ErrNotFound and those that Config.UsernameTaken,
	// Config.UsernameChosen and Config.UsernameInvalid know; any other means that it
	// cannot be done now.
	ChooseUsername(ctx context.Context, userID, username string, keepCase bool) error
	// UsernameChosen returns the name that a user has chosen, as it is shown, and
	// whether he has; names of the original's rows count as chosen (ruling 14).
	UsernameChosen(ctx context.Context, userID string) (display string, chosen bool, err error)
}

// Keys are the public keys that permission tokens are verified with. Both
// methods are called for each request, since keys rotate.
type Keys interface {
	// PublicKeyPEM is the active key, "-----BEGIN PUBLIC KEY-----" and so on.
	PublicKeyPEM() []byte
	// JWKS is the JSON Web Key Set of all keys (RFC 7517 section 5).
	JWKS() []byte
}

// Login is one way to sign in.
type Login struct {
	// Name is the configured name of the identity provider, the API's provider
	// name and a path segment: lower-case letters, digits, "-", "_" and ".".
	Name string
	// DisplayName is what people see; "" makes one of Name.
	DisplayName string
	// Pages are the provider's own, served below login/<name>/; nil if it has
	// none. They get paths that begin with "/".
	Pages http.Handler
}

// Config is what an API is made of.
type Config struct {
	// Site is where the gateway lives; required, as are Next, Authn, Authz and
	// Keys.
	Site *wire.Site
	// Next says where browsers may be sent.
	Next *wire.NextPolicy
	// DefaultNext is where a sign-in without a destination ends: a path of the
	// site or an allowed URL; "" means the account page.
	DefaultNext string
	Authn       Authn
	Authz       Authz
	Keys        Keys
	// Users is what "update", "resolve" and "get_profile" need, which are not
	// served without it; Conductor requires it.
	Users Users
	// UsernameTaken, UsernameChosen and UsernameInvalid tell the errors of
	// Users.ChooseUsername: somebody else has the name, the user has chosen one
	// before, or it is no possible name. Each may be nil, which knows none.
	UsernameTaken, UsernameChosen, UsernameInvalid func(error) bool
	// UserChanged is told when a user has been changed in the database, so that
	// caches are cleared; may be nil.
	UserChanged func(userID string)
	// PublicProfilesOff makes "resolve" and "get_profile" answer that there is no
	// such user, whoever is asked for (S36).
	PublicProfilesOff bool
	// GravatarOff leaves the hash of the address, "gravatar", out of public
	// profiles: it is null there (S36).
	GravatarOff bool
	// Limit counts an event of the request's client address or, if account is not
	// empty, of that account, and reports whether it may happen; if not, when to try
	// again (S37). Events are login, callback, bad_token, profile, update and authorize. Nil
	// means no limits.
	Limit func(r *http.Request, event, account string) (retryAfter time.Duration, ok bool)
	// Conductor also speaks os-conductor's dialect: see API.Conductor.
	Conductor bool
	// Logins are the ways to sign in, in the order they are offered.
	Logins []Login
	// SessionLifetime is how long a browser keeps the cookie of a session that
	// does not say when it ends; 0 means authn.DefaultSessionLifetime.
	SessionLifetime time.Duration
	// Health tells the state of the parts by name, such as "database"; nil means
	// that there are none. It is called for each "health/ready".
	Health func(ctx context.Context) map[string]HealthCheck
	// Logger gets what a person is shown as a failure; nil logs nothing.
	Logger *zap.Logger
	// RequestID names a request, as in the logs; nil leaves it out.
	RequestID func(*http.Request) string
}

// complete checks a configuration and fills in its defaults.
func (c *Config) complete() error {
	if c.Site == nil || c.Next == nil || c.Authn == nil || c.Authz == nil || c.Keys == nil {
		return errors.New("authapi: Site, Next, Authn, Authz and Keys are required")
	}
	if c.DefaultNext != "" {
		if _, err := c.Next.Check(c.DefaultNext); err != nil {
			return fmt.Errorf("default_next %q: %w", c.DefaultNext, err)
		}
	}
	if err := c.completeUsers(); err != nil {
		return err
	}
	seen := make(map[string]bool, len(c.Logins))
	for _, login := range c.Logins {
		if !isLoginName(login.Name) {
			return fmt.Errorf("login %q: expected a name of lower-case letters, digits, \"-\", \"_\" and \".\"", login.Name)
		}
		if seen[login.Name] {
			return fmt.Errorf("login %q is there twice", login.Name)
		}
		seen[login.Name] = true
	}
	if c.SessionLifetime == 0 {
		c.SessionLifetime = authn.DefaultSessionLifetime
	}
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	if c.RequestID == nil {
		c.RequestID = func(*http.Request) string { return "" }
	}
	return nil
}

// completeUsers does complete's work for what concerns users and their names.
func (c *Config) completeUsers() error {
	if c.Conductor && c.Users == nil {
		return errors.New("authapi: Conductor requires Users")
	}
	if c.Conductor && conductorServes(c.Site.Path()) {
		return fmt.Errorf("path %s: os_conductor has its endpoints there; expected another one, such as /auth", c.Site.Path())
	}
	for _, is := range []*func(error) bool{&c.UsernameTaken, &c.UsernameChosen, &c.UsernameInvalid} {
		if *is == nil {
			*is = func(error) bool { return false }
		}
	}
	if c.UserChanged == nil {
		c.UserChanged = func(string) {}
	}
	return nil
}

// isLoginName: clients look providers up by their lower-case name (contract
// 2a, data-cli), and the name is a path segment.
func isLoginName(name string) bool {
	if name == "" || len(name) > 64 || name[0] == '.' {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// displayName is what people call an identity provider.
func (l Login) displayName() string {
	switch {
	case l.DisplayName != "":
		return l.DisplayName
	case l.Name == "google":
		return "Google"
	case l.Name == "github":
		return "GitHub"
	}
	return l.Name
}
