package fakegithub

import (
	"net/url"
	"strings"
	"time"
)

// Config says where a GitHub is and whom it serves.
type Config struct {
	// URL is the absolute URL that the handler is served at, without a trailing
	// slash. A path in it must have been stripped from the requests.
	URL string
	// Clients are the OAuth apps.
	Clients []Client
	// OmitIssuer leaves "iss" (RFC 9207) out of the callback, as GitHub did until
	// 2026 and Enterprise Servers do.
	OmitIssuer bool
	// Delay is how long Slow waits; 15 s by default.
	Delay time.Duration
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

// Client is an OAuth app.
type Client struct {
	// ID and Secret are the app's client_id and client_secret.
	ID, Secret string
	// CallbackURL is the registered "Authorization callback URL". A redirect URI
	// may be it or below it; on a loopback address with any port.
	CallbackURL string
}

// Person is somebody who signs in: what the API says about them.
type Person struct {
	// ID is GitHub's number of the person.
	ID int64
	// Login is the user name.
	Login string
	// Name is the display name; null if empty.
	Name string
	// AvatarURL is where the picture is.
	AvatarURL string
	// PublicEmail is the address on the profile page, null if empty. It says
	// nothing about whose it is.
	PublicEmail string
	// Emails is the list of addresses, in this order; nil is an empty list.
	Emails []Email
	// Extra are further members of the answer of /user; they replace those above.
	Extra map[string]any
}

// Email is one address of a person.
type Email struct {
	Email string `json:"email"`
	// Primary and Verified are booleans at GitHub; a stand-in can send anything.
	Primary  any `json:"primary"`
	Verified any `json:"verified"`
	// Visibility is "public", "private" or nil.
	Visibility any `json:"visibility"`
}

// Verified returns the addresses as verified ones, the first being the primary.
func Verified(addresses ...string) []Email {
	emails := make([]Email, len(addresses))
	for i, address := range addresses {
		emails[i] = Email{Email: address, Primary: i == 0, Verified: true}
	}
	return emails
}

const (
	codeLifetime = 10 * time.Minute
	maxGrants    = 10_000
	defaultDelay = 15 * time.Second
)

func (c *Config) setDefaults() {
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

// allows follows "Redirect URLs" of GitHub's "Authorizing OAuth apps": host and
// port are those of the registered URL, the path is it or below it.
func (c *Client) allows(redirectURI string) bool {
	asked, err := url.Parse(redirectURI)
	if err != nil {
		return false
	}
	registered, err := url.Parse(c.CallbackURL)
	if err != nil || asked.Scheme != registered.Scheme || asked.User != nil || strings.Contains(asked.Path, "..") {
		return false
	}
	loopback := registered.Hostname() == "localhost" || registered.Hostname() == "127.0.0.1"
	if asked.Host != registered.Host && !(loopback && asked.Hostname() == registered.Hostname()) {
		return false
	}
	root := strings.TrimSuffix(registered.Path, "/")
	return asked.Path == registered.Path || asked.Path == root || strings.HasPrefix(asked.Path, root+"/")
}
