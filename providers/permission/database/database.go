// Package database is the permission provider whose answers stand in the
// gateway's own database.
package database

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/datahq/auth-gateway/providers"
)

func init() {
	caddy.RegisterModule(new(Provider))
}

// freshFor bounds how long a change made by another process goes unnoticed.
const freshFor = 5 * time.Second

// Provider grants what the table `permissions` holds: the entries of the user
// go over those of everyone (`*`), key by key. The table is filled with
// `auth-gateway auth grant`; a change counts within five seconds.
type Provider struct {
	store providers.GrantStore
}

// CaddyModule returns the Caddy module information.
func (*Provider) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "auth.permission_providers.database", New: func() caddy.Module { return new(Provider) }}
}

// UnmarshalCaddyfile reads "database", which has no options.
func (p *Provider) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	if d.NextArg() {
		return d.Errf("permission provider database has an argument %q; expected none", d.Val())
	}
	for d.NextBlock(0) {
		return d.Errf("unrecognized option %q of permission provider database; expected none", d.Val())
	}
	return nil
}

// UseGrantStore implements providers.GrantStoreUser.
func (p *Provider) UseGrantStore(store providers.GrantStore) { p.store = store }

// Permissions implements providers.PermissionProvider.
func (p *Provider) Permissions(ctx context.Context, user providers.User, service string) (providers.Answer, error) {
	if p.store == nil {
		return providers.Answer{}, fmt.Errorf("the database is not open: %w", providers.ErrUnavailable)
	}
	everyone, err := p.store.Grants(ctx, providers.Everyone, service)
	if err != nil {
		return providers.Answer{}, fmt.Errorf("reading what everyone may do: %w", err)
	}
	answer := providers.Answer{Permissions: everyone, ValidFor: freshFor}
	// A user who is called "*" would be everyone; there is none.
	if user.ID == providers.Everyone {
		return answer, nil
	}
	own, err := p.store.Grants(ctx, user.ID, service)
	if err != nil {
		return providers.Answer{}, fmt.Errorf("reading what the user may do: %w", err)
	}
	switch {
	case len(everyone) == 0:
		answer.Permissions = own
	case len(own) > 0:
		answer.Permissions = maps.Clone(everyone)
		maps.Copy(answer.Permissions, own)
	}
	return answer, nil
}

// Interface guards
var (
	_ caddyfile.Unmarshaler        = (*Provider)(nil)
	_ providers.PermissionProvider = (*Provider)(nil)
	_ providers.GrantStoreUser     = (*Provider)(nil)
)
