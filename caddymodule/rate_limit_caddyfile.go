package caddymodule

import "strconv"

// rateLimits reads
//
//	rate_limits off
//	rate_limits {
//		exempt <address|network>...
//		<what> <burst> <per minute>
//	}
func (p *appParser) rateLimits() error {
	limits := &RateLimits{Limits: make(map[string]RateLimit)}
	p.app.RateLimits = limits
	if p.NextArg() {
		limits.Off = true
		if p.Val() != "off" || p.NextArg() {
			return p.Errf("rate_limits is followed by %q; expected off, or a block", p.Val())
		}
		return nil
	}
	for nesting := p.Nesting(); p.NextBlock(nesting); {
		name, args := p.Val(), p.RemainingArgs()
		if name == "exempt" {
			if len(args) == 0 {
				return p.ArgErr()
			}
			limits.Exempt = append(limits.Exempt, args...)
			continue
		}
		if _, known := defaultLimits[name]; !known {
			return p.Errf("unrecognized option %q of rate_limits; %s", name, expected(name, append(sortedKeys(defaultLimits), "exempt")))
		}
		if _, twice := limits.Limits[name]; twice {
			return p.Errf("%s is there twice; expected it once", name)
		}
		if len(args) != 2 {
			return p.Errf("%s has %d arguments; expected how many at once, and how many a minute", name, len(args))
		}
		burst, err1 := strconv.Atoi(args[0])
		perMinute, err2 := strconv.Atoi(args[1])
		if err1 != nil || err2 != nil || burst < 1 || perMinute < 1 {
			return p.Errf("%s is %s %s; expected how many at once, and how many a minute", name, args[0], args[1])
		}
		limits.Limits[name] = RateLimit{Burst: burst, PerMinute: perMinute}
	}
	return nil
}
