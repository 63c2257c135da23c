package keyring

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/token"
)

// Config says where a ring has its keys from.
type Config struct {
	// Issuer is that of the tokens, an origin.
	Issuer string
	// Given are the keys of the configuration.
	Given Given
	// Lifetimes are the kinds of keys that Given leaves to the storage, and how long
	// their tokens live at most at this gateway.
	Lifetimes map[Kind]time.Duration
	Store     Store
	Logger    *zap.Logger
}

// Ring is the keys of one configuration while it runs: those that it gives, and
// for what it does not give those in storage, as time goes by.
type Ring struct {
	ring      *token.Ring
	issuer    string
	given     Given
	lifetimes map[Kind]time.Duration // of the kinds that are in storage
	store     Store
	logger    *zap.Logger
	pace      time.Duration
	// removed is told when tokens that have been accepted no longer are, and
	// changed of every other set of keys.
	removed func()
	changed func(token.Keys)

	mu      sync.Mutex
	file    *File // nil if the configuration gives all keys
	failing bool
	stop    context.CancelFunc
	done    chan struct{}
}

// Open finds the keys, makes those that nobody has made yet, and makes the ring.
func Open(ctx context.Context, c Config) (*Ring, error) {
	r := &Ring{
		issuer: c.Issuer, given: c.Given, lifetimes: c.Lifetimes, store: c.Store,
		logger: c.Logger, pace: Pace, removed: func() {}, changed: func(token.Keys) {},
	}
	if len(r.lifetimes) > 0 {
		file, made, err := r.store.open(ctx, r.lifetimes)
		if err != nil {
			return nil, err
		}
		for _, kind := range made {
			r.logger.Info("made a "+string(kind)+" key and kept it in Caddy's storage", zap.String("file", fileName))
		}
		r.file = file
	}
	r.ring = token.NewRingOf(r.issuer, r.content(r.file))
	return r, nil
}

// Tokens signs and verifies with the keys of now.
func (r *Ring) Tokens() *token.Ring { return r.ring }

// IDs are the IDs of the keys of now, those that sign first.
func (r *Ring) IDs() (signing, session []string) { return keyIDs(r.ring.Keys()) }

// Fingerprint changes when a key has been taken out, and not when a next one is
// added: decisions about tokens of the old one then no longer count, here and in
// a shared cache. It is hexadecimal.
func (r *Ring) Fingerprint() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	parts := []string{r.issuer}
	if r.given.Signing != nil {
		parts = append(parts, r.given.Signing.ID())
	}
	for _, key := range r.given.SigningRetired {
		parts = append(parts, key.ID())
	}
	if r.given.Session != nil {
		parts = append(parts, r.given.Session.ID())
	}
	for _, key := range r.given.SessionRetired {
		parts = append(parts, key.ID())
	}
	if r.file != nil {
		parts = append(parts, r.file.Epoch)
	}
	slices.Sort(parts)
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", slices.Compact(parts)))
	return hex.EncodeToString(sum[:])
}

// content is what the ring holds now, with a file.
func (r *Ring) content(f *File) token.Keys { return r.given.With(f, r.store.now()) }
