package caddymodule

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/datahq/auth-gateway/internal/demo"
)

func init() {
	caddy.RegisterModule(new(Demo))
	httpcaddyfile.RegisterHandlerDirective("auth_demo", parseDemo)
	httpcaddyfile.RegisterDirectiveOrder("auth_demo", httpcaddyfile.Before, "respond")
}

// sampleUsers are the development provider's, with what the top-level Caddyfile
// lets them do.
var sampleUsers = []string{
	"ada: read, write and admin in storage",
	"bob: read in storage",
	"eve: nothing but sign in",
}

// Demo is an upstream that shows what reached it: the request, the identity
// headers and the permission token, verified with the gateway's public key. Put
// it on a server of its own, on loopback, behind the gateway. It prints how to
// begin when the server has started.
type Demo struct {
	app     *App
	handler http.Handler
}

// CaddyModule returns the Caddy module information.
func (*Demo) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.auth_demo", New: func() caddy.Module { return new(Demo) }}
}

// Provision finds the gateway it stands behind.
func (h *Demo) Provision(ctx caddy.Context) error {
	app, err := authApp(ctx)
	if err != nil {
		return err
	}
	h.app = app
	h.handler = demo.New(demo.Config{
		PublicKeyURL: app.site.URL("/public-key"), Issuer: app.site.Origin(), Gateway: app.site.Origin(), Users: sampleUsers,
	})
	module, err := ctx.App("events")
	if err != nil {
		return fmt.Errorf("loading the events app: %w", err)
	}
	return module.(*caddyevents.App).On("started", h)
}

// Handle prints how to begin, once all servers listen.
func (h *Demo) Handle(context.Context, caddy.Event) error {
	demo.Banner(os.Stdout, h.app.site.Origin(), sampleUsers...)
	return nil
}

// ServeHTTP implements caddyhttp.MiddlewareHandler.
func (h *Demo) ServeHTTP(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
	h.handler.ServeHTTP(w, r)
	return nil
}

// parseDemo reads
//
//	auth_demo [<matcher>]
func parseDemo(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	h.Next()
	if h.NextArg() {
		return nil, h.ArgErr()
	}
	return new(Demo), nil
}

// Interface guards
var (
	_ caddy.Provisioner           = (*Demo)(nil)
	_ caddyhttp.MiddlewareHandler = (*Demo)(nil)
	_ caddyevents.Handler         = (*Demo)(nil)
)
