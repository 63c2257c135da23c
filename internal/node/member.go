package node

import (
	"context"
	"fmt"
	"slices"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/store"
)

// Member is a configuration that has started; there are two during a reload.
type Member struct {
	// Keys are the IDs of its keys of now, those that sign first.
	Keys func() (signing, session []string)
	// Address is its external address, the issuer of its tokens.
	Address string
	// Store is the database; configurations open the same one each for itself if
	// they differ in what else they use.
	Store Store
}

// Enter announces a configuration that starts. The error names a gateway whose
// tokens this one would refuse, or the other way round. removed reports whether
// keys that this process has accepted are not accepted any more.
func (a *Announcer) Enter(ctx context.Context, m *Member) (removed bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	own := a.node(m)
	others, err := m.Store.Announce(ctx, own, lifetime)
	if err != nil {
		return false, fmt.Errorf("announcing this gateway to the others on its database: %w", err)
	}
	for _, other := range others {
		if d := strangers(own, other); d != nil && d.bars {
			a.restore(ctx, m)
			return false, fmt.Errorf("another gateway on this database has %s: %s. "+
				"Give all gateways on one database the same signing_key and session_key, by file or environment, or a Caddy storage that they share "+
				"(to exchange a key, name the new one as \"next\" everywhere first). If that gateway is gone, it is forgotten in %s", d.what, d.detail, lifetime)
		}
	}
	now := slices.Concat(own.SigningKeys, own.SessionKeys)
	removed = slices.ContainsFunc(a.accepted, func(id string) bool { return !slices.Contains(now, id) })
	a.members, a.store, a.accepted = append(a.members, m), m.Store, now
	return removed, nil
}

// restore says what the running configuration said. The lock is held.
func (a *Announcer) restore(ctx context.Context, refused *Member) {
	var err error
	if len(a.members) == 0 {
		err = refused.Store.Leave(ctx, a.self.ID)
	} else {
		_, err = a.store.Announce(ctx, a.node(a.members[len(a.members)-1]), lifetime)
	}
	if err != nil {
		a.log.Warn("cannot take the announcement of this gateway back", zap.Error(err))
	}
}

// Leave forgets a configuration.
func (a *Announcer) Leave(m *Member) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.members = slices.DeleteFunc(a.members, func(o *Member) bool { return o == m })
	if len(a.members) > 0 {
		a.store = a.members[len(a.members)-1].Store
	}
}

// node is what a configuration announces.
func (a *Announcer) node(m *Member) store.Node {
	n := a.self
	n.SigningKeys, n.SessionKeys = m.Keys()
	n.Address = m.Address
	return n
}
