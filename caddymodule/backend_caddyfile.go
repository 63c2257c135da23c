package caddymodule

import (
	"strconv"

	"github.com/caddyserver/caddy/v2"
)

// database reads
//
//	database <url> {
//		max_connections      <number>
//		max_idle_connections <number>
//		connection_lifetime  <duration>
//		connection_idle      <duration>
//	}
func (p *appParser) database() error {
	if err := p.text(&p.app.Database); err != nil {
		return err
	}
	if err := p.checkText("database"); err != nil {
		return err
	}
	pool := new(DatabasePool)
	numbers := map[string]*int{"max_connections": &pool.MaxConnections, "max_idle_connections": &pool.MaxIdleConnections}
	durations := map[string]*caddy.Duration{"connection_lifetime": &pool.ConnectionLifetime, "connection_idle": &pool.ConnectionIdle}
	for nesting := p.Nesting(); p.NextBlock(nesting); {
		p.app.DatabasePool = pool
		name := p.Val()
		if number, known := numbers[name]; known {
			if err := p.number(name, number); err != nil {
				return err
			}
			continue
		}
		d, known := durations[name]
		if !known {
			return p.Errf("unrecognized option %q of database; %s", name, expected(name, append(sortedKeys(numbers), sortedKeys(durations)...)))
		}
		if *d != 0 {
			return p.Errf("%s is there twice; expected it once", name)
		}
		if err := p.duration(d); err != nil {
			return err
		}
	}
	return nil
}

// cache reads
//
//	cache <url> {
//		prefix <text>
//	}
func (p *appParser) cache() error {
	if err := p.text(&p.app.Cache); err != nil {
		return err
	}
	if err := p.checkText("cache"); err != nil {
		return err
	}
	for nesting := p.Nesting(); p.NextBlock(nesting); {
		name := p.Val()
		if name != "prefix" {
			return p.Errf("unrecognized option %q of cache; expected prefix", name)
		}
		if p.app.CachePrefix != "" {
			return p.Err("prefix is there twice; expected it once")
		}
		if err := p.text(&p.app.CachePrefix); err != nil {
			return err
		}
		if err := checkCachePrefix(p.app.CachePrefix); err != nil {
			return p.WrapErr(err)
		}
	}
	return nil
}

// number reads the one argument of an option, which is at least 1.
func (p *appParser) number(name string, field *int) error {
	if *field != 0 {
		return p.Errf("%s is there twice; expected it once", name)
	}
	text := ""
	if !p.AllArgs(&text) {
		return p.ArgErr()
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return p.Errf("%s is %q; expected a number of at least 1", name, text)
	}
	*field = n
	return nil
}
