package cluster

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/internal/testserver"
)

// What is promised of a withdrawal, with a second for a busy machine: with Redis
// 1 s; without it, and for what the command line does, 5 s.
const (
	byRedis    = 2 * time.Second
	byDatabase = 6 * time.Second
)

// A session that was made at one gateway counts at all, and each sign-in here
// begins at one and ends at another.
func TestSessionCountsEverywhere(t *testing.T) {
	c := start(t, 3)
	for at := range c.gateways {
		s := c.signIn(t, at, "ada")
		for other := range c.gateways {
			c.expect(t, other, s)
		}
	}
}

// S8: whatever takes a session or a permission away at one gateway takes it away
// at all of them, while each of them remembers that it was good.
func TestWithdrawalReachesAll(t *testing.T) {
	logout := func(path string) func(*testing.T, *cluster, session) {
		return func(t *testing.T, c *cluster, s session) {
			if r := c.ask(0, http.MethodPost, path, s.cookie); r.status != http.StatusOK {
				t.Fatalf("logout: %d %s %v", r.status, r.body, r.err)
			}
		}
	}
	command := func(args ...string) func(*testing.T, *cluster, session) {
		return func(t *testing.T, c *cluster, _ session) { c.auth(t, 0, args...) }
	}
	for _, setting := range []struct {
		name  string
		redis bool
		limit time.Duration // of what is done at a gateway
	}{{"with Redis", true, byRedis}, {"without Redis", false, byDatabase}} {
		t.Run(setting.name, func(t *testing.T) {
			address := ""
			if setting.redis {
				address = testserver.SharedRedis(t).NewURL(t)
			}
			c := prepare(t, 2, always(testserver.SharedPostgres(t).NewDatabase(t)), always(address))
			c.run(t)
			c.auth(t, 0, "grant", "*", "storage", "read")
			for _, test := range []struct {
				name   string
				do     func(*testing.T, *cluster, session)
				limit  time.Duration
				refuse int
			}{
				{"logout", logout("/auth/logout"), setting.limit, http.StatusUnauthorized},
				{"logout everywhere", logout("/auth/logout?all=1"), setting.limit, http.StatusUnauthorized},
				{"auth sign-out", command("sign-out", "ada@example.com"), byDatabase, http.StatusUnauthorized},
				{"auth revoke", command("revoke", "*", "storage"), byDatabase, http.StatusForbidden},
				{"auth users disable", command("users", "disable", "ada@example.com"), byDatabase, http.StatusUnauthorized},
			} {
				s := c.signIn(t, 0, "ada")
				for at := range c.gateways {
					until(t, byDatabase, "the session counts", func() bool {
						return c.ask(at, http.MethodGet, "/storage/x", s.cookie).status == http.StatusOK
					})
				}
				test.do(t, c, s)
				done := time.Now()
				for _, at := range []int{1, 0} { // the other one first
					until(t, test.limit-time.Since(done), test.name+" counts", func() bool {
						return c.ask(at, http.MethodGet, "/storage/x", s.cookie).status == test.refuse
					})
					t.Logf("%s: refused at gateway %d after %s at most", test.name, at, time.Since(done).Round(time.Millisecond))
				}
				if test.refuse == http.StatusForbidden {
					c.auth(t, 0, "grant", "*", "storage", "read")
				}
			}
		})
	}
}

// The same on MariaDB, as far as servers can differ.
func TestMariaDB(t *testing.T) {
	c := prepare(t, 2, always(testserver.SharedMariaDB(t).NewDatabase(t)), always(testserver.SharedRedis(t).NewURL(t)))
	c.run(t)
	ada, bob := c.signIn(t, 0, "ada"), c.signIn(t, 1, "bob")
	for at := range c.gateways {
		c.expect(t, at, ada)
		c.expect(t, at, bob)
	}
	if r := c.ask(0, http.MethodPost, "/auth/logout", ada.cookie); r.status != http.StatusOK {
		t.Fatalf("logout: %d %s %v", r.status, r.body, r.err)
	}
	until(t, byRedis, "ada is signed out at the other gateway", func() bool {
		return c.ask(1, http.MethodGet, "/me", ada.cookie).status == http.StatusUnauthorized
	})
	c.auth(t, 1, "sign-out", "bob@example.com")
	until(t, byDatabase, "bob is signed out", func() bool {
		return c.ask(0, http.MethodGet, "/me", bob.cookie).status == http.StatusUnauthorized
	})
}

// S39: without its database a gateway does not start, and says why.
func TestNoDatabaseAtStart(t *testing.T) {
	c := prepare(t, 1, always("postgresql://gateway:hush@127.0.0.1:"+gatewaytest.FreePort(t)+"/gateway"), always(""))
	g := c.gateways[0]
	file := filepath.Join(g.State, "Caddyfile")
	if err := os.WriteFile(file, []byte(g.Caddyfile()), 0o600); err != nil {
		t.Fatal(err)
	}
	output, err := g.Command("run", "--config", file)
	if err == nil || !strings.Contains(output, "opening the database") || strings.Contains(output, "hush") {
		t.Errorf("%v\n%s", err, output)
	}
}
