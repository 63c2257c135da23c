package caddymodule

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/datahq/auth-gateway/internal/store"
)

// fakeNodes is a table of gateways.
type fakeNodes struct {
	mu    sync.Mutex
	nodes map[string]store.Node
	err   error
}

func (f *fakeNodes) Announce(_ context.Context, n store.Node, _ time.Duration) (others []store.Node, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return nil, f.err
	}
	f.nodes[n.ID] = n
	for id, other := range f.nodes {
		if id != n.ID {
			others = append(others, other)
		}
	}
	return others, nil
}

func (f *fakeNodes) Leave(_ context.Context, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.nodes, id)
	return f.err
}

func (f *fakeNodes) has(id string) (store.Node, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, ok := f.nodes[id]
	return n, ok
}

// with is a configuration with these keys, those that sign first.
func with(nodes nodeStore, signing, session string) *member {
	return &member{nodes: nodes, keys: func() ([]string, []string) { return strings.Fields(signing), strings.Fields(session) }}
}

func announced(t *testing.T, log *zap.Logger) *announcer {
	t.Helper()
	a := newAnnouncer(log, time.Hour)
	t.Cleanup(func() { _ = a.Destruct() })
	return a
}

func TestStrangers(t *testing.T) {
	for name, test := range map[string]struct {
		own, other [2]string
		want       string
	}{
		"the same":                  {[2]string{"a", "s"}, [2]string{"a", "s"}, ""},
		"both know both":            {[2]string{"a b", "s t"}, [2]string{"b a", "t s"}, ""},
		"one has a next key":        {[2]string{"a b", "s"}, [2]string{"a", "s"}, ""},
		"other signing key":         {[2]string{"a", "s"}, [2]string{"b", "s"}, "signing key b"},
		"other session key":         {[2]string{"a", "s"}, [2]string{"a", "t"}, "session key t"},
		"ours is not known":         {[2]string{"a b", "s"}, [2]string{"b", "s"}, "our signing key a"},
		"our session is not known":  {[2]string{"a", "s t"}, [2]string{"a", "t"}, "our session key s"},
		"theirs is not known":       {[2]string{"a", "s"}, [2]string{"b a", "s"}, "signing key b"},
		"a gateway that tells none": {[2]string{"a", "s"}, [2]string{"", ""}, ""},
	} {
		own, other := store.Node{}, store.Node{Name: "host-2"}
		own.SigningKeys, own.SessionKeys = strings.Fields(test.own[0]), strings.Fields(test.own[1])
		other.SigningKeys, other.SessionKeys = strings.Fields(test.other[0]), strings.Fields(test.other[1])
		got := strangers(own, other)
		if (got == "") != (test.want == "") || !strings.Contains(got, test.want) || got != "" && !strings.Contains(got, "host-2") {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// Only the beginning of an ID is told.
func TestStrangersTellLittle(t *testing.T) {
	id := strings.Repeat("0123456789", 4)
	got := strangers(store.Node{SigningKeys: []string{id}}, store.Node{SigningKeys: []string{"other"}})
	if !strings.Contains(got, "01234567") || strings.Contains(got, "012345678") {
		t.Error(got)
	}
}

// Gateways that would refuse each other's tokens do not run together: the
// second one does not start. Its reload, alone, is another matter.
func TestEnter(t *testing.T) {
	nodes := &fakeNodes{nodes: make(map[string]store.Node)}
	a, b := announced(t, zap.NewNop()), announced(t, zap.NewNop())
	enter := func(who *announcer, m *member, ok bool) bool {
		t.Helper()
		removed, err := who.enter(t.Context(), m)
		if (err == nil) != ok {
			t.Fatalf("%v", err)
		}
		if err != nil && !strings.Contains(err.Error(), "signing_key and session_key") {
			t.Errorf("no help in %q", err)
		}
		return removed
	}
	first := with(nodes, "a", "s")
	enter(a, first, true)
	enter(b, with(nodes, "b", "s"), false)
	if _, there := nodes.has(b.self.ID); there {
		t.Error("it has left a trace")
	}
	// Alone, a gateway may have other keys after a reload; what it accepted and
	// does not accept any more is told.
	second := with(nodes, "c a", "s")
	if enter(a, second, true) {
		t.Error("nothing was taken out")
	}
	a.leave(first)
	third := with(nodes, "c", "s")
	if !enter(a, third, true) {
		t.Error("a key was taken out")
	}
	a.leave(second)
	enter(b, with(nodes, "c", "s"), true)
	// With another one there, a reload to strange keys is refused, and the old
	// configuration goes on as it was.
	enter(a, with(nodes, "d", "s"), false)
	if n, there := nodes.has(a.self.ID); !there || n.SigningKeys[0] != "c" {
		t.Errorf("the old configuration is announced as %v", n)
	}
	nodes.err = errors.New("down")
	enterDown := func() error { _, err := a.enter(t.Context(), third); return err }
	if err := enterDown(); err == nil || !strings.Contains(err.Error(), "down") {
		t.Errorf("without a database: %v", err)
	}
}

// What does not fit together later is told once, if it lasts.
func TestLook(t *testing.T) {
	nodes := &fakeNodes{nodes: make(map[string]store.Node)}
	core, logs := observer.New(zap.WarnLevel)
	a := announced(t, zap.New(core))
	a.look(t.Context())
	if len(nodes.nodes) != 0 {
		t.Error("announced without a configuration")
	}
	if _, err := a.enter(t.Context(), with(nodes, "a", "s")); err != nil {
		t.Fatal(err)
	}
	told := func(when string, want int) {
		t.Helper()
		a.look(t.Context())
		if logs.Len() != want {
			t.Errorf("%s: the log was told %d times, want %d", when, logs.Len(), want)
		}
	}
	told("alone", 0)
	nodes.nodes["x"] = store.Node{ID: "x", SigningKeys: []string{"b"}, SessionKeys: []string{"s"}}
	told("at first", 0)
	nodes.nodes["x"] = store.Node{ID: "x", SigningKeys: []string{"a"}, SessionKeys: []string{"s"}}
	told("a moment later", 0)
	nodes.nodes["x"] = store.Node{ID: "x", SigningKeys: []string{"b"}, SessionKeys: []string{"s"}}
	told("again", 0)
	told("it lasts", 1)
	told("still", 1)
	nodes.err = errors.New("down")
	told("without a database", 2)
	told("still without", 2)
	nodes.err = nil
	told("it is back", 2)
}

// At the end a gateway takes its word back; its heart beats until then.
func TestAnnouncerEnds(t *testing.T) {
	nodes := &fakeNodes{nodes: make(map[string]store.Node)}
	a := newAnnouncer(zap.NewNop(), time.Millisecond)
	if _, err := a.enter(t.Context(), with(nodes, "a", "s")); err != nil {
		t.Fatal(err)
	}
	if err := nodes.Leave(t.Context(), a.self.ID); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if _, there := nodes.has(a.self.ID); there {
			break
		}
	}
	if _, there := nodes.has(a.self.ID); !there {
		t.Error("it is not announced again")
	}
	if err := a.Destruct(); err != nil {
		t.Fatal(err)
	}
	if _, there := nodes.has(a.self.ID); there {
		t.Error("it is still announced")
	}
}
