package caddymodule

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/internal/token"
)

const (
	// keyPace is how often a running gateway looks at the keys in storage. Nothing
	// may sign before all gateways have looked: see keySettle.
	keyPace = 15 * time.Second
	// keySettle is how soon a new key may sign if no token is to be refused.
	keySettle = 2 * keyPace
	// keyTimeout bounds one look at the storage.
	keyTimeout = 10 * time.Second
)

// keyRing is the keys of one configuration while it runs: those that it gives,
// and for what it does not give those in storage, as time goes by.
type keyRing struct {
	ring      *token.Ring
	given     givenKeys
	lifetimes map[keyKind]time.Duration // of the kinds that are in storage
	storage   keyStorage
	logger    *zap.Logger
	pace      time.Duration
	// removed is told when tokens that have been accepted no longer are, and
	// changed of every other set of keys.
	removed func()
	changed func(token.Keys)

	mu      sync.Mutex
	file    *keyFile // nil if the configuration gives all keys
	failing bool
	stop    context.CancelFunc
	done    chan struct{}
}

// openKeys finds the keys and makes the ring.
func (a *App) openKeys(ctx context.Context, s keyStorage) (*keyRing, error) {
	k := &keyRing{
		given: a.keys, lifetimes: a.storedLifetimes(), storage: s,
		logger: a.logger.Named("keys"), pace: keyPace, removed: func() {}, changed: func(token.Keys) {},
	}
	if len(k.lifetimes) > 0 {
		file, made, err := k.storage.open(ctx, k.lifetimes)
		if err != nil {
			return nil, err
		}
		for _, kind := range made {
			k.logger.Info("made a "+string(kind)+" key and kept it in Caddy's storage", zap.String("file", keyFileName))
		}
		k.file = file
	}
	k.ring = token.NewRingOf(a.site.Origin(), k.content(k.file))
	return k, nil
}

// storedLifetimes are the kinds of keys that the configuration leaves to the
// storage, and how long their tokens live at most.
func (a *App) storedLifetimes() map[keyKind]time.Duration {
	stored := make(map[keyKind]time.Duration)
	if a.keys.signing == nil {
		longest := cmp.Or(time.Duration(a.TokenLifetime), authz.DefaultTokenLifetime)
		for _, s := range a.Services {
			longest = max(longest, time.Duration(s.TokenLifetime))
		}
		// Also of unknown services, and of those that a later reload takes away.
		stored[signingKeys] = max(longest, authz.DefaultTokenLifetime)
	}
	if a.keys.session == nil {
		stored[sessionKeys] = cmp.Or(time.Duration(a.SessionLifetime), authz.DefaultSessionLifetime)
	}
	return stored
}

// content is what the ring holds now, of the given keys and a file.
func (k *keyRing) content(f *keyFile) token.Keys {
	keys := token.Keys{
		Session: k.given.session, OtherSessions: slices.Concat(k.given.sessionNext, k.given.sessionRetired),
		Signing: k.given.signing, OtherSigning: slices.Concat(k.given.signingNext, k.given.signingRetired),
	}
	if f == nil {
		return keys
	}
	now := k.storage.now()
	if keys.Signing == nil {
		active, others := split(f.Signing, now, func(s storedKey) *token.SigningKey { return s.signing })
		keys.Signing = active
		public := make([]*token.PublicKey, 0, len(others)+len(keys.OtherSigning))
		for _, key := range others {
			public = append(public, key.Public())
		}
		keys.OtherSigning = append(public, keys.OtherSigning...)
		keys.Until = f.Signing.change(now)
	}
	if keys.Session == nil {
		active, others := split(f.Session, now, func(s storedKey) *token.SessionKey { return s.session })
		keys.Session, keys.OtherSessions = active, append(others, keys.OtherSessions...)
	}
	return keys
}

// split gives the key that signs, and the others: the next ones first.
func split[K any](t timeline, now time.Time, key func(storedKey) K) (active K, others []K) {
	t = t.live(now)
	i := t.active(now)
	for j := i + 1; j < len(t); j++ {
		others = append(others, key(t[j]))
	}
	for j := range i {
		others = append(others, key(t[j]))
	}
	return key(t[i]), others
}

// watch looks at the storage from time to time, until close.
func (k *keyRing) watch(removed func()) {
	k.removed = removed
	if k.file == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	k.stop, k.done = cancel, make(chan struct{})
	go func() {
		defer close(k.done)
		for {
			timer := time.NewTimer(k.pause())
			select {
			case <-ctx.Done():
				timer.Stop()
				return
			case <-timer.C:
			}
			k.refresh(ctx)
		}
	}()
}

// close ends the watch. The ring stays as it is. It may be called on nil.
func (k *keyRing) close() {
	if k == nil || k.stop == nil {
		return
	}
	k.stop()
	<-k.done
}

// pause is how long nothing happens for sure.
func (k *keyRing) pause() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	now, pause := k.storage.now(), k.pace
	for kind := range k.lifetimes {
		if change := k.file.keys(kind).change(now); !change.IsZero() {
			pause = min(pause, change.Sub(now))
		}
	}
	return max(pause, time.Millisecond)
}

// refresh brings the ring up to date. If the storage does not answer, the keys
// that are known go on, and change when it is time.
func (k *keyRing) refresh(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, keyTimeout)
	defer cancel()
	file, err := k.read(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil && !k.failing {
		k.logger.Error("cannot look for changed keys; those that are known go on", zap.Error(err))
	}
	k.failing = err != nil
	if err != nil {
		file = k.file
	}
	old := accepted(k.content(k.file)) // as of now, so that ageing is no removal
	k.file = file
	keys := k.content(file)
	if sameKeys(keys, k.ring.Keys()) {
		return
	}
	k.ring.Set(keys)
	k.changed(keys)
	k.logger.Info("the keys have changed", zap.Int("signing", 1+len(keys.OtherSigning)), zap.Int("session", 1+len(keys.OtherSessions)))
	if now := accepted(keys); slices.ContainsFunc(old, func(id string) bool { return !slices.Contains(now, id) }) {
		k.logger.Warn("a key has been taken out: its tokens have ended")
		k.removed()
	}
}

// read is the file as it is now. What this gateway has to note in it, it notes.
func (k *keyRing) read(ctx context.Context) (*keyFile, error) {
	file, err := k.storage.load(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the keys are gone from Caddy's storage: %w", err)
	}
	if err != nil {
		return nil, err
	}
	if !file.complete(k.lifetimes) {
		return nil, fmt.Errorf("keys are missing in %s in Caddy's storage", keyFileName)
	}
	now := k.storage.now()
	if !file.prolong(k.lifetimes, now) && !file.prune(now) {
		return file, nil
	}
	return k.storage.update(ctx, func(f *keyFile) (bool, error) {
		if !f.complete(k.lifetimes) {
			return false, fmt.Errorf("keys are missing in %s in Caddy's storage", keyFileName)
		}
		prolonged := f.prolong(k.lifetimes, now)
		return f.prune(now) || prolonged, nil
	})
}

// accepted are the IDs of all keys.
func accepted(keys token.Keys) []string {
	signing, session := keyIDs(keys)
	return append(signing, session...)
}

// keyIDs are the IDs of the keys, those that sign first.
func keyIDs(keys token.Keys) (signing, session []string) {
	signing, session = []string{keys.Signing.ID()}, []string{keys.Session.ID()}
	for _, key := range keys.OtherSigning {
		signing = append(signing, key.ID())
	}
	for _, key := range keys.OtherSessions {
		session = append(session, key.ID())
	}
	return signing, session
}

func sameKeys(a, b token.Keys) bool {
	signing, session := keyIDs(a)
	otherSigning, otherSession := keyIDs(b)
	return slices.Equal(signing, otherSigning) && slices.Equal(session, otherSession) && a.Until.Equal(b.Until)
}

// fingerprint changes when a key has been taken out, and not when a next one is
// added: decisions about tokens of the old one then no longer count, here and in
// a shared cache.
func (k *keyRing) fingerprint(issuer string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	parts := []string{issuer}
	if k.given.signing != nil {
		parts = append(parts, k.given.signing.ID())
	}
	for _, key := range k.given.signingRetired {
		parts = append(parts, key.ID())
	}
	if k.given.session != nil {
		parts = append(parts, k.given.session.ID())
	}
	for _, key := range k.given.sessionRetired {
		parts = append(parts, key.ID())
	}
	if k.file != nil {
		parts = append(parts, k.file.Epoch)
	}
	slices.Sort(parts)
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", slices.Compact(parts)))
	return hex.EncodeToString(sum[:])
}

// warnOfLocalKeys tells about keys that other gateways on the same Redis will
// not have: Caddy's own storage is files on one machine. sharedCache says that a
// Redis is configured.
func (a *App) warnOfLocalKeys(sharedCache bool) {
	_, local := a.storage.(*certmagic.FileStorage)
	if !sharedCache || !local || len(a.storedLifetimes()) == 0 {
		return
	}
	a.logger.Warn("there is a shared cache, but the keys are in files on this machine; gateways on other machines would sign with keys of their own: "+
		"give all of them the same signing_key and session_key by file or environment, or a Caddy storage that they share",
		zap.String("storage", fmt.Sprint(a.storage)))
}
