package oidc

import (
	"context"
	"errors"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/datahq/auth-gateway/providers"
)

// googleIssuer is Google's issuer identifier. Its id_tokens may also say the
// short form: "The value of iss in the ID token is equal to
// accounts.google.com or https://accounts.google.com"
// (developers.google.com/identity/openid-connect).
const (
	googleIssuer      = "https://accounts.google.com"
	googleShortIssuer = "accounts.google.com"
)

// Google signs people in through Google. It is the oidc provider with the
// issuer https://accounts.google.com, which can be pointed at a stand-in. If
// neither client_id nor client_secret is set, they are {env.GOOGLE_KEY} and
// {env.GOOGLE_SECRET} (contract 1.3).
type Google struct {
	Provider
}

// CaddyModule returns the Caddy module information.
func (*Google) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "auth.identity_providers.google",
		New: func() caddy.Module { return new(Google) },
	}
}

// Provision fills in Google's issuer and the names of the environment variables
// of the original service.
func (g *Google) Provision(ctx caddy.Context) error {
	if g.Issuer == "" {
		g.Issuer = googleIssuer
	}
	if g.ClientID == "" && g.ClientSecret == "" {
		g.ClientID, g.ClientSecret = "{env.GOOGLE_KEY}", "{env.GOOGLE_SECRET}"
	}
	g.oldUserinfo = true
	return g.Provider.Provision(ctx)
}

// Validate checks the configuration. Google knows no client that is a web
// application and has no secret.
func (g *Google) Validate() error {
	if g.secret() == "" {
		return errors.New("client_secret: found nothing, expected the client secret of the OAuth client")
	}
	return g.Provider.Validate()
}

// UnmarshalCaddyfile reads the options of the oidc provider, all but the
// issuer being as needed there:
//
//	google {
//		client_id     <id>
//		client_secret <secret>
//	}
func (g *Google) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return g.unmarshal(d, "google")
}

// SendsIssuer reports true without asking: the redirect URI that is registered
// at Google is the one without a provider's name.
func (*Google) SendsIssuer(context.Context) (bool, error) { return true, nil }

// Interface guards
var (
	_ caddy.Provisioner          = (*Google)(nil)
	_ caddy.Validator            = (*Google)(nil)
	_ caddy.CleanerUpper         = (*Google)(nil)
	_ caddyfile.Unmarshaler      = (*Google)(nil)
	_ providers.IdentityProvider = (*Google)(nil)
	_ providers.IssuerSender     = (*Google)(nil)
)
