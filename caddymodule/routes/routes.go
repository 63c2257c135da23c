// Package routes finds, in the routes of an HTTP server of Caddy, what stands
// before the gates or beside them: proxied routes that no gate guards, paths
// that are rewritten behind one, sign-in pages that nobody reaches, hosts where
// nobody can sign in, trust in everybody's forwarding headers, and ways to
// Caddy's admin API and metrics (ruling 25, S13, S15, S42).
//
// It reads routes and changes nothing. A handler may be loaded or JSON still:
// when a server's first handler of ours is provisioned, the routes before it
// have been loaded and those behind it have not.
package routes

import (
	"encoding/json"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/datahq/auth-gateway/internal/wire"
)

// Gateway is what the walk knows of the gateway whose gates it looks for.
type Gateway struct {
	// Gate and API are the names of the handlers that guard, and that serve the
	// sign-in pages: "auth_gate", "auth_api".
	Gate, API string

	// TurnsAway reports whether a gate with these options, which may be nil or
	// not what a gate accepts, sends browsers to sign in.
	TurnsAway func(options json.RawMessage) bool

	// Site is where browsers sign in.
	Site *wire.Site
	// Admin is where Caddy's admin API listens, "localhost:2019"; "" if it is off.
	Admin string
}

// Walk follows the ways of requests through a server and returns what its
// operator should know, in the order of the routes. It is for the time in which
// the server's routes are provisioned: later, Caddy has forgotten the JSON of
// everything.
func Walk(server *caddyhttp.Server, gateway Gateway) []Finding {
	w := walker{server: server, gateway: gateway}
	w.trust()
	w.serverRoutes()
	return w.findings
}
