package caddymodule

import (
	"reflect"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/caddymodule/routes"
)

// checkAdmin warns of an admin API that others than this machine may reach: it
// asks nobody who he is (S42).
func (a *App) checkAdmin(ctx caddy.Context) {
	listen := adminAddress(ctx)
	if listen == "" || len(routes.Open([]string{listen})) == 0 {
		return
	}
	a.logger.Warn("Caddy's admin API listens where others may reach it, and asks nobody who he is",
		zap.String("listen", listen), zap.String("expected", "admin localhost:2019, admin unix//<path> or admin off in the global options"))
}

// adminAddress is where the admin API of the configuration that is being loaded
// listens; "" if it is off. Caddy keeps that from its modules, so it is read out
// of the context; where that no longer works, it is Caddy's default.
func adminAddress(ctx caddy.Context) string {
	listen := ""
	config := reflect.Indirect(reflect.ValueOf(ctx).FieldByName("cfg"))
	if config.IsValid() && config.Type() == reflect.TypeFor[caddy.Config]() {
		if admin := reflect.Indirect(config.FieldByName("Admin")); admin.IsValid() {
			if admin.FieldByName("Disabled").Bool() {
				return ""
			}
			listen = caddy.NewReplacer().ReplaceKnown(admin.FieldByName("Listen").String(), "")
		}
	}
	if listen == "" {
		return caddy.DefaultAdminListen
	}
	return listen
}
