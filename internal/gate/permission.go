package gate

import (
	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/internal/wire"
)

// missing tells which permissions are not granted.
func (g *Gate) missing(d *authz.Decision, st *State) *wire.Problem {
	var missing []string
	for _, name := range g.rule.All {
		name, ok := st.expand(name)
		if !ok {
			return &emptyPlaceholder
		}
		if !d.Permissions.Granted(name) {
			missing = append(missing, name)
		}
	}
	granted, all := false, len(missing)
	for _, name := range g.rule.Any {
		name, ok := st.expand(name)
		if !ok {
			return &emptyPlaceholder // also behind one that is granted (ruling 22)
		}
		if granted = granted || d.Permissions.Granted(name); !granted {
			missing = append(missing, name)
		}
	}
	if granted {
		missing = missing[:all]
	}
	if len(missing) == 0 {
		return nil
	}
	p := permissionMissing
	p.Service, p.Missing = g.rule.Service, missing
	return &p
}
