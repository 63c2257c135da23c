package caddymodule

import (
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/caddymodule/routes"
)

// checkListeners warns, once, of a server of ours that others than this machine
// may reach, while an external address on loopback means that cookies are made
// for plain http: without Secure, and without the prefix that goes with it (S31).
func (a *App) checkListeners(server *caddyhttp.Server) {
	open := routes.Open(server.Listen)
	if a.site.Secure() || a.exposed || len(open) == 0 {
		return
	}
	a.exposed = true
	a.logger.Warn("cookies without Secure are given over the network: external_address is on loopback, and the server listens on more than that",
		zap.String("external_address", a.site.Origin()), zap.Strings("listen", open),
		zap.String("expected", "default_bind 127.0.0.1 in the global options, or bind 127.0.0.1 in the site; or the https address of the site as external_address"))
}
