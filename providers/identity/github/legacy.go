package github

import (
	"net/url"

	"github.com/datahq/auth-gateway/providers"
	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
)

// LegacyProviderName returns what the original service called GitHub, for
// github.com and for a stand-in on this machine. A GitHub Enterprise Server
// counts its users from 1 as well: its user 5 is not the one of an old
// "github:5" (ruling 12).
func (p *Provider) LegacyProviderName() string {
	u, err := url.Parse(p.url)
	if p.url == publicURL || err == nil && idp.IsLoopback(u.Hostname()) {
		return "github"
	}
	return ""
}

var _ providers.LegacyProvider = (*Provider)(nil)
