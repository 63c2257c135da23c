package caddymodule

import (
	"context"

	"github.com/caddyserver/caddy/v2"

	"github.com/datahq/auth-gateway/internal/keyring"
	"github.com/datahq/auth-gateway/internal/node"
)

// announcers are this process's places among the gateways on each database.
// They live across changes of the configuration, so that a process has one name.
var announcers = caddy.NewUsagePool()

// announcer is one of announcers.
type announcer struct{ *node.Announcer }

// Destruct takes the announcement back when the last configuration has gone.
func (a announcer) Destruct() error { return a.Close() }

// useKeys announces this configuration's keys and address to the other gateways
// on the database, and follows their changes from then on. forget is told when
// tokens that have been accepted are not accepted any more.
func (a *App) useKeys(ctx context.Context, keys *keyring.Ring, b *backend, forget func()) error {
	a.warnOfLocalKeys(a.redis.configured())
	log := a.logger.Named("node")
	value, err := a.node.acquire(announcers, a.dsn.Key(), func() (caddy.Destructor, error) {
		return announcer{node.New(log)}, nil
	})
	if err != nil {
		return err
	}
	m := &node.Member{Store: heartbeats{b.store, b.health.writes}, Keys: keys.IDs, Address: a.site.Origin()}
	announced := value.(announcer)
	removed, err := announced.Enter(ctx, m)
	if err != nil {
		return err
	}
	if removed {
		forget()
	}
	keys.Watch(forget, b.useSecrets)
	a.closeKeys = func() {
		keys.Close()
		announced.Leave(m)
	}
	return nil
}
