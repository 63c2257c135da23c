package node

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"os"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/store"
)

const (
	// heartbeat is how often a gateway says that it is there, and lifetime how long
	// that is believed. By the heartbeat it is also known whether the database can
	// be written, within 15 s.
	heartbeat = 10 * time.Second
	lifetime  = 60 * time.Second
	// timeout bounds one word with the database.
	timeout = 5 * time.Second
)

// Announcer keeps saying that this process is there.
type Announcer struct {
	self store.Node // without keys and address
	log  *zap.Logger
	stop context.CancelFunc
	done chan struct{}

	mu       sync.Mutex
	store    Store     // of the member that speaks
	members  []*Member // the last one speaks
	accepted []string  // key IDs of the member that spoke last
	strange  map[string]bool
	told     map[string]bool
	failing  bool
}

// New begins to announce this process, under one ID for all its life. It says
// nothing until a configuration enters.
func New(log *zap.Logger) *Announcer { return newAnnouncer(log, heartbeat) }

func newAnnouncer(log *zap.Logger, every time.Duration) *Announcer {
	ctx, cancel := context.WithCancel(context.Background())
	host, _ := os.Hostname() // for messages
	a := &Announcer{self: store.Node{ID: randomHex(), Name: host}, log: log, stop: cancel, done: make(chan struct{})}
	go a.beat(ctx, every)
	return a
}

func randomHex() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: the program ends instead
	return hex.EncodeToString(b[:])
}

func (a *Announcer) beat(ctx context.Context, every time.Duration) {
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

// Close ends the announcement, when the last configuration has gone, and takes
// it back. The error is always nil: without a database the announcement ends by
// itself, and the log is told.
func (a *Announcer) Close() error {
	a.stop()
	<-a.done
	if a.store == nil {
		return nil // nobody has entered
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := a.store.Leave(ctx, a.self.ID); err != nil {
		a.log.Warn("cannot take the announcement of this gateway back; it ends by itself", zap.Duration("after", lifetime), zap.Error(err))
	}
	return nil
}

// look announces once more and looks at the others. What does not fit together
// is told once, and only if it is so twice: gateways do not read changed keys in
// the same second.
func (a *Announcer) look(ctx context.Context) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.members) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	own := a.node(a.members[len(a.members)-1])
	a.accepted = slices.Concat(own.SigningKeys, own.SessionKeys)
	others, err := a.store.Announce(ctx, own, lifetime)
	if err != nil {
		if !a.failing { // the outage itself is told by others
			a.log.Debug("cannot announce this gateway to the others on its database; will keep trying", zap.Error(err))
		}
		a.failing = true
		return
	}
	a.failing = false
	strange, told := make(map[string]bool), make(map[string]bool)
	for _, other := range others {
		d := strangers(own, other)
		if d == nil {
			continue
		}
		strange[other.ID], told[other.ID] = true, a.told[other.ID]
		if a.strange[other.ID] && !a.told[other.ID] {
			told[other.ID] = true
			a.log.Error("another gateway on this database has "+d.what+": tokens of one are refused by the other", zap.String("difference", d.detail))
		}
	}
	a.strange, a.told = strange, told
}
