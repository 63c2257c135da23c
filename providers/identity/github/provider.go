// Package github signs people in through GitHub or a GitHub Enterprise Server.
package github

import (
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap/zapcore"

	"github.com/datahq/auth-gateway/providers"
	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
)

func init() {
	caddy.RegisterModule(new(Provider))
}

// Provider signs people in through GitHub: OAuth 2.0 with PKCE, and then the
// API, which says who it was. GitHub is no OpenID provider.
//
// The only address that is believed is the primary one, and only if GitHub says
// that it is verified. Somebody without one is told apart by the gateway.
//
// The "Authorization callback URL" to register at GitHub is
// https://<external address>/auth/oauth_callback: GitHub then accepts what is
// below it, such as /auth/oauth_callback/github.
type Provider struct {
	// Where people sign in: the absolute https URL of GitHub, or of a GitHub
	// Enterprise Server. It is also the issuer of the identities, so another URL
	// means other people. http is accepted for localhost, 127.0.0.0/8 and [::1]
	// only. Placeholders such as {env.GITHUB_URL} are replaced at start. Default:
	// https://github.com.
	URL string `json:"url,omitempty"`

	// Where the API is, as an absolute URL as above. Placeholders are replaced at
	// start. Default: what belongs to url: https://api.github.com for
	// https://github.com, https://api.<name>.ghe.com for https://<name>.ghe.com,
	// and <url>/api/v3 for every other.
	APIURL string `json:"api_url,omitempty"`

	// The client ID of the OAuth app. Placeholders are replaced at start. If
	// neither client_id nor client_secret is set, they are {env.GITHUB_KEY} and
	// {env.GITHUB_SECRET}.
	ClientID string `json:"client_id,omitempty"`

	// The client secret of the OAuth app. Write {env.NAME} or
	// {file./absolute/path}, which are read at start and stay out of the
	// configuration that Caddy keeps and shows.
	ClientSecret string `json:"client_secret,omitempty"`

	// What to ask for; "user:email" or "user" must be among it. A GitHub App does
	// not look at it and needs the account permission "Email addresses" instead.
	// Default: user:email.
	Scopes []string `json:"scopes,omitempty"`

	url      string
	apiURL   string
	clientID string
	secret   func() string // a function, so that no printed struct shows it
	client   *http.Client
}

// CaddyModule returns the Caddy module information.
func (*Provider) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "auth.identity_providers.github",
		New: func() caddy.Module { return new(Provider) },
	}
}

// Provision resolves placeholders and fills in defaults, among them the names
// of the environment variables of the original service. It asks nobody.
func (p *Provider) Provision(caddy.Context) error {
	if p.ClientID == "" && p.ClientSecret == "" {
		p.ClientID, p.ClientSecret = "{env.GITHUB_KEY}", "{env.GITHUB_SECRET}"
	}
	if p.URL == "" {
		p.URL = publicURL
	}
	if len(p.Scopes) == 0 {
		p.Scopes = []string{emailScope}
	}
	for _, option := range []struct {
		name, written string
		value         *string
	}{
		{"url", p.URL, &p.url},
		{"api_url", p.APIURL, &p.apiURL},
		{"client_id", p.ClientID, &p.clientID},
	} {
		value, err := caddy.NewReplacer().ReplaceOrErr(option.written, true, true)
		if err != nil {
			return fmt.Errorf("%s: %w", option.name, err)
		}
		*option.value = value
	}
	p.url, p.apiURL = plainURL(p.url), plainURL(p.apiURL)
	if p.apiURL == "" {
		p.apiURL = apiOf(p.url)
	}
	secret, err := idp.ResolveSecret(p.ClientSecret)
	if err != nil {
		return err
	}
	p.secret = func() string { return secret }
	p.client = idp.NewHTTPClient()
	return nil
}

// Cleanup closes idle connections. Sign-ins that are under way go on.
func (p *Provider) Cleanup() error {
	if p.client != nil {
		p.client.CloseIdleConnections()
	}
	return nil
}

// String describes the provider without its secret. It and the two below have
// value receivers, so that a copy does not show it either.
func (p Provider) String() string {
	return fmt.Sprintf("GitHub at %s (client %s)", p.URL, p.ClientID)
}

// GoString is String: no way of printing shows the secret.
func (p Provider) GoString() string { return p.String() }

// MarshalLogObject logs the provider without its secret.
func (p Provider) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	enc.AddString("url", p.URL)
	enc.AddString("client_id", p.ClientID)
	return nil
}

// Interface guards
var (
	_ caddy.Provisioner          = (*Provider)(nil)
	_ caddy.Validator            = (*Provider)(nil)
	_ caddy.CleanerUpper         = (*Provider)(nil)
	_ caddyfile.Unmarshaler      = (*Provider)(nil)
	_ zapcore.ObjectMarshaler    = (*Provider)(nil)
	_ providers.IdentityProvider = (*Provider)(nil)
)
