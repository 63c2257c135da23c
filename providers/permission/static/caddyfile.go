package static

import (
	"encoding/json"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/datahq/auth-gateway/providers"
)

// UnmarshalCaddyfile reads
//
//	static {
//		everyone           <permission>[=<value>]...
//		user <address|id>  <permission>[=<value>]...
//	}
//
// A permission alone is granted (true). A value is JSON, or text if it is none:
// max_public_storage_mb=50, level=gold. A user may be there several times; the
// lines add up.
func (p *Provider) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	if d.NextArg() {
		return d.ArgErr()
	}
	for d.NextBlock(0) {
		switch option := d.Val(); option {
		case "everyone":
			granted, err := grants(d)
			if err != nil {
				return err
			}
			p.Everyone = add(p.Everyone, granted)
		case "user":
			if !d.NextArg() {
				return d.Err("user names nobody; expected user <e-mail address or user ID> <permission>...")
			}
			who := userKey(d.Val())
			granted, err := grants(d)
			if err != nil {
				return err
			}
			if p.Users == nil {
				p.Users = make(map[string]providers.Permissions)
			}
			p.Users[who] = add(p.Users[who], granted)
		default:
			return d.Errf("unrecognized option %q of permission provider static; expected everyone or user", option)
		}
	}
	return nil
}

func grants(d *caddyfile.Dispenser) (providers.Permissions, error) {
	args := d.RemainingArgs()
	if len(args) == 0 {
		return nil, d.Err("no permission is named; expected <permission> or <permission>=<value>")
	}
	granted := make(providers.Permissions, len(args))
	for _, arg := range args {
		name, text, hasValue := strings.Cut(arg, "=")
		if name == "" {
			return nil, d.Errf("%q names no permission; expected <permission> or <permission>=<value>", arg)
		}
		granted[name] = true
		if hasValue {
			granted[name] = value(text)
		}
	}
	return granted, nil
}

// value reads JSON, or takes what is none as text.
func value(text string) any {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return text
	}
	return v
}

func add(permissions, more providers.Permissions) providers.Permissions {
	if permissions == nil {
		return more
	}
	for name, v := range more {
		permissions[name] = v
	}
	return permissions
}

// Interface guard
var _ caddyfile.Unmarshaler = (*Provider)(nil)
