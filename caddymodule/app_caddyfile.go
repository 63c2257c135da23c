package caddymodule

import (
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"

	"github.com/datahq/auth-gateway/internal/cache"
	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/internal/wire"
)

func init() {
	httpcaddyfile.RegisterGlobalOption("auth", parseAppOption)
}

// parseAppOption reads the global option:
//
//	auth {
//		external_address <origin>
//		path             <path>
//		database         <url> { ... }
//		cache            <url> { ... }
//		signing_key      [<pem|file>] {
//			next    <pem|file>...
//			retired <pem|file>...
//		}
//		public_key       <pem|file>
//		session_key      [<base64|file>] {
//			next    <base64|file>...
//			retired <base64|file>...
//		}
//		session {
//			lifetime <duration>
//			idle     <duration>
//		}
//		token_lifetime   [<service>] <duration>
//		stale_if_error   <duration>|off
//		login            <name> [<module>] { ... }
//		service          <name> <module> { ... }
//		extension        <module> { ... }
//		allow_next       <origin>...
//		loopback_next    on|off
//		default_next     <path|url>
//		rate_limits      off
//		rate_limits {
//			exempt <address|network>...
//			<what> <burst> <per minute>
//		}
//		unguarded_routes warn|error
//		errors           handle
//		user_ids         md5_email
//		public_profiles  on|off
//		gravatar         on|off
//		os_conductor {
//			google_callback
//		}
//		accept_legacy_sessions until <day>
//	}
func parseAppOption(d *caddyfile.Dispenser, existing any) (any, error) {
	d.Next()
	if existing != nil {
		return nil, d.Err("there is an auth block already; expected one in the configuration")
	}
	if d.NextArg() {
		return nil, d.ArgErr()
	}
	p := appParser{Dispenser: d, app: new(App), seen: make(map[string]bool), lifetimes: make(map[string]caddy.Duration)}
	for d.NextBlock(0) {
		if err := p.option(d.Val()); err != nil {
			return nil, err
		}
	}
	if err := p.finish(); err != nil {
		return nil, err
	}
	return httpcaddyfile.App{Name: "auth", Value: caddyconfig.JSON(p.app, nil)}, nil
}

// appParser reads the options of the auth block.
type appParser struct {
	*caddyfile.Dispenser
	app       *App
	seen      map[string]bool
	lifetimes map[string]caddy.Duration
}

// options are the names in the auth block. Those with true may be repeated.
var options = map[string]bool{
	"external_address": false, "path": false, "database": false, "cache": false, "signing_key": false, "public_key": false, "session_key": false,
	"session": false, "token_lifetime": true, "stale_if_error": false, "login": true, "service": true, "extension": true, "allow_next": true,
	"loopback_next": false, "default_next": false, "unguarded_routes": false, "errors": false, "rate_limits": false,
	"user_ids": false, "public_profiles": false, "gravatar": false, "os_conductor": false, "accept_legacy_sessions": false,
}

func (p *appParser) option(name string) error {
	repeatable, known := options[name]
	if !known {
		return p.Errf("unrecognized option %q in the auth block; %s", name, expected(name, sortedKeys(options)))
	}
	if p.seen[name] && !repeatable {
		return p.Errf("%s is there twice; expected it once", name)
	}
	p.seen[name] = true
	switch name {
	case "external_address":
		return p.externalAddress()
	case "database":
		return p.database()
	case "cache":
		return p.cache()
	case "signing_key":
		return p.key(name, &p.app.SigningKey, &p.app.SigningKeyNext, &p.app.SigningKeyRetired)
	case "session_key":
		return p.key(name, &p.app.SessionKey, &p.app.SessionKeyNext, &p.app.SessionKeyRetired)
	case "session":
		return p.session()
	case "token_lifetime":
		return p.tokenLifetime()
	case "stale_if_error":
		return p.staleIfError()
	case "login":
		return p.login()
	case "service":
		return p.service()
	case "extension":
		return p.extension()
	case "rate_limits":
		return p.rateLimits()
	case "allow_next":
		return p.allowNext()
	case "loopback_next":
		return p.onOff(&p.app.LoopbackNext)
	case "public_profiles":
		return p.onOff(&p.app.PublicProfiles)
	case "gravatar":
		return p.onOff(&p.app.Gravatar)
	case "os_conductor":
		return p.conductor()
	case "accept_legacy_sessions":
		return p.legacySessions()
	}
	if err := p.text(map[string]*string{
		"path": &p.app.Path, "public_key": &p.app.PublicKey,
		"default_next": &p.app.DefaultNext, "errors": &p.app.Errors, "unguarded_routes": &p.app.UnguardedRoutes,
		"user_ids": &p.app.UserIDs,
	}[name]); err != nil {
		return err
	}
	return p.checkText(name)
}

// checkText finds what is wrong while the line is known. What holds a
// placeholder is looked at when that has been replaced.
func (p *appParser) checkText(name string) error {
	var err error
	switch {
	case hasPlaceholder(p.Val()):
	case name == "path":
		_, err = wire.NewSite("https://localhost", p.app.Path)
	case name == "database":
		_, err = store.ParseDSN(p.app.Database)
	case name == "cache":
		_, err = cache.ParseURL(p.app.Cache)
	case name == "errors":
		err = checkErrors(p.app.Errors)
	case name == "unguarded_routes":
		err = checkUnguardedRoutes(p.app.UnguardedRoutes)
	case name == "user_ids":
		err = checkUserIDs(p.app.UserIDs)
	}
	if err != nil {
		return p.WrapErr(err)
	}
	return nil
}

// text reads the one argument of an option.
func (p *appParser) text(field *string) error {
	name, args := p.Val(), p.RemainingArgs()
	if len(args) != 1 {
		return p.countErr(name, len(args))
	}
	*field = args[0]
	return nil
}

// countErr is the error for an option with too few or too many values. Caddy's
// ArgErr shows the last one, which is a piece of a secret if that has a blank in
// it (S41).
func (p *appParser) countErr(name string, found int) error {
	return p.Errf("%s: found %d values, expected one (quote a value with blanks)", name, found)
}

func (p *appParser) externalAddress() error {
	if err := p.text(&p.app.ExternalAddress); err != nil {
		return err
	}
	if hasPlaceholder(p.app.ExternalAddress) {
		return nil
	}
	if _, err := wire.ParseExternalAddress(p.app.ExternalAddress); err != nil {
		return p.WrapErr(err)
	}
	return nil
}

func (p *appParser) allowNext() error {
	args := p.RemainingArgs()
	if len(args) == 0 {
		return p.ArgErr()
	}
	for _, next := range args {
		if err := wire.CheckNextEntry(next); err != nil && !hasPlaceholder(next) {
			return p.WrapErr(err)
		}
	}
	p.app.AllowNext = append(p.app.AllowNext, args...)
	return nil
}

func (p *appParser) onOff(field **bool) error {
	name, text := p.Val(), ""
	if !p.AllArgs(&text) {
		return p.ArgErr()
	}
	if text != "on" && text != "off" {
		return p.Errf("%s is %q; expected on or off", name, text)
	}
	on := text == "on"
	*field = &on
	return nil
}

func (p *appParser) conductor() error {
	p.app.OSConductor = true
	if p.NextArg() {
		return p.ArgErr()
	}
	for nesting := p.Nesting(); p.NextBlock(nesting); {
		if p.Val() != "google_callback" || p.NextArg() {
			return p.Errf("unrecognized option %q of os_conductor; expected google_callback", p.Val())
		}
		p.app.OSConductorCallback = true
	}
	return nil
}

func (p *appParser) legacySessions() error {
	word := ""
	if !p.AllArgs(&word, &p.app.AcceptLegacySessions) || word != "until" {
		return p.Err("accept_legacy_sessions has no end; expected accept_legacy_sessions until <day>, such as 2026-12-31")
	}
	if _, err := time.Parse(time.DateOnly, p.app.AcceptLegacySessions); err != nil {
		return p.Errf("accept_legacy_sessions until %q is no day; expected something like 2026-12-31", p.app.AcceptLegacySessions)
	}
	return nil
}

// finish joins what was said in several places.
func (p *appParser) finish() error {
	for name, lifetime := range p.lifetimes {
		found := false
		for _, service := range p.app.Services {
			if service.Name == name {
				service.TokenLifetime, found = lifetime, true
			}
		}
		if !found {
			return p.Errf("token_lifetime of an unknown service %q; %s", name, expected(name, p.app.serviceNames()))
		}
	}
	return nil
}
