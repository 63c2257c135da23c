package caddymodule

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/internal/wire"
)

const (
	// openTimeout bounds opening the database and finding the keys. Taking over a
	// million users of an original service takes minutes, once.
	openTimeout = 15 * time.Minute
	// startTimeout is how long a request waits for that.
	startTimeout = 30 * time.Second
)

// provisionStrings replaces placeholders. One that is unknown or empty is an
// error: a secret that is silently missing would be found out much later.
func (a *App) provisionStrings() error {
	repl := caddy.NewReplacer()
	fields := map[string]*string{
		"external_address": &a.ExternalAddress, "path": &a.Path, "default_next": &a.DefaultNext,
	}
	for name, field := range fields {
		value, err := resolve(repl, *field)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		*field = value
	}
	for i, next := range a.AllowNext {
		value, err := resolve(repl, next)
		if err != nil {
			return fmt.Errorf("allow_next: %w", err)
		}
		a.AllowNext[i] = value
	}
	for name, d := range map[string]caddy.Duration{"session_lifetime": a.SessionLifetime, "session_idle": a.SessionIdle, "token_lifetime": a.TokenLifetime} {
		if d < 0 {
			return fmt.Errorf("%s is negative (%s); expected a duration such as 12h", name, time.Duration(d))
		}
	}
	return checkErrors(a.Errors)
}

func checkErrors(value string) error {
	if value != "" && value != "handle" {
		return fmt.Errorf("errors is %q; expected handle, or nothing", value)
	}
	return nil
}

// resolve replaces the placeholders of a value.
func resolve(repl *caddy.Replacer, value string) (string, error) {
	if !strings.Contains(value, "{") {
		return value, nil
	}
	return repl.ReplaceOrErr(value, true, true)
}

func (a *App) provisionSite() error {
	site, err := wire.NewSite(a.ExternalAddress, a.Path)
	if err != nil {
		return err
	}
	a.site = site
	a.next, err = wire.NewNextPolicy(site, a.LoopbackNext == nil || *a.LoopbackNext, a.AllowNext...)
	if err != nil {
		return err
	}
	if a.DefaultNext != "" {
		if _, err := a.next.Check(a.DefaultNext); err != nil {
			return fmt.Errorf("default_next %q: %w; expected a path of this site, or an address that allow_next lists", wire.ShownAddress(a.DefaultNext), err)
		}
	}
	return nil
}

// serverOf is the HTTP server whose routes are being provisioned; nil if none
// is.
func serverOf(ctx caddy.Context) *caddyhttp.Server {
	server, _ := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	return server
}

// loopbackAddress is the external address of a server that listens on loopback
// alone; "" if it does not.
func loopbackAddress(server *caddyhttp.Server) string {
	if server == nil {
		return ""
	}
	port := uint(0)
	for _, text := range server.Listen {
		address, err := caddy.ParseNetworkAddress(text)
		if err != nil || address.IsUnixNetwork() || !wire.IsLoopbackHost(address.Host) || address.PortRangeSize() != 1 {
			return ""
		}
		if port == 0 {
			port = address.StartPort
		}
	}
	if port == 0 {
		return ""
	}
	return fmt.Sprintf("http://localhost:%d", port)
}

func (a *App) provisionDatabase() error {
	address, err := resolve(caddy.NewReplacer(), a.Database)
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	if address == "" {
		address = "sqlite:///" + filepath.Join(caddy.AppDataDir(), "auth", "auth.db")
	}
	if a.dsn, err = store.ParseDSN(address); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	if err := a.dsn.CheckWritable(); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return nil
}
