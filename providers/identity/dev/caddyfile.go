package dev

import "github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

// UnmarshalCaddyfile reads
//
//	dev {
//		user <username> <email> [<display name>]
//	}
//
// Each user adds one; together they replace the default ones.
func (p *Provider) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the module's name
	if d.NextArg() {
		return d.Err("login provider dev: expected no argument after its name, only a block")
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		option := d.Val()
		if option != "user" {
			return d.Errf("unrecognized option '%s' in login provider dev; did you mean 'user'? (options: user)", option)
		}
		args := d.RemainingArgs()
		if len(args) != 2 && len(args) != 3 {
			return d.Errf("option 'user' of login provider dev: found %d values, expected <username> <email> [<display name>] (quote a name with blanks)", len(args))
		}
		user := User{Username: args[0], Email: args[1]}
		if len(args) == 3 {
			user.Name = args[2]
		}
		p.Samples = append(p.Samples, user)
	}
	return nil
}
