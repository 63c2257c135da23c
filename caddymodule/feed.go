package caddymodule

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/providers"
)

const (
	// feedPace is how often the database is asked what others have changed: what
	// Redis did not tell is known within 5 s (S8).
	feedPace = 2 * time.Second
	// feedTimeout bounds one question.
	feedTimeout = 4 * time.Second
	// feedLookback is how many changes are read again: what is committed late has
	// an earlier number.
	feedLookback = 500
	// feedGap is how long nothing may have been read before everything is
	// forgotten: changes are known for ten minutes.
	feedGap = 5 * time.Minute
)

// journal is what the database knows of changes.
type journal interface {
	Changes(ctx context.Context, after int64) ([]store.Change, error)
	LastChange(ctx context.Context) (int64, error)
}

// memory is what must forget.
type memory interface {
	// ForgetSession and ForgetUser end all that was decided for a session or user.
	ForgetSession(id string)
	ForgetUser(id string)
	ForgetAll()
}

// feed brings what other processes have changed in the database to the memory of
// this one: other gateways, and the command line.
type feed struct {
	journal journal
	memory  memory
	log     *zap.Logger
	now     func() time.Time

	last int64              // the greatest number that is known
	seen map[int64]struct{} // of the last feedLookback numbers
	read time.Time          // when that was
	down time.Time          // since when the database does not answer; zero while it does
}

// newFeed begins where the journal ends now. Nothing may have been remembered
// before.
func newFeed(ctx context.Context, j journal, m memory, log *zap.Logger) (*feed, error) {
	last, err := j.LastChange(ctx)
	if err != nil {
		return nil, err
	}
	f := &feed{journal: j, memory: m, log: log, now: time.Now, last: last, seen: make(map[int64]struct{})}
	f.read = f.now()
	return f, f.catchUp(ctx, false)
}

// run reads on until ctx ends.
func (f *feed) run(ctx context.Context) {
	ticker := time.NewTicker(feedPace)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		f.look(ctx)
	}
}

// look reads once, and tells the log, once, when the database goes and when it
// is back.
func (f *feed) look(ctx context.Context) {
	reading, cancel := context.WithTimeout(ctx, feedTimeout)
	defer cancel()
	began := f.now()
	err := f.catchUp(reading, true)
	switch {
	case ctx.Err() != nil: // we are leaving
	case err != nil && f.down.IsZero():
		f.down = began
		f.log.Warn("the database does not answer; what is remembered is served for a while", zap.Error(err))
	case err == nil:
		if !f.down.IsZero() {
			f.log.Info("the database is back", zap.Duration("after", f.now().Sub(f.down)))
			f.down = time.Time{}
		}
		if began.Sub(f.read) > feedGap {
			f.log.Warn("changes in the database may have been missed; forgetting everything", zap.Duration("gap", began.Sub(f.read)))
			f.memory.ForgetAll()
		}
		f.read = began
	}
}

// catchUp reads all that is new and, unless it is only to be known, has it
// forgotten.
func (f *feed) catchUp(ctx context.Context, forget bool) error {
	for after := f.last - feedLookback; ; {
		changes, err := f.journal.Changes(ctx, after)
		if err != nil {
			return err
		}
		for _, change := range changes {
			after = change.ID
			f.last = max(f.last, change.ID)
			if _, known := f.seen[change.ID]; known {
				continue
			}
			f.seen[change.ID] = struct{}{}
			if forget {
				f.forget(change)
			}
		}
		if len(changes) < feedLookback { // there are no more
			break
		}
	}
	for id := range f.seen {
		if id <= f.last-feedLookback {
			delete(f.seen, id)
		}
	}
	return nil
}

func (f *feed) forget(change store.Change) {
	switch {
	case change.SessionID != "":
		f.memory.ForgetSession(change.SessionID)
	case change.UserID == providers.Everyone:
		f.memory.ForgetAll()
	default:
		f.memory.ForgetUser(change.UserID)
	}
}
