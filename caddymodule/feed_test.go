package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
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
	clock   int64
	err     error
}

func (j *fakeJournal) add(id int64, session, user string) {
	j.clock++
	j.changes = append(j.changes, store.Change{ID: id, SessionID: session, UserID: user, CreatedAt: j.clock})
}

// purge removes the changes up to a number, as the database does when they are
// old: the last of them stays.
func (j *fakeJournal) purge(upTo int64) {
	kept := int64(0)
	for _, change := range j.changes {
		if change.ID <= upTo {
			kept = max(kept, change.ID)
		}
	}
	j.changes = slices.DeleteFunc(j.changes, func(c store.Change) bool { return c.ID < kept })
}

// cut takes the journal back to when it ended with a number.
func (j *fakeJournal) cut(last int64) {
	j.changes = slices.DeleteFunc(j.changes, func(c store.Change) bool { return c.ID > last })
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

// S8: an older copy of the database, such as a replica that had not everything
// yet, goes on with numbers that have been read here. What it tells from then on
// counts all the same, and what it had told before is not believed any more.
func TestFeedAfterFailover(t *testing.T) {
	for name, test := range map[string]struct {
		failover func(j *fakeJournal)
		forgets  bool
	}{
		"the last change is lost":             {func(j *fakeJournal) { j.cut(1999) }, true},
		"all numbers are used again":          {func(j *fakeJournal) { j.cut(1998); j.add(1999, "a", ""); j.add(2000, "b", "") }, true},
		"with the same words":                 {func(j *fakeJournal) { j.cut(1999); j.add(2000, "s2000", "") }, true},
		"numbers go on beyond":                {func(j *fakeJournal) { j.cut(1990); j.add(2023, "a", "") }, true}, // PostgreSQL leaves 32 out
		"some are used again, others skipped": {func(j *fakeJournal) { j.cut(1990); j.add(1991, "a", ""); j.add(2001, "b", "") }, true},
		"the copy is very old":                {func(j *fakeJournal) { j.cut(10) }, true},
		"very old, and used":                  {func(j *fakeJournal) { j.cut(10); j.add(11, "a", "") }, true},
		"the journal is empty":                {func(j *fakeJournal) { j.cut(0) }, true},
		"the copy has everything":             {func(*fakeJournal) {}, false},
		"everything, and more":                {func(j *fakeJournal) { j.add(2033, "a", "") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			j := new(fakeJournal)
			for i := range int64(2000) {
				j.add(i+1, fmt.Sprint("s", i+1), "")
			}
			f, m, logs := startFeed(t, j)
			f.look(t.Context())
			test.failover(j)
			// While it cannot be read to its end, nobody knows.
			j.err = errors.New("still starting")
			f.look(t.Context())
			j.err = nil
			m.names = nil
			f.look(t.Context())
			f.look(t.Context())
			if got := slices.Contains(m.names, "all"); got != test.forgets || test.forgets && len(m.names) != 1 {
				t.Fatalf("forgotten: %q", m.names)
			}
			if told := logs.FilterMessageSnippet("the journal of changes").Len(); (told == 1) != test.forgets {
				t.Errorf("told %d times", told)
			}
			// A sign-out after that.
			last, _ := j.LastChange(t.Context())
			j.add(last+1, "ended", "")
			m.names = nil
			f.look(t.Context())
			f.look(t.Context())
			if !slices.Equal(m.names, []string{"session ended"}) {
				t.Errorf("then forgotten: %q", m.names)
			}
		})
	}
}

// If the other journal cannot be read when it is found, it is found again.
func TestFeedTriesAgainAfterFailover(t *testing.T) {
	j := &failingLast{fakeJournal: new(fakeJournal)}
	j.add(5, "s5", "")
	f, m, _ := startFeed(t, j.fakeJournal)
	f.journal = j
	j.cut(0)
	j.add(3, "s3", "")
	f.look(t.Context())
	if len(m.names) != 0 || f.last != 5 {
		t.Errorf("forgotten %q, the last is %d", m.names, f.last)
	}
	j.works = true
	f.look(t.Context())
	if !slices.Equal(m.names, []string{"all"}) || f.last != 3 {
		t.Errorf("forgotten %q, the last is %d", m.names, f.last)
	}
}

// failingLast is a journal of which only the changes can be read.
type failingLast struct {
	*fakeJournal
	works bool
}

func (j *failingLast) LastChange(ctx context.Context) (int64, error) {
	if !j.works {
		return 0, errors.New("down")
	}
	return j.fakeJournal.LastChange(ctx)
}

// In normal operation never is everything forgotten: numbers have gaps, are
// committed late, and old changes are removed, now and then all but one.
func TestFeedForgetsAllOnlyWithReason(t *testing.T) {
	j := new(fakeJournal)
	f, m, logs := startFeed(t, j)
	random := rand.New(rand.NewPCG(1, 2))
	id, added := int64(0), 0
	var late []int64
	for range 2000 {
		switch random.IntN(8) {
		case 0: // transactions that were rolled back, a crash
			id += random.Int64N(40)
		case 1:
			late = append(late, id+1)
			id++
		case 2:
			for _, id := range late {
				j.add(id, fmt.Sprint("s", id), "")
				added++
			}
			late = nil
		case 3: // the clean-up; what was read in this round is younger than that
			j.purge(f.last)
		case 4: // a quiet time
		case 5: // a busy one
			for range random.IntN(800) {
				id++
				j.add(id, fmt.Sprint("s", id), "")
				added++
			}
			if len(late) > 0 && late[0] < id-feedLookback/2 {
				j.add(late[0], fmt.Sprint("s", late[0]), "")
				late, added = late[1:], added+1
			}
		default:
			id++
			j.add(id, fmt.Sprint("s", id), "")
			added++
		}
		f.look(t.Context())
		if slices.Contains(m.names, "all") || logs.Len() > 0 {
			t.Fatalf("everything was forgotten after %d changes: %v", added, logs.All())
		}
	}
	if added < 1000 {
		t.Fatalf("only %d changes", added)
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
