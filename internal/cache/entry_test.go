package cache

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/testserver"
)

func TestEntryGoesFromOneGatewayToAnother(t *testing.T) {
	redisURL := testserver.SharedRedis(t).NewURL(t)
	a, b := joinWell(t, redisURL), joinWell(t, redisURL)
	b.wants(t, 1, "")
	until := time.Now().Add(30 * time.Second)
	e := Entry{Value: []byte("alice\x00\xff"), Names: []string{"session:1", "user:alice"}, FreshUntil: until}
	if err := a.Set(t.Context(), a.Turn(), "test", key(1), e); err != nil {
		t.Fatal(err)
	}
	got, found := b.Get(t.Context(), "test", key(1))
	if !found || !bytes.Equal(got.Value, e.Value) || !slices.Equal(got.Names, e.Names) {
		t.Fatalf("got %+v, %v", got, found)
	}
	if got.FreshUntil.After(until) || got.FreshUntil.Before(until.Add(-20*time.Second)) {
		t.Errorf("fresh until %s; want %s", got.FreshUntil, until)
	}
	b.wants(t, 2, "")
	if _, found := b.Get(t.Context(), "other", key(1)); found {
		t.Error("another kind of entry has the same value")
	}
	if b.outcome(Hit) != 1 || b.outcome(Miss) != 3 {
		t.Errorf("outcomes are %v", b.outcomes)
	}
}

// Who knows the names asks for everything at once; nobody asks for what is not
// there twice.
func TestGetRoundTrips(t *testing.T) {
	g := joinWell(t, testserver.SharedRedis(t).NewURL(t))
	g.remember(t, 1, "x", "session:1", "user:1")
	for _, c := range []struct {
		number int
		known  []string
		want   int
	}{
		{1, nil, 2},
		{1, []string{"user:1"}, 2},
		{1, []string{"user:1", "session:1"}, 1},
		{2, nil, 1},
	} {
		before := g.callCount("get")
		if _, found := g.Get(t.Context(), "test", key(c.number), c.known...); found != (c.number == 1) {
			t.Errorf("entry %d, knowing %v: %v", c.number, c.known, found)
		}
		if trips := g.callCount("get") - before; trips != c.want {
			t.Errorf("entry %d, knowing %v: %d round trips; want %d", c.number, c.known, trips, c.want)
		}
	}
	if err := g.client.Set(t.Context(), g.tombstone("user:1"), 1, time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	for _, known := range [][]string{nil, {"user:1"}, {"user:1", "session:1"}, {"session:1"}} {
		if _, found := g.Get(t.Context(), "test", key(1), known...); found {
			t.Errorf("knowing %v: a withdrawn entry was found", known)
		}
	}
}

// S40: a value that somebody has put into Redis, or moved there, is no answer.
func TestForgedEntriesAreNotFound(t *testing.T) {
	redisURL := testserver.SharedRedis(t).NewURL(t)
	g := joinWell(t, redisURL)
	stranger := joinWell(t, redisURL, func(o *Options) { o.Secrets = [][]byte{[]byte("the secret of another gateway")} })
	g.remember(t, 1, "alice", "user:alice")
	g.remember(t, 2, "root", "user:root")
	place := func(number int) string { return g.place("test", key(number)) }
	root, err := g.client.Get(t.Context(), place(2)).Result()
	if err != nil {
		t.Fatal(err)
	}
	for name, forge := range map[string]func(){
		"root's entry in alice's place": func() { g.client.Set(t.Context(), place(1), root, time.Minute) },
		"plain text": func() {
			g.client.Set(t.Context(), place(1), `{"value":"cm9vdA==","names":["user:root"],"fresh_until":"2999-01-01T00:00:00Z"}`, time.Minute)
		},
		"half of it":                             func() { g.client.Set(t.Context(), place(1), root[:len(root)/2], time.Minute) },
		"of another gateway with another secret": func() { stranger.remember(t, 1, "root", "user:root") },
		"far too much":                           func() { g.client.Set(t.Context(), place(1), strings.Repeat("x", 10<<20), time.Minute) },
		"of other type":                          func() { g.client.Del(t.Context(), place(1)); g.client.LPush(t.Context(), place(1), "x") },
	} {
		forge()
		if e, found := g.Get(t.Context(), "test", key(1)); found {
			t.Errorf("%s: found %q", name, e.Value)
		}
	}
	if !g.Healthy() {
		t.Error("forged entries have opened the breaker")
	}
	if err := g.client.Del(t.Context(), place(1)).Err(); err != nil {
		t.Fatal(err)
	}
	g.remember(t, 1, "alice", "user:alice")
	g.wants(t, 1, "alice")
}

// S40: an old entry that is put back, to stay for ever, ends when its writer
// said.
func TestReplayedEntryEnds(t *testing.T) {
	now := time.Now()
	g := joinWell(t, testserver.SharedRedis(t).NewURL(t), func(o *Options) { o.Now = func() time.Time { return now } })
	g.remember(t, 1, "alice", "user:alice")
	place := g.place("test", key(1))
	if err := g.client.Persist(t.Context(), place).Err(); err != nil {
		t.Fatal(err)
	}
	if e, found := g.Get(t.Context(), "test", key(1)); found {
		t.Errorf("an entry that never ends was believed: until %s", e.FreshUntil)
	}
	if err := g.client.Expire(t.Context(), place, time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	if e, found := g.Get(t.Context(), "test", key(1)); !found || e.FreshUntil.After(now.Add(time.Minute+time.Second)) {
		t.Errorf("until %s, %v", e.FreshUntil, found)
	}
	now = now.Add(time.Minute + time.Second)
	g.wants(t, 1, "")
}

// Ruling 2: the clock of another gateway may be wrong, but what it wrote is not
// used for longer than a minute.
func TestEntryFromAWrongClock(t *testing.T) {
	redisURL := testserver.SharedRedis(t).NewURL(t)
	fast := joinWell(t, redisURL, func(o *Options) { o.Now = func() time.Time { return time.Now().Add(time.Hour) } })
	g := joinWell(t, redisURL)
	e := Entry{Value: []byte("x"), Names: []string{"user:1"}, FreshUntil: time.Now().Add(time.Hour + 10*time.Second)}
	if err := fast.Set(t.Context(), fast.Turn(), "test", key(1), e); err != nil {
		t.Fatal(err)
	}
	got, found := g.Get(t.Context(), "test", key(1))
	if left := time.Until(got.FreshUntil); !found || left > 10*time.Second {
		t.Errorf("fresh for %s, %v; want less than 10 s", left, found)
	}
}

func TestSetRefuses(t *testing.T) {
	g := joinWell(t, testserver.SharedRedis(t).NewURL(t))
	soon := time.Now().Add(time.Minute)
	for _, c := range []struct {
		name  string
		entry Entry
	}{
		{"too long", Entry{Value: make([]byte, maxValue+1), Names: []string{"n"}, FreshUntil: soon}},
		{"no names", Entry{Value: []byte("x"), FreshUntil: soon}},
		{"too many names", Entry{Value: []byte("x"), Names: make([]string, maxNames+1), FreshUntil: soon}},
	} {
		if err := g.Set(t.Context(), g.Turn(), "test", key(1), c.entry); err == nil {
			t.Errorf("%s: no error", c.name)
		}
	}
	longest := Entry{Value: bytes.Repeat([]byte{0xff}, maxValue), Names: slices.Repeat([]string{strings.Repeat("\x00", 100)}, maxNames), FreshUntil: soon}
	if err := g.Set(t.Context(), g.Turn(), "test", key(1), longest); err != nil {
		t.Fatal(err)
	}
	if e, found := g.Get(t.Context(), "test", key(1)); !found || !bytes.Equal(e.Value, longest.Value) {
		t.Errorf("the longest entry is %d bytes, %v", len(e.Value), found)
	}
	over := Entry{Value: []byte("over"), Names: []string{"n"}, FreshUntil: time.Now().Add(-time.Second)}
	if err := g.Set(t.Context(), g.Turn(), "test", key(2), over); err != nil {
		t.Error(err)
	}
	g.wants(t, 2, "")
}

// A client that hangs up says nothing about Redis, however many do.
func TestCancelledCallsDoNotOpenTheBreaker(t *testing.T) {
	g := joinWell(t, testserver.SharedRedis(t).NewURL(t))
	g.remember(t, 1, "x", "user:1")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 {
		if _, found := g.Get(gone, "test", key(1)); found {
			t.Error("found something for nobody")
		}
	}
	if !g.Healthy() {
		t.Error("the breaker is open")
	}
	g.wants(t, 1, "x")
}
