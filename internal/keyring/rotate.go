package keyring

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// Rotation says how keys are exchanged.
type Rotation struct {
	// After is when the new key takes over; at least Settle, so that all gateways
	// know it before any signs with it.
	After time.Duration
	// Now lets the new key, or the next one if it is there already, take over as
	// soon as that.
	Now bool
	// Drop takes the other keys out at once. Their tokens end.
	Drop bool
}

// Rotate gives each of the kinds a new key, and returns the file with them. The
// error says so if there are no keys yet, or a next one already that neither Now
// nor Drop speaks of.
func (s Store) Rotate(ctx context.Context, kinds []Kind, r Rotation) (*File, error) {
	f, err := s.update(ctx, func(f *File) (bool, error) {
		for _, kind := range kinds {
			if len(*f.Keys(kind)) == 0 {
				return false, s.NoKeys()
			}
			keys, err := f.Keys(kind).rotate(kind, r, s.now())
			if err != nil {
				return false, err
			}
			*f.Keys(kind) = keys
			if r.Drop {
				f.Epoch = randomHex()
			}
		}
		return len(kinds) > 0, nil
	})
	if err != nil {
		return nil, err
	}
	// What the first version kept would be one more copy, and soon a wrong one.
	for _, kind := range kinds {
		if err := s.storage.Delete(ctx, oldFile(kind)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("the keys are exchanged; removing %s from Caddy's storage: %w", oldFile(kind), err)
		}
	}
	return f, nil
}

// rotate is the timeline with a new key.
func (t Timeline) rotate(kind Kind, r Rotation, now time.Time) (Timeline, error) {
	t = t.Live(now)
	active := t.active(now)
	if active+1 < len(t) && !r.Drop {
		next := &t[active+1]
		if !r.Now {
			return nil, fmt.Errorf("there is a next %s key already, which takes over at %s; expected --now to let it take over at once", kind, Moment(next.SignsFrom))
		}
		if soon := now.Add(Settle); soon.Before(next.SignsFrom) {
			next.SignsFrom = soon
		}
		return t, nil
	}
	key, err := makeKey(kind, now)
	if err != nil {
		return nil, fmt.Errorf("making a %s key: %w", kind, err)
	}
	key.TokenSeconds = t[active].TokenSeconds
	switch {
	case r.Drop:
		return Timeline{key}, nil
	case r.Now:
		key.SignsFrom = now.Add(Settle)
	default:
		key.SignsFrom = now.Add(r.After)
	}
	return append(t, key), nil
}

// NoKeys is the error of a storage that no gateway has used.
func (s Store) NoKeys() error {
	return fmt.Errorf("there are no keys in Caddy's storage (%v); expected that of a gateway that has been started, with the same configuration, user and environment", s.storage)
}
