package node

import (
	"errors"
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/store"
)

// with is a configuration with these keys, those that sign first.
func with(nodes Store, signing, session string) *Member {
	return &Member{Store: nodes, Keys: func() ([]string, []string) { return strings.Fields(signing), strings.Fields(session) }}
}

// Gateways that would refuse each other's tokens do not run together: the
// second one does not start. Its reload, alone, is another matter.
func TestEnter(t *testing.T) {
	nodes := &fakeNodes{nodes: make(map[string]store.Node)}
	a, b := announced(t, zap.NewNop()), announced(t, zap.NewNop())
	enter := func(who *Announcer, m *Member, ok bool) bool {
		t.Helper()
		removed, err := who.Enter(t.Context(), m)
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
	a.Leave(first)
	third := with(nodes, "c", "s")
	if !enter(a, third, true) {
		t.Error("a key was taken out")
	}
	a.Leave(second)
	enter(b, with(nodes, "c", "s"), true)
	// With another one there, a reload to strange keys is refused, and the old
	// configuration goes on as it was.
	enter(a, with(nodes, "d", "s"), false)
	if n, there := nodes.has(a.self.ID); !there || n.SigningKeys[0] != "c" {
		t.Errorf("the old configuration is announced as %v", n)
	}
	nodes.err = errors.New("down")
	enterDown := func() error { _, err := a.Enter(t.Context(), third); return err }
	if err := enterDown(); err == nil || !strings.Contains(err.Error(), "down") {
		t.Errorf("without a database: %v", err)
	}
}

// A gateway with another external_address does not start beside one that lives,
// and is told both; alone, it may change it by a reload.
func TestEnterWithAnotherAddress(t *testing.T) {
	nodes := &fakeNodes{nodes: make(map[string]store.Node)}
	at := func(address string) *Member {
		m := with(nodes, "a", "s")
		m.Address = address
		return m
	}
	a, b := announced(t, zap.NewNop()), announced(t, zap.NewNop())
	first := at("https://a.example")
	if _, err := a.Enter(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	_, err := b.Enter(t.Context(), at("https://b.example"))
	if err == nil {
		t.Fatal("it has started")
	}
	for _, want := range []string{"another external_address", "https://a.example at the gateway on", "https://b.example here", "the same external_address. If"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
	if _, there := nodes.has(b.self.ID); there {
		t.Error("it has left a trace")
	}
	if removed, err := a.Enter(t.Context(), at("https://b.example")); err != nil || removed {
		t.Errorf("alone: %v, %v", removed, err)
	}
	a.Leave(first)
	if _, err := b.Enter(t.Context(), at("https://b.example")); err != nil {
		t.Error(err)
	}
}
