//go:build e2e

package cluster

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/testserver"
)

// What the log says when an outage begins and when it ends.
var (
	redisWords    = [2]string{`"msg":"Redis cannot be used; going on without it"`, `"msg":"Redis is back"`}
	databaseWords = [2]string{`"msg":"the database does not answer; what is remembered is served for a while"`, `"msg":"the database is back"`}
)

const (
	// hang is how long a request may take when Redis hangs, with some patience for
	// a busy machine: Redis is given up on after 400 ms.
	hang = 3 * time.Second
	// hangDatabase is the same for the database.
	hangDatabase = 20 * time.Second
	// quiet is how many warnings and errors each gateway may log in a fault, of
	// some hundred requests that are concerned.
	quiet = 30
)

func (t *tally) note(what string, at int, r reply) {
	if len(t.wrong) < 10 {
		t.wrong = append(t.wrong, fmt.Sprintf("%s %d: %d %.200s %v after %s", what, at, r.status, r.body, r.err, r.took))
	}
}

// backing is what a cluster under fault stands on. Each gateway has a network of
// its own to each server.
type backing struct {
	redis           *testserver.RedisServer
	postgres        *testserver.SQLServer
	toRedis, toBase []*testserver.Proxy
}

// prepareApart makes two gateways, each with a network of its own to both.
func prepareApart(t *testing.T) (*cluster, *backing) {
	t.Helper()
	b := &backing{redis: testserver.Redis(t), postgres: testserver.Postgres(t)}
	database := b.postgres.NewDatabase(t)
	for range 2 {
		b.toRedis = append(b.toRedis, testserver.NewProxy(t, b.redis.Address))
		b.toBase = append(b.toBase, testserver.NewProxy(t, b.postgres.Address))
	}
	return prepare(t, 2,
		func(i int) string { return testserver.Through(database, b.toBase[i].Address) },
		func(i int) string { return testserver.Through(b.redis.URL(), b.toRedis[i].Address) }), b
}

func each(proxies []*testserver.Proxy, do func(*testserver.Proxy)) {
	for _, p := range proxies {
		do(p)
	}
}

// fault is something that breaks while the cluster is in use.
type fault struct {
	name       string
	begin, end func(*backing)
	lasts      time.Duration
	// bound is how long a session may be used after its end has been confirmed.
	bound time.Duration
	// redis and database say whether it takes these away; alone, that it does so
	// for gateway 0 only.
	redis, database, alone bool
	// slow says that the database answers late.
	slow bool
}

func faults() []fault {
	const second = time.Second
	const promised, otherwise = time.Second, 5 * time.Second
	healRedis := func(b *backing) { each(b.toRedis, (*testserver.Proxy).Heal) }
	healBase := func(b *backing) { each(b.toBase, (*testserver.Proxy).Heal) }
	onRedis := func(do func(*testserver.Proxy)) func(*backing) {
		return func(b *backing) { each(b.toRedis, do) }
	}
	onBase := func(do func(*testserver.Proxy)) func(*backing) {
		return func(b *backing) { each(b.toBase, do) }
	}
	latency := func(p *testserver.Proxy) { p.Latency(150 * time.Millisecond) } // each way
	nothing := func(*backing) {}
	return []fault{
		{name: "nothing", begin: nothing, end: nothing, lasts: 3 * second, bound: promised},
		{name: "Redis stops (SIGSTOP)", begin: func(b *backing) { b.redis.Stop() }, end: func(b *backing) { b.redis.Continue() }, lasts: 5 * second, bound: otherwise, redis: true},
		{name: "Redis is killed and started again", begin: func(b *backing) { b.redis.Kill() }, end: func(b *backing) { b.redis.Restart() }, lasts: 4 * second, bound: otherwise, redis: true},
		{name: "Redis answers 300 ms late", begin: onRedis(latency), end: healRedis, lasts: 5 * second, bound: otherwise, redis: true},
		{name: "Redis connections are reset", begin: onRedis((*testserver.Proxy).Reset), end: healRedis, lasts: 4 * second, bound: otherwise, redis: true},
		{name: "Redis behind a black hole", begin: onRedis((*testserver.Proxy).BlackHole), end: healRedis, lasts: 5 * second, bound: otherwise, redis: true},
		{name: "Redis is full", begin: func(b *backing) { b.redis.SetMaxMemory(1, "noeviction") }, end: func(b *backing) { b.redis.SetMaxMemory(0, "noeviction") }, lasts: 4 * second, bound: promised},
		{name: "Redis is emptied", begin: func(b *backing) { b.redis.Flush() }, end: nothing, lasts: 4 * second, bound: promised},
		{
			name: "one gateway is cut from Redis", begin: func(b *backing) { b.toRedis[0].BlackHole() }, end: healRedis,
			lasts: 6 * second, bound: otherwise, redis: true, alone: true,
		},
		{name: "PostgreSQL stops (SIGSTOP)", begin: func(b *backing) { b.postgres.Stop() }, end: func(b *backing) { b.postgres.Continue() }, lasts: 8 * second, bound: promised, database: true},
		{name: "PostgreSQL is killed and started again", begin: func(b *backing) { b.postgres.Kill() }, end: func(b *backing) { b.postgres.Restart() }, lasts: 4 * second, bound: promised, database: true},
		{name: "PostgreSQL answers 300 ms late", begin: onBase(latency), end: healBase, lasts: 5 * second, bound: promised, slow: true},
		{name: "PostgreSQL connections are reset", begin: onBase((*testserver.Proxy).Reset), end: healBase, lasts: 5 * second, bound: promised, database: true},
		{name: "PostgreSQL behind a black hole", begin: onBase((*testserver.Proxy).BlackHole), end: healBase, lasts: 8 * second, bound: promised, database: true},
		{
			name:  "both are killed and started again",
			begin: func(b *backing) { b.redis.Kill(); b.postgres.Kill() }, end: func(b *backing) { b.postgres.Restart(); b.redis.Restart() },
			lasts: 5 * second, bound: otherwise, redis: true, database: true,
		},
	}
}

// S39, S8, ruling 2: whatever fails, nobody is let through whose session has
// ended, nobody who is signed in is turned away as if he were not, no request
// hangs, the log tells once, and all comes back by itself. The table that this
// prints stands in docs/outages.md.
func TestFaults(t *testing.T) {
	t.Parallel()
	c, b := prepareApart(t)
	// Redis is not there when they start.
	b.redis.Kill()
	c.run(t)
	c.auth(t, 0, "grant", "*", "storage", "read")
	if states := c.states(); !slices.Equal(states, []string{"degraded", "degraded"}) {
		t.Errorf("started without Redis: %v", states)
	}
	s := c.signIn(t, 0, "ada")
	c.expect(t, 0, s)
	b.redis.Restart()
	c.healthy(t)

	table := []string{"| what fails | for | requests | served | refused | 503 | wrongly let through | wrongly turned away | slowest | last use | ready | well again after |", "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"}
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) { table = append(table, c.suffer(t, b, f)) })
	}
	t.Log("\n" + strings.Join(table, "\n"))
}

// suffer puts a cluster through a fault, and gives a line of the table.
func (c *cluster) suffer(t *testing.T, b *backing, f fault) string {
	t.Helper()
	w := gather(t, c, 4)
	var before []string
	for _, g := range c.gateways {
		before = append(before, g.Output())
	}
	w.begin(f.bound)
	time.Sleep(300 * time.Millisecond)
	began := time.Now()
	f.begin(b)
	ready := make([]map[string]bool, len(c.gateways))
	var watching, leaving sync.WaitGroup
	for at := range c.gateways {
		ready[at] = make(map[string]bool)
		watching.Go(func() {
			for time.Since(began) < f.lasts {
				ready[at][c.state(at)] = true
				time.Sleep(250 * time.Millisecond)
			}
		})
	}
	// Sessions end when the fault has just begun, while it is there, and the last
	// one when all is well again.
	for i, after := range []time.Duration{50 * time.Millisecond, 700 * time.Millisecond, f.lasts - 1500*time.Millisecond} {
		leaving.Go(func() {
			time.Sleep(after)
			w.logout(i%2, i)
		})
	}
	watching.Wait()
	time.Sleep(time.Until(began.Add(f.lasts)))
	f.end(b)
	ended := time.Now()
	c.healthy(t)
	well := time.Since(ended)
	leaving.Wait()
	w.logout(1, 3)
	time.Sleep(f.bound + time.Second)
	if f.database {
		// Until the changes have been read, and the log knows.
		time.Sleep(3 * time.Second)
	}
	r := w.end()

	fail := func(format string, args ...any) {
		t.Helper()
		t.Errorf("%s: %s\n%s", f.name, fmt.Sprintf(format, args...), strings.Join(r.wrong, "\n"))
	}
	if r.through != 0 || r.away != 0 || r.odd != 0 {
		fail("let through wrongly: %d, turned away wrongly: %d, other mishaps: %d", r.through, r.away, r.odd)
	}
	if limit := map[bool]time.Duration{false: hang, true: hangDatabase}[f.database || f.slow]; r.slowest > limit {
		fail("a request took %s", r.slowest)
	}
	if !f.database && r.unavailable != 0 {
		fail("%d requests got a 503, and the database is there", r.unavailable)
	}
	if f.database && !f.redis && r.missed != 0 {
		fail("%d requests of those who are known got a 503", r.missed)
	}
	if r.served == 0 || r.refused == 0 || r.logouts == 0 {
		fail("served %d, refused %d, signed out %d", r.served, r.refused, r.logouts)
	}
	var said []string
	for at, g := range c.gateways {
		concerned := !f.alone || at == 0
		log := g.Output()[len(before[at]):]
		for _, part := range []struct {
			fails bool
			words [2]string
		}{{f.redis && concerned, redisWords}, {f.database && concerned, databaseWords}} {
			want := map[bool]int{true: 1}[part.fails]
			for _, words := range part.words {
				if n := strings.Count(log, words); n != want {
					fail("gateway %d logs %s %d times, want %d:\n%s", at, words, n, want, loud(log))
				}
			}
		}
		if n := len(loud(log)); n > quiet {
			fail("gateway %d logs %d warnings and errors:\n%s", at, n, strings.Join(loud(log), "\n"))
		}
		want := map[[2]bool]string{{true, false}: "degraded", {false, true}: "not_ready", {true, true}: "not_ready", {false, false}: "ok"}[[2]bool{f.redis && concerned, f.database && concerned}]
		if !ready[at][want] {
			fail("gateway %d was never %s, but %v", at, want, slices.Collect(maps.Keys(ready[at])))
		}
		said = append(said, want)
	}
	t.Logf("%s: warnings and errors logged: %d and %d", f.name, len(loud(c.gateways[0].Output()[len(before[0]):])), len(loud(c.gateways[1].Output()[len(before[1]):])))
	return fmt.Sprintf("| %s | %s | %d | %d | %d | %d | %d | %d | %s | %s | %s | %s |", f.name, f.lasts, r.sent, r.served, r.refused, r.unavailable, r.through, r.away,
		rough(r.slowest), rough(r.longestUse), strings.Join(slices.Compact(said), ", "), rough(well))
}

func rough(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// loud are the warnings and errors in a log.
func loud(log string) []string {
	var found []string
	for line := range strings.Lines(log) {
		var entry struct{ Level string }
		if json.Unmarshal([]byte(line), &entry) == nil && (entry.Level == "warn" || entry.Level == "error") {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

// state is what health/ready says at a gateway.
func (c *cluster) state(at int) string {
	r := c.ask(at, http.MethodGet, "/auth/health/ready", "")
	var answer struct{ Status string }
	if r.err != nil || json.Unmarshal([]byte(r.body), &answer) != nil {
		return fmt.Sprintf("%d %s %v", r.status, r.body, r.err)
	}
	if (r.status == http.StatusOK) != (answer.Status != "not_ready") {
		return fmt.Sprintf("%d %s", r.status, answer.Status)
	}
	return answer.Status
}

func (c *cluster) states() []string {
	var all []string
	for at := range c.gateways {
		all = append(all, c.state(at))
	}
	return all
}

// healthy waits until all gateways say that all is well.
func (c *cluster) healthy(t *testing.T) {
	t.Helper()
	until(t, 30*time.Second, "all is well again", func() bool {
		return !slices.ContainsFunc(c.states(), func(s string) bool { return s != "ok" })
	})
}
