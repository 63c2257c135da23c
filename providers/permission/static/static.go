// Package static is the permission provider whose answers stand in the
// configuration.
package static

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/datahq/auth-gateway/providers"
)

func init() {
	caddy.RegisterModule(new(Provider))
}

// Provider grants what the configuration lists: to everyone who is signed in,
// and to single users. What is granted to a user goes over what is granted to
// everyone.
type Provider struct {
	// Everyone is what every signed-in user may do.
	Everyone providers.Permissions `json:"everyone,omitempty"`

	// Users is what single users may do besides, by e-mail address (compared
	// without regard to case) or by user ID. Usernames do not count: people choose
	// them.
	Users map[string]providers.Permissions `json:"users,omitempty"`

	answers map[string]providers.Permissions // by folded key, everyone's included
}

// CaddyModule returns the Caddy module information.
func (*Provider) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "auth.permission_providers.static", New: func() caddy.Module { return new(Provider) }}
}

// Provision joins everyone's permissions with each user's.
func (p *Provider) Provision(caddy.Context) error {
	p.answers = make(map[string]providers.Permissions, len(p.Users))
	for who, permissions := range p.Users {
		key := userKey(who)
		if key == "" {
			return fmt.Errorf("a user without a name; expected an e-mail address or a user ID")
		}
		if _, twice := p.answers[key]; twice {
			return fmt.Errorf("user %q is there twice; expected each once", who)
		}
		all := maps.Clone(p.Everyone)
		if all == nil {
			all = make(providers.Permissions, len(permissions))
		}
		maps.Copy(all, permissions)
		p.answers[key] = all
	}
	return nil
}

// userKey folds an e-mail address. IDs are compared as they are.
func userKey(who string) string {
	if strings.Contains(who, "@") {
		return strings.ToLower(who)
	}
	return who
}

// AnswersLocally implements providers.LocalAnswerer.
func (*Provider) AnswersLocally() bool { return true }

// Permissions implements providers.PermissionProvider. If both the user's ID
// and his address are listed, the ID counts.
func (p *Provider) Permissions(_ context.Context, user providers.User, _ string) (providers.Answer, error) {
	if granted, listed := p.answers[user.ID]; listed && user.ID != "" {
		return providers.Answer{Permissions: granted}, nil
	}
	if strings.Contains(user.Email, "@") {
		if granted, listed := p.answers[userKey(user.Email)]; listed {
			return providers.Answer{Permissions: granted}, nil
		}
	}
	return providers.Answer{Permissions: p.Everyone}, nil
}

// Interface guards
var (
	_ caddy.Provisioner            = (*Provider)(nil)
	_ providers.PermissionProvider = (*Provider)(nil)
	_ providers.LocalAnswerer      = (*Provider)(nil)
)
