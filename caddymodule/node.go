package caddymodule

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/store"
)

const (
	// heartbeat is how often a gateway says that it is there, and nodeLifetime how
	// long that is believed.
	heartbeat    = 20 * time.Second
	nodeLifetime = 60 * time.Second
	// nodeTimeout bounds one word with the database.
	nodeTimeout = 5 * time.Second
)

// nodeStore is where gateways on one database find each other.
type nodeStore interface {
	// Announce says that a node lives for ttl from now, in place of what it said
	// before, and returns the others that do.
	Announce(ctx context.Context, node store.Node, ttl time.Duration) (others []store.Node, err error)
	// Leave takes a node's word back. One that is not there is no error.
	Leave(ctx context.Context, id string) error
}

// announcers are this process's places among the gateways on each database.
// They live across changes of the configuration, so that a process has one name.
var announcers = caddy.NewUsagePool()

// announcer keeps saying that this process is there.
type announcer struct {
	self store.Node // without keys
	log  *zap.Logger
	stop context.CancelFunc
	done chan struct{}

	mu       sync.Mutex
	nodes    nodeStore // of the member that speaks
	members  []*member // the last one speaks
	accepted []string  // key IDs of the member that spoke last
	strange  map[string]bool
	told     map[string]bool
	failing  bool
}

// member is a configuration that has started; there are two during a reload.
type member struct {
	keys func() (signing, session []string)
	// nodes is the database; configurations open the same one each for itself if
	// they differ in what else they use.
	nodes nodeStore
}

func newAnnouncer(log *zap.Logger, every time.Duration) *announcer {
	ctx, cancel := context.WithCancel(context.Background())
	host, _ := os.Hostname() // for messages
	a := &announcer{self: store.Node{ID: randomHex(), Name: host}, log: log, stop: cancel, done: make(chan struct{})}
	go a.beat(ctx, every)
	return a
}

func (a *announcer) beat(ctx context.Context, every time.Duration) {
	defer close(a.done)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		a.look(ctx)
	}
}

// Destruct takes the announcement back when the last configuration has gone.
func (a *announcer) Destruct() error {
	a.stop()
	<-a.done
	if a.nodes == nil {
		return nil // nobody has entered
	}
	ctx, cancel := context.WithTimeout(context.Background(), nodeTimeout)
	defer cancel()
	if err := a.nodes.Leave(ctx, a.self.ID); err != nil {
		a.log.Warn("cannot take the announcement of this gateway back; it ends by itself", zap.Duration("after", nodeLifetime), zap.Error(err))
	}
	return nil
}

// enter announces a configuration that starts. The error names a gateway whose
// tokens this one would refuse, or the other way round. removed reports whether
// keys that this process has accepted are not accepted any more.
func (a *announcer) enter(ctx context.Context, m *member) (removed bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	own := a.node(m)
	others, err := m.nodes.Announce(ctx, own, nodeLifetime)
	if err != nil {
		return false, fmt.Errorf("announcing this gateway to the others on its database: %w", err)
	}
	for _, other := range others {
		if problem := strangers(own, other); problem != "" {
			a.restore(ctx, m)
			return false, fmt.Errorf("another gateway on this database has other keys: %s. "+
				"Give all gateways on one database the same signing_key and session_key, by file or environment, or a Caddy storage that they share "+
				"(to exchange a key, name the new one as \"next\" everywhere first). If that gateway is gone, it is forgotten in %s", problem, nodeLifetime)
		}
	}
	now := slices.Concat(own.SigningKeys, own.SessionKeys)
	removed = slices.ContainsFunc(a.accepted, func(id string) bool { return !slices.Contains(now, id) })
	a.members, a.nodes, a.accepted = append(a.members, m), m.nodes, now
	return removed, nil
}

// restore says what the running configuration said. The lock is held.
func (a *announcer) restore(ctx context.Context, refused *member) {
	var err error
	if len(a.members) == 0 {
		err = refused.nodes.Leave(ctx, a.self.ID)
	} else {
		_, err = a.nodes.Announce(ctx, a.node(a.members[len(a.members)-1]), nodeLifetime)
	}
	if err != nil {
		a.log.Warn("cannot take the announcement of this gateway back", zap.Error(err))
	}
}

// leave forgets a configuration.
func (a *announcer) leave(m *member) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.members = slices.DeleteFunc(a.members, func(o *member) bool { return o == m })
	if len(a.members) > 0 {
		a.nodes = a.members[len(a.members)-1].nodes
	}
}

// look announces once more and looks at the others. What does not fit together
// is told once, and only if it is so twice: gateways do not read changed keys in
// the same second.
func (a *announcer) look(ctx context.Context) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.members) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, nodeTimeout)
	defer cancel()
	own := a.node(a.members[len(a.members)-1])
	a.accepted = slices.Concat(own.SigningKeys, own.SessionKeys)
	others, err := a.nodes.Announce(ctx, own, nodeLifetime)
	if err != nil {
		if !a.failing && ctx.Err() != context.Canceled { //nolint:errorlint // it is never wrapped
			a.log.Warn("cannot announce this gateway to the others on its database; will keep trying", zap.Error(err))
		}
		a.failing = true
		return
	}
	a.failing = false
	strange, told := make(map[string]bool), make(map[string]bool)
	for _, other := range others {
		problem := strangers(own, other)
		if problem == "" {
			continue
		}
		strange[other.ID], told[other.ID] = true, a.told[other.ID]
		if a.strange[other.ID] && !a.told[other.ID] {
			told[other.ID] = true
			a.log.Error("another gateway on this database has other keys: tokens of one are refused by the other", zap.String("difference", problem))
		}
	}
	a.strange, a.told = strange, told
}

// node is what a configuration announces.
func (a *announcer) node(m *member) store.Node {
	n := a.self
	n.SigningKeys, n.SessionKeys = m.keys()
	return n
}

// strangers says which key one of two gateways signs with that the other does
// not know; "" if there is none.
func strangers(own, other store.Node) string {
	for _, kind := range []struct {
		name        string
		ours, their []string
	}{{"signing", own.SigningKeys, other.SigningKeys}, {"session", own.SessionKeys, other.SessionKeys}} {
		switch {
		case len(kind.ours) == 0 || len(kind.their) == 0:
		case !slices.Contains(kind.ours, kind.their[0]):
			return fmt.Sprintf("the %s key %s of the gateway on %q is unknown here, where %s signs", kind.name, short(kind.their[0]), other.Name, short(kind.ours[0]))
		case !slices.Contains(kind.their, kind.ours[0]):
			return fmt.Sprintf("our %s key %s is unknown to the gateway on %q, where %s signs", kind.name, short(kind.ours[0]), other.Name, short(kind.their[0]))
		}
	}
	return ""
}

// short is the beginning of a key's ID, enough to tell keys apart.
func short(id string) string { return id[:min(8, len(id))] }

// useKeys announces this configuration's keys to the other gateways on the
// database, and follows their changes from then on. forget is told when tokens
// that have been accepted are not accepted any more.
func (a *App) useKeys(ctx context.Context, keys *keyRing, b *backend, forget func()) error {
	a.warnOfLocalKeys(a.redis.configured())
	log := a.logger.Named("node")
	value, err := a.node.acquire(announcers, a.dsn.Key(), func() (caddy.Destructor, error) {
		return newAnnouncer(log, heartbeat), nil
	})
	if err != nil {
		return err
	}
	m := &member{nodes: b.store, keys: func() (signing, session []string) { return keyIDs(keys.ring.Keys()) }}
	announced := value.(*announcer)
	removed, err := announced.enter(ctx, m)
	if err != nil {
		return err
	}
	if removed {
		forget()
	}
	keys.watch(forget)
	a.closeKeys = func() {
		keys.close()
		announced.leave(m)
	}
	return nil
}
