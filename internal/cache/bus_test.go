package cache

import (
	"testing"

	"github.com/datahq/auth-gateway/internal/testserver"
)

// S8: what cannot be understood may have been a withdrawal.
func TestForeignMessages(t *testing.T) {
	g := joinWell(t, testserver.SharedRedis(t).NewURL(t))
	for _, c := range []struct {
		name, channel, payload string
		drops                  bool
	}{
		{"no JSON", g.channel, "session:1", true},
		{"nothing", g.channel, "", true},
		{"of a later version", g.channel, `{"from":"x","sessions_of":"alice"}`, true},
		{"other types", g.channel, `{"from":"x","names":"session:1"}`, true},
		{"no names", g.channel, `{"from":"x","names":[]}`, true},
		{"our own", g.channel, `{"from":"` + g.instance + `","all":true}`, false},
		{"on our own channel", g.ownChannel(), "whatever", false},
		{"on another one", g.channel + ":other", `{"from":"x","all":true}`, false},
	} {
		drops := g.dropCount()
		for _, message := range [][2]string{{c.channel, c.payload}, {g.channel, `{"from":"x","names":["` + c.name + `"]}`}} {
			if err := g.client.Publish(t.Context(), message[0], message[1]).Err(); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, "the next message is heard", func() bool { return g.heardOf(c.name) })
		if dropped := g.dropCount() - drops; dropped != map[bool]int{true: 1}[c.drops] {
			t.Errorf("%s: dropped everything %d times", c.name, dropped)
		}
		if !g.Healthy() {
			t.Fatalf("%s: not healthy any more", c.name)
		}
	}
}

// S8: one connection is lost and all others work: withdrawals may have been
// missed.
func TestLostSubscriptionDropsEverything(t *testing.T) {
	server := testserver.Redis(t)
	g := joinWell(t, server.URL())
	drops, turn := g.dropCount(), g.Turn()
	g.remember(t, 1, "x", "user:1")
	g.wants(t, 1, "x")
	server.Do(t, "CLIENT", "KILL", "TYPE", "pubsub")
	eventually(t, "everything is dropped, and again at the return", func() bool { return g.dropCount() == drops+2 })
	g.becomesHealthy(t)
	if g.Turn() == turn {
		t.Error("loads from before may be written")
	}
	g.wants(t, 1, "") // not until a minute later
	g.trust.believeFrom.Store(0)
	g.wants(t, 1, "x")
}

// What is published does not arrive, although Redis answers and the connection
// stands: as when the subscription is on a server that is no longer the master.
func TestDeafSubscriptionIsNoticed(t *testing.T) {
	server := testserver.Redis(t, testserver.User("gateway", "pw", "~* &* +@all"))
	g := joinWell(t, server.URL())
	server.Forbid("publish")
	eventually(t, "silence is noticed", func() bool { return !g.Healthy() })
	server.Allow("publish")
	g.becomesHealthy(t)
}
