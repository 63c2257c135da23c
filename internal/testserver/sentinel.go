package testserver

import (
	"crypto/rand"
	"net"
	"testing"
	"time"
)

// Sentinels is a Redis with a replica, and a Redis Sentinel that watches them.
type Sentinels struct {
	// MasterName is what the sentinel calls them.
	MasterName string
	// Address is the sentinel's TCP address, "127.0.0.1:<port>". It asks for no
	// password.
	Address string
	// First is the master at the start, Second its replica. They swap when the
	// sentinel has not heard of the master for half a second, and with Failover.
	First, Second *RedisServer
	// Sentinel is the sentinel's own server.
	Sentinel *RedisServer
}

// Sentinel starts a Redis with a replica and a sentinel for this test. Options
// are for both; TLS and User cannot be.
func Sentinel(t testing.TB, all ...Option) *Sentinels {
	t.Helper()
	o := collect(all)
	if o.tls || o.user != "" {
		t.Fatal("Sentinel: TLS and User cannot be")
	}
	o.admin = rand.Text()
	o.config = append(o.config, "masteruser admin", "masterauth "+o.admin)
	g := &Sentinels{MasterName: "gateway"}
	start := func(o options) *RedisServer {
		s, err := startRedis(o)
		if err != nil {
			t.Fatalf("Sentinel: %v", err)
		}
		s.own(t)
		return s
	}
	g.First = start(o)
	host, port, err := net.SplitHostPort(g.First.Address)
	if err != nil {
		t.Fatalf("Sentinel: %v", err)
	}
	o.config = append(o.config[:len(o.config):len(o.config)], "replicaof "+host+" "+port)
	g.Second = start(o)
	g.Sentinel = start(options{sentinel: true, config: []string{
		"sentinel monitor " + g.MasterName + " " + host + " " + port + " 1",
		"sentinel auth-user " + g.MasterName + " admin",
		"sentinel auth-pass " + g.MasterName + " " + o.admin,
		"sentinel down-after-milliseconds " + g.MasterName + " 500",
		"sentinel failover-timeout " + g.MasterName + " 5000",
	}})
	g.Address = g.Sentinel.Address
	// It looks about every ten seconds otherwise, and rests for 30 after it did not
	// run for a while.
	g.Sentinel.Do(t, "SENTINEL", "DEBUG", "info-period", "100", "ping-period", "100", "publish-period", "100", "tilt-period", "1000")
	eventually(t, "the sentinel knows a healthy replica", func() bool {
		answer, _ := g.Sentinel.Do(t, "SENTINEL", "CKQUORUM", g.MasterName).(string)
		replicas, _ := g.Sentinel.Do(t, "SENTINEL", "REPLICAS", g.MasterName).([]any)
		return answer != "" && len(replicas) == 1 && field(replicas[0], "flags") == "slave" &&
			field(replicas[0], "master-link-status") == "ok"
	})
	return g
}

// Master is which of the two the sentinel names as master.
func (g *Sentinels) Master(t testing.TB) *RedisServer {
	t.Helper()
	where, _ := g.Sentinel.Do(t, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", g.MasterName).([]any)
	if len(where) == 2 && net.JoinHostPort(where[0].(string), where[1].(string)) == g.Second.Address {
		return g.Second
	}
	return g.First
}

// Failover makes the sentinel swap master and replica, and waits until it has
// and the new master says so too.
func (g *Sentinels) Failover(t testing.TB) {
	t.Helper()
	before := g.Master(t)
	g.Sentinel.Do(t, "SENTINEL", "FAILOVER", g.MasterName)
	eventually(t, "the failover is over", func() bool {
		now := g.Master(t)
		role, _ := now.Do(t, "ROLE").([]any)
		return now != before && len(role) > 0 && role[0] == "master"
	})
}

// field is a value of a flat list of names and values.
func field(list any, name string) any {
	all, _ := list.([]any)
	for i := 0; i+1 < len(all); i += 2 {
		if all[i] == name {
			return all[i+1]
		}
	}
	return nil
}

// eventually waits until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waiting until %s: it does not come", what)
		}
	}
}
