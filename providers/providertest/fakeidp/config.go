package fakeidp

import (
	"net/http"
	"slices"
	"time"
)

// Config says what a provider is and whom it serves.
type Config struct {
	// Issuer is the absolute URL that the handler is served at, without a
	// trailing slash. A path in it must have been stripped from the requests.
	Issuer string
	// Clients are the programs that may ask for sign-ins.
	Clients []Client
	// Choose answers an authorize request that no script (Next, Always) answers:
	// it shows a page, or calls Finish at once. Without it such a request ends in
	// login_required.
	Choose func(w http.ResponseWriter, r *http.Request, req AuthorizeRequest)
	// OmitIssuer leaves "iss" out of the callback and its announcement out of the
	// metadata, as providers without RFC 9207 do.
	OmitIssuer bool
	// AuthMethods are the ways a client may prove itself at the token endpoint,
	// announced and enforced. Default: client_secret_basic, client_secret_post,
	// none.
	AuthMethods []string
	// Metadata replaces members of the discovery document; a nil value removes
	// one.
	Metadata map[string]any
	// Delay is how long Slow waits; 15 s by default.
	Delay time.Duration
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

// Client is a program that may ask for sign-ins.
type Client struct {
	// ID is the client_id.
	ID string
	// Secret is the client_secret; empty for a public client.
	Secret string
	// RedirectURIs may be asked for, compared exactly.
	RedirectURIs []string
	// RedirectAllowed, if set, may allow further ones.
	RedirectAllowed func(redirectURI string) bool
}

// Person is somebody who signs in.
type Person struct {
	// Subject is the "sub" claim, sent as it is.
	Subject string
	// Email is the "email" claim; left out if empty.
	Email string
	// EmailVerified is the "email_verified" claim, of whatever JSON type; left
	// out if nil.
	EmailVerified any
	// Name, Username ("preferred_username") and Picture are left out if empty.
	Name, Username, Picture string
	// Extra are further claims of the id_token and the userinfo answer; they
	// replace those above.
	Extra map[string]any
}

const (
	codeLifetime   = 60 * time.Second
	accessLifetime = 5 * time.Minute
	maxGrants      = 1000
	defaultDelay   = 15 * time.Second
)

func (c *Config) setDefaults() {
	if c.AuthMethods == nil {
		c.AuthMethods = []string{"client_secret_basic", "client_secret_post", "none"}
	}
	if c.Delay == 0 {
		c.Delay = defaultDelay
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}

func (c *Config) client(id string) (Client, bool) {
	for _, client := range c.Clients {
		if client.ID == id {
			return client, true
		}
	}
	return Client{}, false
}

func (c *Client) allows(redirectURI string) bool {
	if slices.Contains(c.RedirectURIs, redirectURI) {
		return true
	}
	return c.RedirectAllowed != nil && c.RedirectAllowed(redirectURI)
}
