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

	last int64                  // the greatest number that is known
	seen map[int64]store.Change // of the last feedLookback numbers
	read time.Time              // when that was
	down time.Time              // since when the database does not answer; zero while it does
}

// newFeed begins where the journal ends now. Nothing may have been remembered
// before.
func newFeed(ctx context.Context, j journal, m memory, log *zap.Logger) (*feed, error) {
	f := &feed{journal: j, memory: m, log: log, now: time.Now}
	f.read = f.now()
	return f, f.begin(ctx)
}

// begin takes all that the journal holds now as known. More than one reading's
// worth is not needed: what has come since the last number was asked for may as
// well be new.
func (f *feed) begin(ctx context.Context) error {
	last, err := f.journal.LastChange(ctx)
	if err != nil {
		return err
	}
	changes, err := f.journal.Changes(ctx, last-feedLookback)
	if err != nil {
		return err
	}
	f.last, f.seen = 0, make(map[int64]store.Change, len(changes))
	for _, change := range changes {
		f.note(change)
	}
	f.tidy()
	return nil
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
	err := f.catchUp(reading)
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

// catchUp reads all that is new and has it forgotten. If the journal is not the
// one any more that was read before, everything is.
func (f *feed) catchUp(ctx context.Context) error {
	from := f.last - feedLookback
	for after := from; ; {
		changes, err := f.journal.Changes(ctx, after)
		if err != nil {
			return err
		}
		if after == from && f.rewritten(changes) {
			return f.beginAgain(ctx)
		}
		for _, change := range changes {
			after = change.ID
			if f.note(change) {
				f.forget(change)
			}
		}
		if len(changes) < feedLookback { // there are no more
			break
		}
	}
	f.tidy()
	return nil
}

// note takes a change as known, and reports whether it was not.
func (f *feed) note(change store.Change) (isNew bool) {
	_, known := f.seen[change.ID]
	f.seen[change.ID] = change
	f.last = max(f.last, change.ID)
	return !known
}

// tidy drops what is too long ago to be read again.
func (f *feed) tidy() {
	for id := range f.seen {
		if id <= f.last-feedLookback {
			delete(f.seen, id)
		}
	}
}

// rewritten reports whether the journal is another than that which was read
// before: the database has gone back to an older copy, and numbers that are
// known here stand for other changes, now or soon. These are the changes since
// feedLookback before the last. That they are fewer than before says nothing,
// since old ones are removed; the last one stays (store.Store.Changes).
func (f *feed) rewritten(changes []store.Change) bool {
	found := f.last == 0
	for _, change := range changes {
		if known, ok := f.seen[change.ID]; ok && known != change {
			return true
		}
		found = found || change.ID == f.last
	}
	return !found
}

// beginAgain goes on at the present end of another journal. First it is read and
// then all is forgotten: what is remembered from then on is as that journal says.
func (f *feed) beginAgain(ctx context.Context) error {
	before := f.last
	if err := f.begin(ctx); err != nil {
		return err
	}
	f.log.Warn("the journal of changes in the database is another than before, as after a fail-over to an older copy; forgetting everything",
		zap.Int64("last", before), zap.Int64("now", f.last))
	f.memory.ForgetAll()
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
