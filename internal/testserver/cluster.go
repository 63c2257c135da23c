package testserver

import (
	"net"
	"strconv"
	"strings"
	"testing"
)

// RedisCluster is a Redis Cluster of three masters without replicas.
type RedisCluster struct {
	Nodes [3]*RedisServer
	// Addresses are those of the nodes.
	Addresses []string
}

// slots is how many hash slots the keys of a cluster are spread over.
const slots = 16384

// Cluster starts a Redis Cluster for this test. Options are for each node; TLS
// cannot be. While a node is down the others serve their own keys.
func Cluster(t testing.TB, all ...Option) *RedisCluster {
	t.Helper()
	o := collect(all)
	if o.tls {
		t.Fatal("Cluster: TLS cannot be")
	}
	o.cluster = true
	o.config = append(o.config, "cluster-require-full-coverage no")
	c := &RedisCluster{}
	for i := range c.Nodes {
		node, err := startRedis(o)
		if err != nil {
			t.Fatalf("Cluster: %v", err)
		}
		node.own(t)
		c.Nodes[i] = node
		c.Addresses = append(c.Addresses, node.Address)
		first, last := slots*i/len(c.Nodes), slots*(i+1)/len(c.Nodes)-1
		node.Do(t, "CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
		node.Do(t, "CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(first), strconv.Itoa(last))
	}
	for _, node := range c.Nodes[1:] {
		host, port, err := net.SplitHostPort(node.Address)
		if err != nil {
			t.Fatalf("Cluster: %v", err)
		}
		bus := node.Do(t, "CONFIG", "GET", "cluster-port").([]any)[1].(string)
		c.Nodes[0].Do(t, "CLUSTER", "MEET", host, port, bus)
	}
	eventually(t, "the nodes know each other", func() bool {
		for _, node := range c.Nodes {
			info, _ := node.Do(t, "CLUSTER", "INFO").(string)
			if !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, "cluster_size:3") {
				return false
			}
		}
		return true
	})
	return c
}
