package caddymodule

import (
	"errors"
	"fmt"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
)

// A gate guards the requests that pass it, and a module cannot run on routes
// that lack its directives (ruling 25). So the first of our handlers that a
// server provisions walks all of its routes and reports what no gate stands
// before. At that moment the routes before it have been loaded and those behind
// it are JSON still; later, Caddy has forgotten the JSON of everything, and an
// app's Start would be too late for "validate".

// What unguarded_routes may be.
const (
	unguardedWarn  = "warn"
	unguardedError = "error"
)

func checkUnguardedRoutes(value string) error {
	if value != "" && value != unguardedWarn && value != unguardedError {
		return fmt.Errorf("unguarded_routes is %q; expected %s or %s", value, unguardedWarn, unguardedError)
	}
	return nil
}

// finding is something about a server's routes that its operator should know.
type finding struct {
	// problem and advice are sentences without a full stop.
	problem, advice string
	server          string
	// route is how requests come here, by the matchers on the way.
	route string
	// upstream is where a proxied route leads; "" if the finding is about none.
	upstream string
	// A note is never an error, what is fatal always is; the rest is what
	// unguarded_routes says.
	note, fatal bool
}

// String is the finding as part of an error.
func (f finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (server %s, %s", f.problem, f.server, f.route)
	if f.upstream != "" {
		fmt.Fprintf(&b, ", upstream %s", f.upstream)
	}
	fmt.Fprintf(&b, "): %s", f.advice)
	return b.String()
}

func (f finding) fields() []zap.Field {
	fields := []zap.Field{zap.String("advice", f.advice), zap.String("server", f.server), zap.String("route", f.route)}
	if f.upstream != "" {
		fields = append(fields, zap.String("upstream", f.upstream))
	}
	return fields
}

// walk looks at the server whose routes are being provisioned, once.
func (a *App) walk(ctx caddy.Context) error {
	server := serverOf(ctx)
	if server == nil || a.walked[server] {
		return nil
	}
	if a.walked == nil {
		a.walked = make(map[*caddyhttp.Server]bool)
	}
	a.walked[server] = true
	if err := checkUnguardedRoutes(a.UnguardedRoutes); err != nil {
		return err
	}
	w := walker{server: server, site: a.site}
	w.trust()
	w.serverRoutes()
	return a.report(w.findings)
}

// report logs the findings, or makes an error of them.
func (a *App) report(findings []finding) error {
	var bad []string
	for _, f := range findings {
		switch {
		case f.fatal || a.UnguardedRoutes == unguardedError && !f.note:
			bad = append(bad, f.String())
		default:
			a.logger.Warn(f.problem, f.fields()...)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return errors.New(strings.Join(bad, "; and "))
}
