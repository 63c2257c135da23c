package oidc

import (
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
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
	d.Next() // the module's name
	if d.NextArg() {
		return d.Errf("login provider %s: expected no argument after its name, only a block", module)
	}
	seen := make(map[string]bool)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		option := d.Val()
		if seen[option] {
			return d.Errf("option '%s' of login provider %s is given twice", option, module)
		}
		seen[option] = true
		if err := p.unmarshalOption(d, module, option); err != nil {
			return err
		}
	}
	return nil
}

func (p *Provider) unmarshalOption(d *caddyfile.Dispenser, module, option string) error {
	var value *string
	switch option {
	case "issuer":
		value = &p.Issuer
	case "client_id":
		value = &p.ClientID
	case "client_secret":
		value = &p.ClientSecret
	case "signing_algorithm":
		value = &p.SigningAlgorithm
	case "groups_claim":
		value = &p.GroupsClaim
	case "scopes":
		if p.Scopes = d.RemainingArgs(); len(p.Scopes) == 0 {
			return d.Errf("option 'scopes' of login provider %s: found no value, expected at least one", module)
		}
		return nil
	case "auth_params":
		return p.unmarshalAuthParams(d, module)
	default:
		return d.Errf("unrecognized option '%s' in login provider %s; did you mean '%s'? (options: %s)",
			option, module, nearest(option, options), strings.Join(options, ", "))
	}
	// No ArgErr: it prints the last value, which may be a part of a secret.
	args := d.RemainingArgs()
	if len(args) != 1 {
		return d.Errf("option '%s' of login provider %s: found %d values, expected one (quote a value with blanks)",
			option, module, len(args))
	}
	*value = args[0]
	return nil
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
