package node

import (
	"errors"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

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

// A gateway with another external_address may run beside one, as during a move;
// the log tells so, once.
func TestEnterWithAnotherAddress(t *testing.T) {
	nodes := &fakeNodes{nodes: make(map[string]store.Node)}
	core, logs := observer.New(zap.InfoLevel)
	a, b := announced(t, zap.NewNop()), announced(t, zap.New(core))
	for announcer, address := range map[*Announcer]string{a: "https://a.example", b: "https://b.example"} {
		m := with(nodes, "a", "s")
		m.Address = address
		if _, err := announcer.Enter(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		b.look(t.Context())
	}
	told := logs.FilterMessageSnippet("another external_address").All()
	if len(told) != 1 || !strings.Contains(told[0].ContextMap()["difference"].(string), "https://a.example at the gateway on") {
		t.Errorf("told %d times: %v", len(told), told)
	}
}
