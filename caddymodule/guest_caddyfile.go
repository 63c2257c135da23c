package caddymodule

import (
	"encoding/json"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

func (p *appParser) login() error {
	if !p.NextArg() {
		return p.ArgErr()
	}
	login := &Login{Name: p.Val()}
	if !loginName.MatchString(login.Name) {
		return p.Errf("login name %q is not plain; expected a-z, 0-9, - and _", login.Name)
	}
	for _, other := range p.app.Logins {
		if other.Name == login.Name {
			return p.Errf("login %s is configured twice; expected one of each name", login.Name)
		}
	}
	p.NextArg() // "login <name> <module>"; without it the name is the module's
	raw, err := p.guest("identity provider", identityNamespace)
	login.ProviderRaw = raw
	p.app.Logins = append(p.app.Logins, login)
	return err
}

func (p *appParser) service() error {
	if !p.NextArg() {
		return p.ArgErr()
	}
	service := &Service{Name: p.Val()}
	if !serviceName.MatchString(service.Name) {
		return p.Errf("service name %q is not plain; expected letters, digits, ., - and _", service.Name)
	}
	for _, other := range p.app.Services {
		if other.Name == service.Name {
			return p.Errf("service %s is configured twice; expected one of each name", service.Name)
		}
	}
	if !p.NextArg() {
		return p.Errf("service %s has no permission provider; %s", service.Name, expected("", moduleNames(permissionNamespace)))
	}
	raw, err := p.guest("permission provider", permissionNamespace)
	service.ProviderRaw = raw
	p.app.Services = append(p.app.Services, service)
	return err
}

func (p *appParser) extension() error {
	if !p.NextArg() {
		return p.ArgErr()
	}
	raw, err := p.guest("extension", extensionNamespace)
	p.app.Extensions = append(p.app.Extensions, &Extension{ModuleRaw: raw})
	return err
}

// guest reads the guest module whose name is the current token, with its block.
func (p *appParser) guest(what, namespace string) (json.RawMessage, error) {
	name := p.Val()
	if _, err := caddy.GetModule(namespace + "." + name); err != nil {
		return nil, p.Errf("unknown %s %q; %s", what, name, expected(name, moduleNames(namespace)))
	}
	module, err := caddyfile.UnmarshalModule(p.Dispenser, namespace+"."+name)
	if err != nil {
		return nil, err
	}
	return caddyconfig.JSONModuleObject(module, "module", name, nil), nil
}
