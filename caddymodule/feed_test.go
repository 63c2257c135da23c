package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/providers"
)

// fakeJournal is a journal in memory.
type fakeJournal struct {
	changes []store.Change
	err     error
}

func (j *fakeJournal) add(id int64, session, user string) {
	j.changes = append(j.changes, store.Change{ID: id, SessionID: session, UserID: user})
}

func (j *fakeJournal) Changes(_ context.Context, after int64) ([]store.Change, error) {
	slices.SortFunc(j.changes, func(a, b store.Change) int { return int(a.ID - b.ID) })
	var found []store.Change
	for _, change := range j.changes {
		if change.ID > after && len(found) < 1000 {
			found = append(found, change)
		}
	}
	return found, j.err
}

func (j *fakeJournal) LastChange(context.Context) (int64, error) {
	last := int64(0)
	for _, change := range j.changes {
		last = max(last, change.ID)
	}
	return last, j.err
}

// forgotten notes what is to be forgotten.
type forgotten struct{ names []string }

func (f *forgotten) ForgetSession(id string) { f.names = append(f.names, "session "+id) }
func (f *forgotten) ForgetUser(id string)    { f.names = append(f.names, "user "+id) }
func (f *forgotten) ForgetAll()              { f.names = append(f.names, "all") }

func startFeed(t *testing.T, j *fakeJournal) (*feed, *forgotten, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	m := new(forgotten)
	f, err := newFeed(t.Context(), j, m, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	return f, m, logs
}

// S8: what another process has ended is forgotten here, once; also what was
// committed late, under an earlier number.
func TestFeedForgets(t *testing.T) {
	j := new(fakeJournal)
	j.add(10, "old", "")
	f, m, _ := startFeed(t, j)
	j.add(12, "s1", "")
	j.add(13, "", "u1")
	f.look(t.Context())
	j.add(11, "late", "")
	j.add(14, "", providers.Everyone)
	f.look(t.Context())
	f.look(t.Context())
	if want := []string{"session s1", "user u1", "session late", "all"}; !slices.Equal(m.names, want) {
		t.Errorf("forgotten: %q, want %q", m.names, want)
	}
}

func TestFeedReadsManyAndRemembersFew(t *testing.T) {
	j := new(fakeJournal)
	f, m, _ := startFeed(t, j)
	for i := range int64(2500) {
		j.add(i+1, fmt.Sprint(i), "")
	}
	f.look(t.Context())
	if len(m.names) != 2500 || len(f.seen) > feedLookback {
		t.Errorf("%d forgotten, %d numbers remembered", len(m.names), len(f.seen))
	}
}

// An outage is told twice, when it begins and when it ends, however often one
// looks; after a long one nobody knows what was missed.
func TestFeedOutage(t *testing.T) {
	j := new(fakeJournal)
	f, m, logs := startFeed(t, j)
	now := time.Now()
	f.now = func() time.Time { return now }
	outage := func(length time.Duration) {
		j.err = errors.New("down")
		for range 5 {
			f.look(t.Context())
		}
		now = now.Add(length)
		j.err = nil
		f.look(t.Context())
		f.look(t.Context())
	}
	outage(time.Minute)
	if len(m.names) != 0 || logs.Len() != 2 {
		t.Errorf("a short outage: forgotten %q, log %v", m.names, logs.All())
	}
	outage(2 * feedGap)
	if !slices.Equal(m.names, []string{"all"}) || logs.Len() != 5 {
		t.Errorf("a long outage: forgotten %q, log %v", m.names, logs.All())
	}
}
