package caddymodule

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"

	"github.com/caddyserver/caddy/v2"

	"github.com/datahq/auth-gateway/providers"
)

const permissionNamespace = "auth.permission_providers"

// Service is a named thing that is protected.
type Service struct {
	// Name is what tokens and routes call it: letters, digits, ".", "-" and "_".
	Name string `json:"name,omitempty"`

	// ProviderRaw is the permission provider: it says what a user may do here.
	ProviderRaw json.RawMessage `json:"provider,omitempty" caddy:"namespace=auth.permission_providers inline_key=module"`

	// TokenLifetime of this service's permission tokens. Default: the app's.
	TokenLifetime caddy.Duration `json:"token_lifetime,omitempty"`

	provider    providers.PermissionProvider
	fingerprint string
}

var serviceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func (a *App) provisionServices(ctx caddy.Context) error {
	for _, service := range a.Services {
		sum := sha256.Sum256(service.ProviderRaw)
		service.fingerprint = hex.EncodeToString(sum[:])
		module, err := ctx.LoadModule(service, "ProviderRaw")
		if err != nil {
			return fmt.Errorf("service %s: %w", service.Name, err)
		}
		provider, ok := module.(providers.PermissionProvider)
		if !ok {
			return fmt.Errorf("service %s: module %T is not a permission provider", service.Name, module)
		}
		service.provider = provider
	}
	return nil
}

// checkNames refuses names that are not plain, and those that are there twice.
func (a *App) checkNames() error {
	seen := make(map[string]bool)
	for _, login := range a.Logins {
		if err := checkName("login", login.Name, loginName, "a-z, 0-9, - and _", seen); err != nil {
			return err
		}
	}
	for _, service := range a.Services {
		if err := checkName("service", service.Name, serviceName, "letters, digits, ., - and _", seen); err != nil {
			return err
		}
		if service.TokenLifetime < 0 {
			return fmt.Errorf("service %s: token_lifetime is negative; expected a duration such as 12h", service.Name)
		}
	}
	return nil
}

func checkName(what, name string, form *regexp.Regexp, expected string, seen map[string]bool) error {
	if !form.MatchString(name) {
		return fmt.Errorf("%s name %q is not plain; expected %s", what, name, expected)
	}
	if seen[what+" "+name] {
		return fmt.Errorf("%s %s is configured twice; expected one of each name", what, name)
	}
	seen[what+" "+name] = true
	return nil
}

// hasService reports whether a service is configured.
func (a *App) hasService(name string) bool {
	for _, service := range a.Services {
		if service.Name == name {
			return true
		}
	}
	return false
}

func (a *App) serviceNames() []string {
	names := make([]string, 0, len(a.Services))
	for _, service := range a.Services {
		names = append(names, service.Name)
	}
	return names
}
