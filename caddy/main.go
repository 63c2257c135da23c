// Command auth-gateway is Caddy with its standard modules and the auth module.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/datahq/auth-gateway/caddymodule"
)

func main() {
	caddycmd.Main()
}
