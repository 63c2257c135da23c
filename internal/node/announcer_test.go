package node

import (
	"errors"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/datahq/auth-gateway/internal/store"
)

func announced(t *testing.T, log *zap.Logger) *Announcer {
	t.Helper()
	a := newAnnouncer(log, time.Hour)
	t.Cleanup(func() { _ = a.Close() })
	return a
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
	if _, err := a.Enter(t.Context(), with(nodes, "a", "s")); err != nil {
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
	// That there is no database is told elsewhere.
	told("without a database", 1)
	told("still without", 1)
	nodes.err = nil
	told("it is back", 1)
}

// At the end a gateway takes its word back; its heart beats until then.
func TestAnnouncerEnds(t *testing.T) {
	nodes := &fakeNodes{nodes: make(map[string]store.Node)}
	a := newAnnouncer(zap.NewNop(), time.Millisecond)
	if _, err := a.Enter(t.Context(), with(nodes, "a", "s")); err != nil {
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
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if _, there := nodes.has(a.self.ID); there {
		t.Error("it is still announced")
	}
}
