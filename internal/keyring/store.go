package keyring

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

const (
	fileName = "auth/keys.json"
	lockName = "auth_keys"
)

// oldFile is where the first version kept one key of each kind.
func oldFile(kind Kind) string {
	if kind == Signing {
		return "auth/signing_key.pem"
	}
	return "auth/session_key"
}

// Store is the file of keys in Caddy's storage.
type Store struct {
	storage Storage
	now     func() time.Time
}

// NewStore is the file of keys in a storage. Nothing is read or written yet.
func NewStore(s Storage) Store { return Store{s, time.Now} }

// Load reads the file. The error is fs.ErrNotExist if there is none.
func (s Store) Load(ctx context.Context) (*File, error) {
	text, err := s.storage.Load(ctx, fileName)
	if err != nil {
		return nil, fmt.Errorf("loading %s from Caddy's storage: %w", fileName, err)
	}
	return parseFile(text)
}

// update changes the file under the lock that all gateways take, after reading
// it again. change reports whether there is something to be kept.
func (s Store) update(ctx context.Context, change func(*File) (bool, error)) (f *File, err error) {
	if err := s.storage.Lock(ctx, lockName); err != nil {
		return nil, fmt.Errorf("locking the keys in Caddy's storage: %w", err)
	}
	defer func() {
		if unlock := s.storage.Unlock(context.WithoutCancel(ctx), lockName); unlock != nil {
			err = errors.Join(err, fmt.Errorf("unlocking the keys in Caddy's storage: %w", unlock))
		}
	}()
	f, err = s.Load(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		f, err = NewFile(), nil
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
		return nil, fmt.Errorf("writing %s: %w", fileName, err)
	}
	if err := s.storage.Store(ctx, fileName, text.Bytes()); err != nil {
		return nil, fmt.Errorf("keeping %s in Caddy's storage: %w", fileName, err)
	}
	return f, nil
}

// open reads the file and sees to it that there are keys of the given kinds,
// with what gateways make of them in it: the longest lifetimes of their tokens.
// A key of the first version is taken over as it is; else one is made. made
// names the kinds of those.
func (s Store) open(ctx context.Context, lifetimes map[Kind]time.Duration) (f *File, made []Kind, err error) {
	if f, err = s.Load(ctx); err == nil && !f.prolong(lifetimes, s.now()) && f.Complete(lifetimes) {
		return f, nil, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	f, err = s.update(ctx, func(f *File) (bool, error) {
		changed := false
		for kind := range lifetimes {
			keys := f.Keys(kind)
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
			*keys, changed = Timeline{key}, true
		}
		return f.prolong(lifetimes, s.now()) || changed, nil
	})
	return f, made, err
}

// first is the key that a kind begins with.
func (s Store) first(ctx context.Context, kind Kind) (key Key, isNew bool, err error) {
	name := oldFile(kind)
	text, err := s.storage.Load(ctx, name)
	switch {
	case err == nil:
		if key, err = readKey(kind, text, s.now()); err != nil {
			return Key{}, false, fmt.Errorf("reading %s in Caddy's storage: %w", name, err)
		}
		return key, false, nil
	case !errors.Is(err, fs.ErrNotExist):
		return Key{}, false, fmt.Errorf("loading %s from Caddy's storage: %w", name, err)
	}
	if key, err = makeKey(kind, s.now()); err != nil {
		return Key{}, false, fmt.Errorf("making the %s key: %w", kind, err)
	}
	return key, true, nil
}
