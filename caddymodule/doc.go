// Package caddymodule is auth-gateway as Caddy sees it: the app "auth", the
// handlers "auth_api" and "auth_gate" with their directives, and the demo
// upstream. It is the only place that wires things together.
package caddymodule

import (
	// Every built-in provider is registered as a third party's would be.
	_ "github.com/datahq/auth-gateway/providers/identity/dev"
	_ "github.com/datahq/auth-gateway/providers/identity/github"
	_ "github.com/datahq/auth-gateway/providers/identity/oidc"
	_ "github.com/datahq/auth-gateway/providers/permission/database"
	_ "github.com/datahq/auth-gateway/providers/permission/static"
)
