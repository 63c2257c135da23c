package caddymodule

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/datahq/auth-gateway/internal/gate"
)

// The three spellings of the gate stand after what rewrites and before what
// serves; several of them run in this order. Each is ordered after a directive
// of Caddy's, so the last one registered comes first.
func init() {
	httpcaddyfile.RegisterHandlerDirective("auth_api", parseAuthAPI)
	httpcaddyfile.RegisterDirectiveOrder("auth_api", httpcaddyfile.Before, "basic_auth")
	for _, directive := range []struct {
		name  string
		parse httpcaddyfile.UnmarshalHandlerFunc
	}{
		{"require_permission", parseRequirePermission}, {"require_login", parseRequireLogin}, {"identify", parseIdentify},
	} {
		httpcaddyfile.RegisterHandlerDirective(directive.name, directive.parse)
		httpcaddyfile.RegisterDirectiveOrder(directive.name, httpcaddyfile.After, "forward_auth")
	}
}

// parseAuthAPI reads
//
//	auth_api [<matcher>]
func parseAuthAPI(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	h.Next()
	if h.NextArg() {
		return nil, h.Errf("auth_api has an argument %q; expected none (the path of the auth endpoints is set by path in the auth block)", h.Val())
	}
	for h.NextBlock(0) {
		return nil, h.Errf("unrecognized option %q of auth_api; expected no block", h.Val())
	}
	return new(AuthAPI), nil
}

// parseRequirePermission reads
//
//	require_permission [<matcher>] <service> <permission>... {
//		any           <permission>...
//		query_token
//		forward_token [<header>]
//		paths         lenient
//		preflight     pass
//	}
//
// All of the permissions on the first line are required, and one of those
// after any.
func parseRequirePermission(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	h.Next()
	g := &AuthGate{Require: "permission"}
	if !h.NextArg() {
		return nil, h.Err("require_permission names no service; expected require_permission <service> <permission>...")
	}
	g.Service = h.Val()
	if known, configured := configuredServices(h); configured && !slices.Contains(known, g.Service) {
		return nil, h.WrapErr(unknownService(g.Service, known))
	}
	g.All = h.RemainingArgs()
	if err := parseGateBlock(h, g); err != nil {
		return nil, err
	}
	if len(g.All)+len(g.Any) == 0 {
		return nil, h.Errf("require_permission %s names no permission; expected require_permission %s <permission>... or a block with any", g.Service, g.Service)
	}
	return g, nil
}

// parseRequireLogin reads
//
//	require_login [<matcher>] {
//		query_token
//		paths     lenient
//		preflight pass
//	}
func parseRequireLogin(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	return parseGate(h, "login")
}

// parseIdentify reads
//
//	identify [<matcher>] {
//		query_token
//		paths lenient
//	}
func parseIdentify(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	return parseGate(h, "identity")
}

func parseGate(h httpcaddyfile.Helper, require string) (caddyhttp.MiddlewareHandler, error) {
	h.Next()
	name := h.Val()
	if h.NextArg() {
		return nil, h.Errf("%s has an argument %q; expected none (a service and permissions go with require_permission)", name, h.Val())
	}
	g := &AuthGate{Require: require}
	return g, parseGateBlock(h, g)
}

// gateOptions are what each spelling of the gate may say in its block.
var gateOptions = map[string][]string{
	"permission": {"any", "forward_token", "paths", "preflight", "query_token"},
	"login":      {"paths", "preflight", "query_token"},
	"identity":   {"paths", "query_token"},
}

func parseGateBlock(h httpcaddyfile.Helper, g *AuthGate) error {
	seen := make(map[string]bool)
	for h.NextBlock(0) {
		name := h.Val()
		if !slices.Contains(gateOptions[g.Require], name) {
			return h.Errf("unrecognized option %q; %s", name, expected(name, gateOptions[g.Require]))
		}
		if seen[name] {
			return h.Errf("%s is there twice; expected it once", name)
		}
		seen[name] = true
		if err := g.option(h, name, h.RemainingArgs()); err != nil {
			return err
		}
	}
	return nil
}

func (g *AuthGate) option(h httpcaddyfile.Helper, name string, args []string) error {
	word := strings.Join(args, " ")
	switch {
	case name == "any" && len(args) > 0:
		g.Any = args
	case name == "query_token" && len(args) == 0:
		g.QueryToken = true
	case name == "forward_token" && len(args) == 0:
		g.ForwardToken = gate.DefaultForwardToken
	case name == "forward_token" && len(args) == 1:
		g.ForwardToken = word
	case name == "paths" && word == "lenient":
		g.Paths = word
	case name == "preflight" && word == "pass":
		g.Preflight = word
	default:
		return h.Errf("%s is followed by %q; expected %s", name, word, map[string]string{
			"any": "permissions", "query_token": "nothing", "forward_token": "one header name, or nothing", "paths": "lenient", "preflight": "pass",
		}[name])
	}
	return nil
}

// configuredServices are the services of the auth block, if there is one: a
// service that is misspelt is found while the line is known.
func configuredServices(h httpcaddyfile.Helper) (names []string, configured bool) {
	option, ok := h.Option("auth").(httpcaddyfile.App)
	if !ok {
		return nil, false
	}
	var app App
	if err := json.Unmarshal(option.Value, &app); err != nil {
		return nil, false
	}
	return app.serviceNames(), true
}

func hasPlaceholder(text string) bool { return strings.Contains(text, "{") }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
