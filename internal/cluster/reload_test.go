package cluster

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/testserver"
)

// A reload keeps the pools, the subscription and what is remembered: it opens no
// further connections, drops nothing, and nobody is looked up again.
func TestReloadKeepsWhatIsOpen(t *testing.T) {
	sql, redis := testserver.Postgres(t), testserver.Redis(t)
	c := prepare(t, 1, always(sql.NewDatabase(t)), always(redis.URL()))
	c.run(t)
	g := c.gateways[0]
	s := c.signIn(t, 0, "ada")
	c.expect(t, 0, s)
	const lookUps = `caddy_auth_database_seconds_count{operation="session_by_cookie"}`
	connections := func() (toSQL, toRedis int) {
		sessions := sql.SQL(t, "", "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> 'psql'")
		clients, _ := redis.Do(t, "CLIENT", "LIST").(string)
		toSQL, err := strconv.Atoi(strings.TrimSpace(sessions))
		if err != nil {
			t.Fatal(err)
		}
		return toSQL, strings.Count(clients, "\n")
	}
	lookedUp := c.metric(t, 0, lookUps)
	sqlBefore, redisBefore := connections()
	for range 10 {
		g.Reload(t, g.Config())
		c.expect(t, 0, s)
	}
	if got := c.metric(t, 0, lookUps); got != lookedUp {
		t.Errorf("%v look-ups of the session, %v before ten reloads", got, lookedUp)
	}
	if sqlAfter, redisAfter := connections(); sqlAfter > sqlBefore+2 || redisAfter > redisBefore+2 {
		t.Errorf("connections: %d to the database and %d to Redis; before ten reloads %d and %d", sqlAfter, redisAfter, sqlBefore, redisBefore)
	}
	if got := c.metric(t, 0, "caddy_auth_redis_up"); got != 1 {
		t.Errorf("caddy_auth_redis_up is %v", got)
	}
	if log := g.Output(); strings.Contains(log, "Redis cannot be used") {
		t.Errorf("Redis was lost in between:\n%s", log)
	}
	if r := c.ask(0, http.MethodGet, "/auth/health/ready", ""); !strings.Contains(r.body, `"status":"ok"`) || r.status != http.StatusOK {
		t.Errorf("ready: %d %s", r.status, r.body)
	}
}
