package cache

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// maxValue is the longest value of an entry, in bytes, and maxSealed more than
	// it can have become in Redis. Whoever writes there cannot make us read more.
	maxValue  = 64 << 10
	maxSealed = 128 << 10
	// maxNames is how many names an entry may belong to.
	maxNames = 8
)

// Entry is something to remember in Redis.
type Entry struct {
	// Value is at most 64 KiB. It must say what it belongs to, and is to be checked
	// for that by its reader (S40).
	Value []byte `json:"value"`
	// Names are what the entry can be withdrawn by; at least one and at most 8.
	Names []string `json:"names"`
	// FreshUntil is when the truth is to be asked again. An entry from Get is
	// never fresh for longer than it would have stayed in Redis, whatever the clock
	// of its writer was.
	FreshUntil time.Time `json:"fresh_until"`
}

// Turn is the number of the period in which this gateway has missed nothing; 0
// if it does not listen. A loader asks for it before it reads anything, and
// hands it to Set.
func (s *Shared) Turn() uint64 { return s.trust.turn.Load() }

// Get returns the entry of a kind, which is a short word, under a key, if there
// is one that is fresh and not withdrawn. It takes two round trips; one if there
// is none, or if all its names are among those that the caller already knows.
// It fails by finding nothing, and within half a second.
//
// A withdrawal that arrives while Get works may come too late for it: what it
// has found goes into the near cache stamped with the turn from before.
func (s *Shared) Get(ctx context.Context, kind string, key Key, known ...string) (Entry, bool) {
	e, outcome := s.get(ctx, s.place(kind, key), known)
	s.Observer.lookup(kind, outcome)
	return e, outcome == Hit
}

func (s *Shared) get(ctx context.Context, place string, known []string) (Entry, Outcome) {
	if !s.trust.believes() {
		return Entry{}, Distrusted
	}
	var sealed *redis.StringCmd
	var left *redis.DurationCmd
	var gone []*redis.IntCmd
	err := s.do(ctx, "get", func(ctx context.Context) error {
		_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			sealed = p.GetRange(ctx, place, 0, maxSealed)
			left = p.PTTL(ctx, place)
			gone = s.findTombstones(ctx, p, known)
			return nil
		})
		return err
	})
	switch {
	case err != nil:
		return Entry{}, Failed
	case sealed.Val() == "":
		return Entry{}, Miss
	}
	e, err := s.open(place, sealed.Val())
	if err != nil {
		return Entry{}, Unsealed
	}
	now := s.Now()
	if until := now.Add(min(left.Val(), s.Lifetime)); until.Before(e.FreshUntil) {
		e.FreshUntil = until
	}
	if !now.Before(e.FreshUntil) {
		return Entry{}, Miss
	}
	if others := without(e.Names, known); len(others) > 0 {
		var more []*redis.IntCmd
		err := s.do(ctx, "get", func(ctx context.Context) error {
			_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
				more = s.findTombstones(ctx, p, others)
				return nil
			})
			return err
		})
		if err != nil {
			return Entry{}, Failed
		}
		gone = append(gone, more...)
	}
	// What we have heard counts last: it may be newer than the tombstones.
	if slices.ContainsFunc(gone, func(found *redis.IntCmd) bool { return found.Val() != 0 }) || s.trust.withdrawn(e.Names) {
		return Entry{}, Withdrawn
	}
	if !s.trust.believes() {
		return Entry{}, Distrusted
	}
	return e, Hit
}

func (s *Shared) findTombstones(ctx context.Context, p redis.Pipeliner, names []string) []*redis.IntCmd {
	found := make([]*redis.IntCmd, len(names))
	for i, name := range names {
		found[i] = p.Exists(ctx, s.tombstone(name))
	}
	return found
}

// open reads what stands at a place.
func (s *Shared) open(place, sealed string) (Entry, error) {
	text, err := s.sealer.open(place, []byte(sealed))
	if err != nil {
		return Entry{}, err
	}
	var e Entry
	if err := json.Unmarshal(text, &e); err != nil {
		return Entry{}, fmt.Errorf("reading an entry: %w", err)
	}
	if len(e.Names) == 0 {
		return Entry{}, errors.New("reading an entry: it has no names")
	}
	return e, nil
}

// Set remembers an entry until it is no longer fresh, and for no longer than
// Options.Lifetime. The turn is from before the load: what was loaded before
// this gateway listened without interruption, or belongs to a name that has been
// withdrawn lately, is not written, which is no error.
func (s *Shared) Set(ctx context.Context, turn uint64, kind string, key Key, e Entry) error {
	if len(e.Value) > maxValue || len(e.Names) == 0 || len(e.Names) > maxNames {
		return fmt.Errorf("remembering an entry in Redis: it has %d bytes and %d names; expected at most %d, and 1 to %d", len(e.Value), len(e.Names), maxValue, maxNames)
	}
	lives := min(e.FreshUntil.Sub(s.Now()), s.Lifetime)
	if lives < time.Millisecond || !s.current(turn, e.Names) {
		return nil
	}
	place := s.place(kind, key)
	text, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("writing an entry: %w", err)
	}
	sealed, err := s.sealer.seal(place, text)
	if err != nil {
		return fmt.Errorf("sealing an entry: %w", err)
	}
	err = s.do(ctx, "set", func(ctx context.Context) error {
		return s.client.Set(ctx, place, sealed, lives).Err()
	})
	if err != nil {
		return fmt.Errorf("remembering an entry in Redis: %w", err)
	}
	return nil
}

// current reports whether what was loaded in a turn may be written now.
func (s *Shared) current(turn uint64, names []string) bool {
	return turn != 0 && turn == s.Turn() && !s.trust.withdrawn(names)
}

// without returns the names that are not among the known ones.
func without(names, known []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(known, name) })
}
