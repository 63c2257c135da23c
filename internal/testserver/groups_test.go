package testserver

import (
	"fmt"
	"strings"
	"testing"
)

func TestSentinel(t *testing.T) {
	g := Sentinel(t, Password("secret"))
	if g.Master(t) != g.First {
		t.Fatal("the second is master")
	}
	wantAnswer(t, g.First.URL(), "OK", "SET", "k", "v")
	wantRefused(t, g.Second.URL(), "READONLY", "SET", "k", "v")
	eventually(t, "the replica has the value", func() bool {
		return g.Second.Do(t, "GET", "k") == "v"
	})

	g.Failover(t)
	wantAnswer(t, g.Second.URL(), "OK", "SET", "k", "v2")
	eventually(t, "the first is a replica", func() bool {
		return g.First.Do(t, "GET", "k") == "v2"
	})

	// And back, because the master dies.
	eventually(t, "the sentinel knows a healthy replica", func() bool {
		replicas, _ := g.Sentinel.Do(t, "SENTINEL", "REPLICAS", g.MasterName).([]any)
		return len(replicas) == 1 && field(replicas[0], "master-link-status") == "ok"
	})
	g.Second.Kill()
	eventually(t, "the sentinel swaps them", func() bool { return g.Master(t) == g.First })
	eventually(t, "the first is master", func() bool {
		_, err := askURL(t, g.First.URL(), "SET", "k", "v3")
		return err == nil
	})
}

func TestCluster(t *testing.T) {
	c := Cluster(t, Password("secret"))
	served := make([]int, len(c.Nodes))
	for i := range 30 {
		key := fmt.Sprint("k", i)
		for n, node := range c.Nodes {
			_, err := askURL(t, node.URL(), "SET", key, "v")
			if err == nil {
				served[n]++
			} else if !strings.Contains(err.Error(), "MOVED") {
				t.Errorf("node %d: %v", n, err)
			}
		}
	}
	if sum := served[0] + served[1] + served[2]; sum != 30 || min(served[0], served[1], served[2]) == 0 {
		t.Errorf("the nodes serve %v of 30 keys", served)
	}
}
