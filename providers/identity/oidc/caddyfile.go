package oidc

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
)

// options are what may stand in the block, in the order an error shows them.
var options = []string{
	"issuer", "client_id", "client_secret", "scopes", "signing_algorithm", "auth_params", "groups_claim",
}

// UnmarshalCaddyfile reads
//
//	oidc {
//		issuer            <url>
//		client_id         <id>
//		client_secret     <secret>
//		scopes            <scope...>
//		signing_algorithm <algorithm>
//		groups_claim      <name>
//		auth_params {
//			<name> <value>
//		}
//	}
func (p *Provider) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return p.unmarshal(d, "oidc")
}

func (p *Provider) unmarshal(d *caddyfile.Dispenser, module string) error {
	return idp.ReadBlock(d, module, func(option string) error {
		switch option {
		case "issuer":
			return idp.ReadValue(d, module, option, &p.Issuer)
		case "client_id":
			return idp.ReadValue(d, module, option, &p.ClientID)
		case "client_secret":
			return idp.ReadValue(d, module, option, &p.ClientSecret)
		case "scopes":
			return idp.ReadValues(d, module, option, &p.Scopes)
		case "signing_algorithm":
			return idp.ReadValue(d, module, option, &p.SigningAlgorithm)
		case "auth_params":
			return p.unmarshalAuthParams(d, module)
		case "groups_claim":
			return idp.ReadValue(d, module, option, &p.GroupsClaim)
		default:
			return idp.Unrecognized(d, module, option, options)
		}
	})
}

func (p *Provider) unmarshalAuthParams(d *caddyfile.Dispenser, module string) error {
	if d.NextArg() {
		return d.Errf("option 'auth_params' of login provider %s: expected a block of <name> <value> lines", module)
	}
	p.AuthParams = make(map[string]string)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		name := d.Val()
		if _, again := p.AuthParams[name]; again {
			return d.Errf("parameter '%s' in auth_params of login provider %s is given twice", name, module)
		}
		args := d.RemainingArgs()
		if len(args) != 1 {
			return d.Errf("parameter '%s' in auth_params of login provider %s: found %d values, expected one",
				name, module, len(args))
		}
		p.AuthParams[name] = args[0]
	}
	return nil
}
