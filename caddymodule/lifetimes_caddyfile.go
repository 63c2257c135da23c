package caddymodule

import (
	"time"

	"github.com/caddyserver/caddy/v2"
)

func (p *appParser) session() error {
	if p.NextArg() {
		return p.ArgErr()
	}
	fields := map[string]*caddy.Duration{"lifetime": &p.app.SessionLifetime, "idle": &p.app.SessionIdle}
	for nesting := p.Nesting(); p.NextBlock(nesting); {
		name := p.Val()
		field, known := fields[name]
		if !known {
			return p.Errf("unrecognized option %q of session; %s", name, expected(name, sortedKeys(fields)))
		}
		if *field != 0 {
			return p.Errf("%s is there twice; expected it once", name)
		}
		if err := p.duration(field); err != nil {
			return err
		}
	}
	return nil
}

// duration reads the one argument of an option.
func (p *appParser) duration(field *caddy.Duration) error {
	name, text := p.Val(), ""
	if !p.AllArgs(&text) {
		return p.ArgErr()
	}
	return p.parseDuration(name, text, field)
}

func (p *appParser) parseDuration(name, text string, field *caddy.Duration) error {
	d, err := caddy.ParseDuration(text)
	if err != nil || d <= 0 {
		return p.Errf("%s is %q; expected a duration such as 90m, 12h or 14d", name, text)
	}
	*field = caddy.Duration(d)
	return nil
}

func (p *appParser) tokenLifetime() error {
	switch args := p.RemainingArgs(); len(args) {
	case 1:
		if p.app.TokenLifetime != 0 {
			return p.Err("token_lifetime without a service is there twice; expected it once")
		}
		return p.parseDuration("token_lifetime", args[0], &p.app.TokenLifetime)
	case 2:
		var d caddy.Duration
		if err := p.parseDuration("token_lifetime", args[1], &d); err != nil {
			return err
		}
		p.lifetimes[args[0]] = d
		return nil
	}
	return p.ArgErr()
}

func (p *appParser) staleIfError() error {
	text := ""
	if !p.AllArgs(&text) {
		return p.ArgErr()
	}
	if text == "off" {
		p.app.StaleIfError = caddy.Duration(-time.Second)
		return nil
	}
	return p.parseDuration("stale_if_error", text, &p.app.StaleIfError)
}
