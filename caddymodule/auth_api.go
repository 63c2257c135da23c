package caddymodule

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/datahq/auth-gateway/authapi"
	"github.com/datahq/auth-gateway/caddymodule/requestlog"
	"github.com/datahq/auth-gateway/internal/wire"
)

func init() {
	caddy.RegisterModule(new(AuthAPI))
}

// AuthAPI serves the auth endpoints: the API and the pages below the auth app's
// path (`/auth`). Every other request goes on to the next handler.
type AuthAPI struct {
	app *App
}

// CaddyModule returns the Caddy module information.
func (*AuthAPI) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.auth_api", New: func() caddy.Module { return new(AuthAPI) }}
}

// Provision finds the auth app.
func (h *AuthAPI) Provision(ctx caddy.Context) error {
	app, err := authApp(ctx)
	if err != nil {
		return err
	}
	h.app = app
	return app.walk(ctx)
}

// authApp finds the auth app, which is provisioned on the way.
func authApp(ctx caddy.Context) (*App, error) {
	module, err := ctx.App("auth")
	if err != nil {
		return nil, fmt.Errorf("loading the auth app: %w", err)
	}
	app := module.(*App)
	if server := serverOf(ctx); server != nil {
		app.logs.Watch(server)
	}
	return app, app.provision(ctx)
}

// ServeHTTP implements caddyhttp.MiddlewareHandler.
func (h *AuthAPI) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	conductor := h.app.OSConductor && authapi.ConductorServes(r.URL.Path)
	// Our own endpoints have secrets in both directions.
	return h.app.logs.Serve(w, r, next, h.serve, conductor || h.serves(r.URL.Path))
}

func (h *AuthAPI) serve(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	conductor := h.app.OSConductor && authapi.ConductorServes(r.URL.Path)
	if !conductor && !h.serves(r.URL.Path) {
		return next.ServeHTTP(w, r)
	}
	for _, check := range []func(*http.Request) *wire.Problem{oversize, oversizeHeader} {
		if p := check(r); p != nil {
			refusal := *p
			refusal.RequestID = requestlog.RequestID(r)
			refusal.WriteJSON(w)
			return nil
		}
	}
	rt, err := h.app.runtime(r.Context())
	if err != nil {
		p := wire.Problem{
			Status: http.StatusServiceUnavailable, Code: wire.CodeUnavailable,
			Detail: "The gateway is starting. Try again shortly.", RetryAfter: 5 * time.Second, RequestID: requestlog.RequestID(r),
		}
		p.WriteJSON(w)
		return nil
	}
	if conductor {
		rt.api.Conductor().ServeHTTP(w, r)
		return nil
	}
	rt.api.ServeHTTP(w, r)
	return nil
}

// serves reports whether a path is ours. One doubled leading slash is
// tolerated, as the original did.
func (h *AuthAPI) serves(path string) bool {
	if strings.HasPrefix(path, "//") {
		path = path[1:]
	}
	rest, found := strings.CutPrefix(path, h.app.site.Path())
	return found && (rest == "" || rest[0] == '/')
}

// Interface guards
var (
	_ caddy.Provisioner           = (*AuthAPI)(nil)
	_ caddyhttp.MiddlewareHandler = (*AuthAPI)(nil)
)
