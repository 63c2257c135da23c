package github

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
)

// module is the name of the module in a Caddyfile.
const module = "github"

// options are what may stand in the block, in the order an error shows them.
var options = []string{"client_id", "client_secret", "scopes", "url", "api_url"}

// UnmarshalCaddyfile reads
//
//	github {
//		client_id     <id>
//		client_secret <secret>
//		scopes        <scope...>
//		url           <url>
//		api_url       <url>
//	}
func (p *Provider) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return idp.ReadBlock(d, module, func(option string) error {
		switch option {
		case "client_id":
			return idp.ReadValue(d, module, option, &p.ClientID)
		case "client_secret":
			return idp.ReadValue(d, module, option, &p.ClientSecret)
		case "scopes":
			return idp.ReadValues(d, module, option, &p.Scopes)
		case "url":
			return idp.ReadValue(d, module, option, &p.URL)
		case "api_url":
			return idp.ReadValue(d, module, option, &p.APIURL)
		default:
			return idp.Unrecognized(d, module, option, options)
		}
	})
}
