// Command auth-gateway is Caddy with its standard modules and the auth module.
package main

import (
	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/datahq/auth-gateway/caddymodule"
)

func main() {
	caddy.CustomBinaryName = "auth-gateway"
	caddycmd.Main()
}
