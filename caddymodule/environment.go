package caddymodule

import (
	"fmt"
	"os"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
)

// Every environment variable of the original service is the default of its
// field (contract 1.3), so that an empty auth block works in its old
// deployment. Key variables are read where the keys are. REDIS_URL is new.
func (a *App) provisionEnvironment() error {
	setDefault(&a.ExternalAddress, "EXTERNAL_ADDRESS")
	setDefault(&a.Database, "DATABASE_URL")
	setDefault(&a.Cache, "REDIS_URL")
	if len(a.AllowNext) == 0 {
		a.AllowNext = strings.FieldsFunc(os.Getenv("ALLOWED_NEXT"), func(r rune) bool { return strings.ContainsRune(" ,;\n\t", r) })
	}
	if len(a.Logins) == 0 {
		a.Logins = environmentLogins()
	}
	if len(a.Services) == 0 {
		services, err := environmentServices(os.Getenv("ALLOWED_SERVICES"))
		if err != nil {
			return err
		}
		a.Services = services
	}
	if len(a.Extensions) == 0 {
		extensions, err := environmentExtensions(os.Getenv("INSTALLED_EXTENSIONS"))
		if err != nil {
			return err
		}
		a.Extensions = extensions
	}
	return nil
}

func setDefault(field *string, variable string) {
	if *field == "" {
		*field = os.Getenv(variable)
	}
}

// environmentLogins are Google and GitHub, each if both its key and its secret
// are there.
func environmentLogins() []*Login {
	var logins []*Login
	for _, name := range []string{"google", "github"} {
		prefix := strings.ToUpper(name)
		if os.Getenv(prefix+"_KEY") != "" && os.Getenv(prefix+"_SECRET") != "" {
			logins = append(logins, &Login{Name: name, ProviderRaw: moduleObject(name)})
		}
	}
	return logins
}

// environmentServices reads ALLOWED_SERVICES as the original did: items end
// with ";", one empty item is dropped, each is alias:provider at the first
// colon, a bare name is both, and the last of the same alias wins. Its
// providers were Python modules; here they are permission providers, and
// anything else is an error that says what to write (ruling 21).
func environmentServices(text string) ([]*Service, error) {
	names, providers := parseAllowedServices(text)
	var services []*Service
	for _, name := range names {
		if name == "" {
			return nil, fmt.Errorf("ALLOWED_SERVICES is %q, of which one item names no service; expected <service>:<permission provider>, separated by semicolons", text)
		}
		provider := providers[name]
		if _, err := caddy.GetModule(permissionNamespace + "." + provider); err != nil || provider == "" {
			return nil, fmt.Errorf("ALLOWED_SERVICES gives the service %q to %q, which is no permission provider here (%s); write this in the auth block instead: service %s database",
				name, provider, expected(provider, moduleNames(permissionNamespace)), name)
		}
		services = append(services, &Service{Name: name, ProviderRaw: moduleObject(provider)})
	}
	return services, nil
}

// parseAllowedServices returns the aliases, in the order in which they come
// first, and their providers.
func parseAllowedServices(text string) (names []string, providers map[string]string) {
	items := strings.Split(text, ";")
	for i, item := range items {
		if item == "" {
			items = append(items[:i:i], items[i+1:]...)
			break
		}
	}
	providers = make(map[string]string, len(items))
	for _, item := range items {
		name, provider, found := strings.Cut(item, ":")
		if !found {
			provider = item
		}
		if _, twice := providers[name]; !twice {
			names = append(names, name)
		}
		providers[name] = provider
	}
	return names, providers
}

// environmentExtensions reads INSTALLED_EXTENSIONS: names that end with ";".
func environmentExtensions(text string) ([]*Extension, error) {
	var extensions []*Extension
	for name := range strings.SplitSeq(text, ";") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if _, err := caddy.GetModule(extensionNamespace + "." + name); err != nil {
			return nil, fmt.Errorf("INSTALLED_EXTENSIONS names %q, which is no extension here (%s); build it in as a module auth.extensions.<name>, or unset the variable and use Caddy's events new_user, user_login and user_logout",
				name, expected(name, moduleNames(extensionNamespace)))
		}
		extensions = append(extensions, &Extension{ModuleRaw: moduleObject(name)})
	}
	return extensions, nil
}

func moduleObject(name string) []byte {
	return caddyconfig.JSONModuleObject(struct{}{}, "module", name, nil)
}
