// Package oidc signs people in through any OpenID Connect provider, Google
// among them.
package oidc

import (
	"fmt"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap/zapcore"

	"github.com/datahq/auth-gateway/providers"
	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
)

func init() {
	caddy.RegisterModule(new(Provider))
	caddy.RegisterModule(new(Google))
}

// Provider signs people in through an OpenID Connect provider: the
// authorization code flow (OpenID Connect Core 1.0 section 3.1) with PKCE and
// a nonce. The provider's endpoints and keys are discovered at the first
// sign-in, so the gateway starts without it.
//
// An e-mail address is believed only if the provider says "email_verified":
// true, and if it is not in the id_token it is asked for at the userinfo
// endpoint.
type Provider struct {
	// The issuer identifier: the absolute https URL below which the provider
	// serves /.well-known/openid-configuration, written exactly as there.
	// http is accepted for localhost, 127.0.0.0/8 and [::1] only. Placeholders
	// such as {env.OIDC_ISSUER} are replaced at start. Required.
	Issuer string `json:"issuer,omitempty"`

	// The gateway's name at the provider. Placeholders are replaced at start.
	// Required.
	ClientID string `json:"client_id,omitempty"`

	// The gateway's secret at the provider. Write {env.NAME} or
	// {file./absolute/path}, which are read at start and stay out of the
	// configuration that Caddy keeps and shows. Empty for a public client.
	ClientSecret string `json:"client_secret,omitempty"`

	// What to ask for; "openid" must be among it. Default: openid, email,
	// profile.
	Scopes []string `json:"scopes,omitempty"`

	// The only algorithm that id_tokens may be signed with: RS256 (default),
	// RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA.
	SigningAlgorithm string `json:"signing_algorithm,omitempty"`

	// Further parameters of the authorize request, such as "prompt":
	// "select_account" or "hd": "example.com". Those of the protocol (client_id,
	// state, nonce, ...) cannot be set.
	AuthParams map[string]string `json:"auth_params,omitempty"`

	// The claim that holds the person's groups, a list of strings or one string.
	// Default: groups.
	GroupsClaim string `json:"groups_claim,omitempty"`

	oldUserinfo bool // Google's older form of the userinfo is understood

	issuer    string
	clientID  string
	secret    func() string // a function, so that no printed struct shows it
	client    *http.Client
	discovery *discovery
	now       func() time.Time
}

// CaddyModule returns the Caddy module information.
func (*Provider) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "auth.identity_providers.oidc",
		New: func() caddy.Module { return new(Provider) },
	}
}

// Provision resolves placeholders and fills in defaults. It asks nobody.
func (p *Provider) Provision(caddy.Context) error {
	var err error
	if p.issuer, err = caddy.NewReplacer().ReplaceOrErr(p.Issuer, true, true); err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	if p.clientID, err = caddy.NewReplacer().ReplaceOrErr(p.ClientID, true, true); err != nil {
		return fmt.Errorf("client_id: %w", err)
	}
	secret, err := idp.ResolveSecret(p.ClientSecret)
	if err != nil {
		return err
	}
	p.secret = func() string { return secret }
	if len(p.Scopes) == 0 {
		p.Scopes = []string{"openid", "email", "profile"}
	}
	if p.SigningAlgorithm == "" {
		p.SigningAlgorithm = "RS256"
	}
	if p.GroupsClaim == "" {
		p.GroupsClaim = "groups"
	}
	if p.now == nil {
		p.now = time.Now
	}
	p.client = idp.NewHTTPClient()
	p.discovery = newDiscovery(p.issuer, p.SigningAlgorithm, p.client, p.now)
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
	return fmt.Sprintf("OpenID Connect provider %s (client %s)", p.Issuer, p.ClientID)
}

// GoString is String: no way of printing shows the secret.
func (p Provider) GoString() string { return p.String() }

// MarshalLogObject logs the provider without its secret.
func (p Provider) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	enc.AddString("issuer", p.Issuer)
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
	_ providers.IssuerSender     = (*Provider)(nil)
)
