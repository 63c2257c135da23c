package caddymodule

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"

	"github.com/datahq/auth-gateway/providers"
)

const extensionNamespace = "auth.extensions"

// The events that Caddy's handlers can subscribe to. Their data is who it is
// about: user_id, provider and session_id; never an e-mail address, since Caddy
// writes the data of events into its debug log.
const (
	eventNewUser    = "new_user"
	eventUserLogin  = "user_login"
	eventUserLogout = "user_logout"
)

// Extension is code that is told about new users, sign-ins and sign-outs.
type Extension struct {
	// ModuleRaw is the extension.
	ModuleRaw json.RawMessage `json:"extension,omitempty" caddy:"namespace=auth.extensions inline_key=module"`

	extension providers.Extension
}

func (a *App) provisionExtensions(ctx caddy.Context) error {
	for _, e := range a.Extensions {
		module, err := ctx.LoadModule(e, "ModuleRaw")
		if err != nil {
			return fmt.Errorf("extension: %w", err)
		}
		switch module.(type) {
		case providers.NewUserListener, providers.LoginListener, providers.LogoutListener:
		default:
			return fmt.Errorf("extension: module %T listens to nothing; expected OnNewUser, OnUserLogin or OnUserLogout", module)
		}
		e.extension = module
	}
	app, err := ctx.App("events")
	if err != nil {
		return fmt.Errorf("loading the events app: %w", err)
	}
	a.events = &eventEmitter{ctx: ctx, app: app.(*caddyevents.App)}
	return nil
}

// authnExtensions are the configured extensions, and the one that makes
// Caddy's events.
func (a *App) authnExtensions() []providers.Extension {
	all := make([]providers.Extension, 0, len(a.Extensions)+1)
	for _, e := range a.Extensions {
		all = append(all, e.extension)
	}
	return append(all, a.events)
}

// eventEmitter is the extension that makes Caddy's events.
type eventEmitter struct {
	ctx caddy.Context // of the app: events have a module as their origin
	app *caddyevents.App
}

// OnNewUser implements providers.NewUserListener.
func (e *eventEmitter) OnNewUser(ctx context.Context, event providers.Event) error {
	e.emit(ctx, eventNewUser, event)
	return nil
}

// OnUserLogin implements providers.LoginListener.
func (e *eventEmitter) OnUserLogin(ctx context.Context, event providers.Event) error {
	e.emit(ctx, eventUserLogin, event)
	return nil
}

// OnUserLogout implements providers.LogoutListener.
func (e *eventEmitter) OnUserLogout(ctx context.Context, event providers.Event) error {
	e.emit(ctx, eventUserLogout, event)
	return nil
}

// emit uses the request's context, without its end: the app's own is cancelled
// while requests of an old configuration are still under way.
func (e *eventEmitter) emit(ctx context.Context, name string, event providers.Event) {
	c := e.ctx
	c.Context = context.WithoutCancel(ctx)
	e.app.Emit(c, name, map[string]any{
		"user_id": event.User.ID, "provider": event.Session.Provider, "session_id": event.Session.ID,
	})
}
