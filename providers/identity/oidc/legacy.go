package oidc

import (
	"net/url"

	"github.com/datahq/auth-gateway/providers"
	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
)

// legacyGoogle is what the original service called Google.
const legacyGoogle = "google"

// LegacyProviderName returns "google" for Google's own issuer, as which an
// operator may have configured it here, and "" for any other.
func (p *Provider) LegacyProviderName() string {
	if p.issuer == googleIssuer {
		return legacyGoogle
	}
	return ""
}

// LegacyProviderName returns "google" for Google and for a stand-in on this
// machine. Another issuer is somebody's own provider under Google's name, as
// old clients want it: its subjects are not Google's (ruling 12).
func (g *Google) LegacyProviderName() string {
	if u, err := url.Parse(g.issuer); err == nil && idp.IsLoopback(u.Hostname()) {
		return legacyGoogle
	}
	return g.Provider.LegacyProviderName()
}

// Interface guards
var (
	_ providers.LegacyProvider = (*Provider)(nil)
	_ providers.LegacyProvider = (*Google)(nil)
)
