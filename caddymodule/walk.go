package caddymodule

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/datahq/auth-gateway/caddymodule/routes"
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

// walk looks at the server whose routes are being provisioned, once.
func (a *App) walk(ctx caddy.Context) error {
	server := serverOf(ctx)
	if server == nil || a.walked[server] {
		return nil
	}
	if a.walked == nil {
		a.walked = make(map[*caddyhttp.Server]bool)
		a.checkAdmin(ctx)
	}
	a.walked[server] = true
	if err := checkUnguardedRoutes(a.UnguardedRoutes); err != nil {
		return err
	}
	a.checkListeners(server)
	return a.report(routes.Walk(server, routes.Gateway{
		Gate: "auth_gate", API: "auth_api", TurnsAway: turnsAway, Site: a.site, Admin: adminAddress(ctx),
	}))
}

// turnsAway reports whether a gate with these options sends browsers to sign
// in. What does not fit is for the gate to refuse.
func turnsAway(options json.RawMessage) bool {
	var gate struct {
		Require string `json:"require"`
	}
	_ = json.Unmarshal(options, &gate)
	return gate.Require != "identity"
}

// report logs the findings, or makes an error of them.
func (a *App) report(findings []routes.Finding) error {
	var bad []string
	for _, f := range findings {
		switch {
		case f.Fatal || a.UnguardedRoutes == unguardedError && !f.Note:
			bad = append(bad, f.String())
		default:
			a.logger.Warn(f.Problem, f.Fields()...)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return errors.New(strings.Join(bad, "; and "))
}
