package caddymodule

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"

	"github.com/caddyserver/caddy/v2"

	"github.com/datahq/auth-gateway/providers"
)

const identityNamespace = "auth.identity_providers"

// Login is a way to sign in.
type Login struct {
	// Name is what the API and the login page call it: lower-case letters,
	// digits, "-" and "_".
	Name string `json:"name,omitempty"`

	// ProviderRaw is the identity provider.
	ProviderRaw json.RawMessage `json:"provider,omitempty" caddy:"namespace=auth.identity_providers inline_key=module"`

	provider providers.IdentityProvider
}

var loginName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)

func (a *App) provisionLogins(ctx caddy.Context) error {
	for _, login := range a.Logins {
		module, err := ctx.LoadModule(login, "ProviderRaw")
		if err != nil {
			return fmt.Errorf("login %s: %w", login.Name, err)
		}
		provider, ok := module.(providers.IdentityProvider)
		if !ok {
			return fmt.Errorf("login %s: module %T is not an identity provider", login.Name, module)
		}
		login.provider = provider
		if mounted, ok := provider.(providers.Mounted); ok {
			base, err := url.Parse(a.site.URL("/login/" + login.Name))
			if err != nil {
				return fmt.Errorf("login %s: %w", login.Name, err)
			}
			if err := mounted.Mount(base); err != nil {
				return fmt.Errorf("login %s: %w", login.Name, err)
			}
		}
	}
	return nil
}
