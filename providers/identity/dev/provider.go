// Package dev is the development sign-in: an OpenID Connect provider inside
// the gateway that lets anybody be anybody, on one's own machine only.
package dev

import (
	"context"
	"errors"
	"net/url"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/providers"
)

func init() {
	caddy.RegisterModule(new(Provider))
}

// Provider is the development sign-in. It embeds a small OpenID Connect
// provider, served below the provider's login path, whose sign-in page lets
// the browser's user be any of some sample users or type somebody, and can make
// every kind of sign-in failure happen. The gateway talks to it over HTTP like
// to any other.
//
// It works only where the gateway's external_address is http on a loopback
// name or address, answers only peers on the same machine, and its accounts are
// never linked to others.
type Provider struct {
	// The people that the sign-in page offers. Default: ada, bob and eve at
	// example.com.
	Samples []User `json:"users,omitempty"`

	logger *zap.Logger

	mu       sync.Mutex
	mount    *mount
	released bool
}

// CaddyModule returns the Caddy module information.
func (*Provider) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "auth.identity_providers.dev",
		New: func() caddy.Module { return new(Provider) },
	}
}

// Provision fills in defaults.
func (p *Provider) Provision(ctx caddy.Context) error {
	p.logger = ctx.Logger()
	if len(p.Samples) == 0 {
		p.Samples = defaultUsers()
	}
	return nil
}

// Validate checks the sample users.
func (p *Provider) Validate() error { return checkUsers(p.Samples) }

// Cleanup gives back what Mount took. Sign-ins that are under way go on: Caddy
// cleans up while requests of an old configuration are still being served.
func (p *Provider) Cleanup() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mount == nil || p.released {
		return nil
	}
	p.released = true
	return p.mount.release()
}

// Users returns the sample users.
func (p *Provider) Users() []User {
	if len(p.Samples) == 0 {
		return defaultUsers()
	}
	return append([]User(nil), p.Samples...)
}

// LoginURL begins a sign-in.
func (p *Provider) LoginURL(ctx context.Context, redirectURI, state string) (string, []byte, error) {
	m, err := p.mounted()
	if err != nil {
		return "", nil, err
	}
	return m.client.LoginURL(ctx, redirectURI, state)
}

// HandleCallback ends a sign-in.
func (p *Provider) HandleCallback(ctx context.Context, redirectURI string, private []byte, query url.Values) (providers.Identity, error) {
	m, err := p.mounted()
	if err != nil {
		return providers.Identity{}, err
	}
	return m.client.HandleCallback(ctx, redirectURI, private, query)
}

// SendsIssuer reports true: the callback has "iss".
func (*Provider) SendsIssuer(context.Context) (bool, error) { return true, nil }

// SeparateAccounts reports true: an address typed here proves nothing.
func (*Provider) SeparateAccounts() bool { return true }

func (p *Provider) mounted() (*mount, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mount == nil {
		return nil, errors.New("the development sign-in has not been mounted")
	}
	return p.mount, nil
}

// Interface guards
var (
	_ caddy.Provisioner          = (*Provider)(nil)
	_ caddy.Validator            = (*Provider)(nil)
	_ caddy.CleanerUpper         = (*Provider)(nil)
	_ caddyfile.Unmarshaler      = (*Provider)(nil)
	_ providers.IdentityProvider = (*Provider)(nil)
	_ providers.IssuerSender     = (*Provider)(nil)
	_ providers.AccountSeparator = (*Provider)(nil)
	_ providers.Mounted          = (*Provider)(nil)
)
