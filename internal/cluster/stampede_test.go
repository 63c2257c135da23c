package cluster

import (
	"net/http"
	"sync"
	"testing"
)

// S40, ruling 2: a thousand requests of one user that come at the same moment to
// a gateway that does not know him ask the database once, in each process.
func TestStampede(t *testing.T) {
	const (
		many    = 1000
		lookups = `caddy_auth_database_seconds_count{operation="session_by_cookie"}`
	)
	c := start(t, 2)
	s := c.signIn(t, 0, "ada")
	c.auth(t, 0, "users", "enable", "ada") // a change, and so all forget
	for at := range c.gateways {
		// Once the change has arrived, nothing is remembered of ada.
		name := `caddy_auth_revocations_total{origin="database"}`
		until(t, byDatabase, "the change arrives", func() bool { return c.metric(t, at, name) >= 1 })
		before := c.metric(t, at, lookups)
		var all sync.WaitGroup
		gun := make(chan struct{})
		for range many {
			all.Go(func() {
				<-gun
				if r := c.ask(at, http.MethodGet, "/me", s.cookie); r.status != http.StatusOK || r.body != s.userID {
					t.Errorf("%d %s %v", r.status, r.body, r.err)
				}
			})
		}
		close(gun)
		all.Wait()
		if n := c.metric(t, at, lookups) - before; n != 1 {
			t.Errorf("gateway %d asked the database %v times", at, n)
		}
	}
}
