package caddymodule

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/caddyserver/certmagic"
)

// storage is Caddy's, which may be shared by a cluster.
type storage = certmagic.Storage

const (
	keyFileName = "auth/keys.json"
	keyLock     = "auth_keys"
)

// oldKeyFiles are where the first version kept one key of each kind.
var oldKeyFiles = map[keyKind]string{signingKeys: "auth/signing_key.pem", sessionKeys: "auth/session_key"}

// keyStorage is the file of keys in Caddy's storage.
type keyStorage struct {
	storage storage
	now     func() time.Time
}

// load reads the file. The error is fs.ErrNotExist if there is none.
func (s keyStorage) load(ctx context.Context) (*keyFile, error) {
	text, err := s.storage.Load(ctx, keyFileName)
	if err != nil {
		return nil, fmt.Errorf("loading %s from Caddy's storage: %w", keyFileName, err)
	}
	return parseKeyFile(text)
}

// update changes the file under the lock that all gateways take, after reading
// it again. change reports whether there is something to be kept.
func (s keyStorage) update(ctx context.Context, change func(*keyFile) (bool, error)) (f *keyFile, err error) {
	if err := s.storage.Lock(ctx, keyLock); err != nil {
		return nil, fmt.Errorf("locking the keys in Caddy's storage: %w", err)
	}
	defer func() {
		if unlock := s.storage.Unlock(context.WithoutCancel(ctx), keyLock); unlock != nil {
			err = errors.Join(err, fmt.Errorf("unlocking the keys in Caddy's storage: %w", unlock))
		}
	}()
	f, err = s.load(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		f, err = newKeyFile(), nil
	}
	if err != nil {
		return nil, err
	}
	changed, err := change(f)
	if err != nil || !changed {
		return f, err
	}
	f.Signing.sort()
	f.Session.sort()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "\t")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(f); err != nil {
		return nil, fmt.Errorf("writing %s: %w", keyFileName, err)
	}
	if err := s.storage.Store(ctx, keyFileName, text.Bytes()); err != nil {
		return nil, fmt.Errorf("keeping %s in Caddy's storage: %w", keyFileName, err)
	}
	return f, nil
}

// open reads the file and sees to it that there are keys of the given kinds,
// with what gateways make of them in it: the longest lifetimes of their tokens.
// A key of the first version is taken over as it is; else one is made. made
// names the kinds of those.
func (s keyStorage) open(ctx context.Context, lifetimes map[keyKind]time.Duration) (f *keyFile, made []keyKind, err error) {
	if f, err = s.load(ctx); err == nil && !f.prolong(lifetimes, s.now()) && f.complete(lifetimes) {
		return f, nil, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	f, err = s.update(ctx, func(f *keyFile) (bool, error) {
		changed := false
		for kind := range lifetimes {
			keys := f.keys(kind)
			if len(*keys) > 0 {
				continue
			}
			key, isNew, err := s.first(ctx, kind)
			if err != nil {
				return false, err
			}
			if isNew {
				made = append(made, kind)
			}
			*keys, changed = timeline{key}, true
		}
		return f.prolong(lifetimes, s.now()) || changed, nil
	})
	return f, made, err
}

// first is the key that a kind begins with.
func (s keyStorage) first(ctx context.Context, kind keyKind) (key storedKey, isNew bool, err error) {
	name := oldKeyFiles[kind]
	text, err := s.storage.Load(ctx, name)
	switch {
	case err == nil:
		if key, err = readKey(kind, text, s.now()); err != nil {
			return storedKey{}, false, fmt.Errorf("reading %s in Caddy's storage: %w", name, err)
		}
		return key, false, nil
	case !errors.Is(err, fs.ErrNotExist):
		return storedKey{}, false, fmt.Errorf("loading %s from Caddy's storage: %w", name, err)
	}
	if key, err = makeKey(kind, s.now()); err != nil {
		return storedKey{}, false, fmt.Errorf("making the %s key: %w", kind, err)
	}
	return key, true, nil
}

// complete reports whether there are keys of all kinds.
func (f *keyFile) complete(lifetimes map[keyKind]time.Duration) bool {
	for kind := range lifetimes {
		if len(*f.keys(kind)) == 0 {
			return false
		}
	}
	return true
}

// prolong is timeline.prolong for all kinds.
func (f *keyFile) prolong(lifetimes map[keyKind]time.Duration, now time.Time) bool {
	news := false
	for kind, lifetime := range lifetimes {
		news = f.keys(kind).prolong(lifetime, now) || news
	}
	return news
}

// prune takes out the keys whose time is over. It reports whether there were
// any.
func (f *keyFile) prune(now time.Time) bool {
	pruned := false
	for _, kind := range []keyKind{signingKeys, sessionKeys} {
		keys := f.keys(kind)
		live := keys.live(now)
		pruned = pruned || len(live) < len(*keys)
		*keys = live
	}
	return pruned
}
