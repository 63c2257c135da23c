package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// rotation says how keys are exchanged.
type rotation struct {
	// after is when the new key takes over; at least keySettle, so that all
	// gateways know it before any signs with it.
	after time.Duration
	// now lets the new key, or the next one if it is there already, take over as
	// soon as that.
	now bool
	// drop takes the other keys out at once. Their tokens end.
	drop bool
}

// rotate gives each of the kinds a new key.
func (s keyStorage) rotate(ctx context.Context, kinds []keyKind, r rotation) (*keyFile, error) {
	f, err := s.update(ctx, func(f *keyFile) (bool, error) {
		for _, kind := range kinds {
			if len(*f.keys(kind)) == 0 {
				return false, noKeys(s)
			}
			keys, err := f.keys(kind).rotate(kind, r, s.now())
			if err != nil {
				return false, err
			}
			*f.keys(kind) = keys
			if r.drop {
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
		if err := s.storage.Delete(ctx, oldKeyFiles[kind]); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("the keys are exchanged; removing %s from Caddy's storage: %w", oldKeyFiles[kind], err)
		}
	}
	return f, nil
}

// rotate is the timeline with a new key.
func (t timeline) rotate(kind keyKind, r rotation, now time.Time) (timeline, error) {
	t = t.live(now)
	active := t.active(now)
	if active+1 < len(t) && !r.drop {
		next := &t[active+1]
		if !r.now {
			return nil, fmt.Errorf("there is a next %s key already, which takes over at %s; expected --now to let it take over at once", kind, moment(next.SignsFrom))
		}
		if soon := now.Add(keySettle); soon.Before(next.SignsFrom) {
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
	case r.drop:
		return timeline{key}, nil
	case r.now:
		key.SignsFrom = now.Add(keySettle)
	default:
		key.SignsFrom = now.Add(r.after)
	}
	return append(t, key), nil
}
