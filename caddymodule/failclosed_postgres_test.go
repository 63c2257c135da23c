package caddymodule_test

import (
	"testing"

	"github.com/datahq/auth-gateway/internal/testserver"
)

// S39 with a database server, and everything that networks do between it and the
// gateway: the server refuses, connections are reset, or nothing comes back.
func TestFailClosedPostgres(t *testing.T) {
	t.Parallel() // it waits
	server := testserver.SharedPostgres(t)
	for name, begin := range map[string]func(*testserver.Proxy){
		"refusing": (*testserver.Proxy).Refuse, "resetting": (*testserver.Proxy).Reset, "silent": (*testserver.Proxy).BlackHole,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := testserver.NewProxy(t, server.Address)
			o := newOutage(t, "database "+testserver.Through(server.NewDatabase(t), proxy.Address))
			begin(proxy)
			o.wantClosed(t)
			proxy.Heal()
			o.wantRecovered(t)
		})
	}
}
