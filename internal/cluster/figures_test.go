//go:build e2e

package cluster

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/internal/testserver"
)

// What README.md of the example says of sizes: how much room a session takes in
// the database and in Redis, and how many connections a gateway keeps.
func TestFigures(t *testing.T) {
	postgres, redis := testserver.Postgres(t), testserver.Redis(t)
	database := postgres.NewDatabase(t)
	c := prepare(t, 1, always(database), always(redis.URL()))
	c.run(t)
	c.auth(t, 0, "grant", "*", "storage", "read")
	s := c.signIn(t, 0, "ada")
	if r := c.ask(0, "GET", "/storage/x", s.cookie); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}

	const many, known = 20_000, 5_000
	postgres.SQL(t, database, fmt.Sprintf(`INSERT INTO auth_sessions (id, user_id, cookie_hash, provider, created_at, last_seen_at, expires_at)
		SELECT md5(i::text) || md5('a' || i), user_id, md5('b' || i) || md5('c' || i), provider, created_at, last_seen_at, expires_at
		FROM auth_sessions, generate_series(1, %d) AS i`, many))
	size := number(t, postgres.SQL(t, database, "VACUUM FULL auth_sessions; SELECT pg_total_relation_size('auth_sessions')")) / many
	t.Logf("a session in PostgreSQL, with its indexes: %d bytes", size)
	entries := 0
	for _, kind := range []string{"session", "grants"} {
		for _, key := range redis.Do(t, "KEYS", "auth-gateway:v1:"+kind+":*").([]any) {
			bytes := redis.Do(t, "MEMORY", "USAGE", key.(string)).(int64)
			t.Logf("an entry of a %s in Redis: %d bytes", kind, bytes)
			if entries++; bytes > 2048 {
				t.Errorf("a %s takes %d bytes in Redis", kind, bytes)
			}
		}
	}
	connections := strings.Count(redis.Do(t, "CLIENT", "LIST").(string), "name=auth-gateway")
	t.Logf("connections of an idle gateway: %d to Redis, %s to PostgreSQL", connections,
		postgres.SQL(t, database, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"))

	// What a gateway remembers of people that it has let through.
	cookies := make([]string, known)
	rows := make([]string, known)
	for i := range cookies {
		secret := make([]byte, 32)
		_, _ = rand.Read(secret)
		cookies[i] = base64.RawURLEncoding.EncodeToString(secret)
		rows[i] = fmt.Sprintf("('%x')", sha256.Sum256([]byte(cookies[i])))
	}
	postgres.SQL(t, database, `INSERT INTO auth_sessions (id, user_id, cookie_hash, provider, created_at, last_seen_at, expires_at)
		SELECT md5(hash) || md5('x' || hash), user_id, hash, provider, created_at, last_seen_at, expires_at
		FROM (SELECT * FROM auth_sessions LIMIT 1) AS one, (VALUES `+strings.Join(rows, ",")+`) AS new(hash)`)
	before := c.heap(t)
	for _, cookie := range cookies {
		if r := c.ask(0, "GET", "/storage/x", cookie); r.status != 200 || r.body != "inside "+s.userID {
			t.Fatalf("%d %s", r.status, r.body)
		}
	}
	memory := (c.heap(t) - before) / known
	t.Logf("an entry of the near cache: %d bytes", memory)
	if memory < 100 || memory > 8192 {
		t.Errorf("an entry of the near cache takes %d bytes", memory)
	}
	if size > 2048 || entries < 2 || connections < 2 {
		t.Errorf("a session takes %d bytes; Redis has %d entries and %d connections", size, entries, connections)
	}
}

// heap is what the gateway keeps in memory, in bytes.
func (c *cluster) heap(t *testing.T) int {
	t.Helper()
	answer := gatewaytest.NewBrowser(t).Do("GET", c.gateways[0].Admin()+"/debug/pprof/heap?gc=1&debug=1", nil, nil)
	_, text, _ := strings.Cut(answer.Body, "# HeapAlloc = ")
	text, _, _ = strings.Cut(text, "\n")
	return number(t, text)
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
