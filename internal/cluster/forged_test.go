//go:build e2e

package cluster

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/internal/testserver"
)

// lookups is how many look-ups of sessions in Redis ended in a way.
func (c *cluster) lookups(t *testing.T, at int, result string) float64 {
	t.Helper()
	return c.metric(t, at, `caddy_auth_cache_requests_total{layer="redis session",result="`+result+`"}`)
}

// excused says how many look-ups found no use in Redis. On a busy machine it may
// miss its time-outs; then a gateway believes nothing for a minute.
func (c *cluster) excused(t *testing.T, at int) float64 {
	t.Helper()
	return c.lookups(t, at, "distrusted") + c.lookups(t, at, "failed")
}

// S40: whoever can write into Redis cannot make one user another one, let in
// nobody, and bring back no session that has ended: by swapping, copying,
// replacing or keeping what stands there.
func TestForgedEntries(t *testing.T) {
	t.Parallel()
	redis := testserver.SharedRedis(t)
	address := redis.NewURL(t)
	database := testserver.SharedPostgres(t).NewDatabase(t)
	c := prepare(t, 2, always(database), always(address))
	c.run(t)
	// A cluster with other keys, in the same Redis and with the same names of keys.
	foreign := prepare(t, 1, always(testserver.SharedPostgres(t).NewDatabase(t)), always(address))
	foreign.run(t)
	do := func(command ...string) any {
		t.Helper()
		return redis.DoIn(t, address, command...)
	}
	sessions := func() []string {
		t.Helper()
		var found []string
		for _, key := range do("KEYS", "auth-gateway:v1:session:*").([]any) {
			found = append(found, key.(string))
		}
		return found
	}
	// entry makes gateway 0 write somebody's session into Redis, and says where.
	entry := func(c *cluster, user string) (session, string) {
		t.Helper()
		for range 30 {
			there := sessions()
			// It ends at gateway 0, which asks the database and writes it down, if
			// Redis answers in time.
			s := c.signIn(t, len(c.gateways)-1, user)
			for _, key := range sessions() {
				if !slices.Contains(there, key) {
					return s, key
				}
			}
			time.Sleep(time.Second)
		}
		t.Fatal("the session is not in Redis")
		return session{}, ""
	}

	// Gateways believe what is in Redis when they have listened for as long as an
	// entry can live.
	believes := func() {
		t.Helper()
		for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); time.Sleep(time.Second) {
			s, _ := entry(c, "ada")
			before := c.lookups(t, 1, "hit")
			c.expect(t, 1, s)
			if c.lookups(t, 1, "hit") > before {
				return
			}
		}
		t.Fatal("the gateways do not use Redis")
	}
	believes()

	ada, adas := entry(c, "ada")
	_, foreigners := entry(foreign, "ada")
	// Kept for as long as this test takes.
	do("COPY", adas, "of ada")
	do("COPY", foreigners, "of a foreigner")
	adas, foreigners = "of ada", "of a foreigner"
	do("PERSIST", adas)
	do("PERSIST", foreigners)
	sealed := do("GET", adas).(string)
	for _, test := range []struct {
		name   string
		tamper func(bobs string)
	}{
		{"copied from another user", func(bobs string) { do("COPY", adas, bobs, "REPLACE"); do("EXPIRE", bobs, "60") }},
		{"moved from another user", func(bobs string) { do("COPY", adas, "mine"); do("RENAME", "mine", bobs); do("EXPIRE", bobs, "60") }},
		{"sealed by other keys", func(bobs string) { do("COPY", foreigners, bobs, "REPLACE"); do("EXPIRE", bobs, "60") }},
		{"written in clear", func(bobs string) {
			inner, _ := json.Marshal(map[string]any{"session": map[string]string{"UserID": ada.userID}, "user": map[string]string{"ID": ada.userID}})
			text, _ := json.Marshal(map[string]any{"value": inner, "names": []string{"user:" + ada.userID}, "fresh_until": time.Now().Add(time.Minute)})
			do("SET", bobs, string(text), "EX", "60")
		}},
		{"one bit changed", func(bobs string) {
			text := []byte(do("GET", bobs).(string))
			text[len(text)/2] ^= 1
			do("SET", bobs, string(text), "EX", "60")
		}},
		{"cut short", func(bobs string) { do("SET", bobs, sealed[:20], "EX", "60") }},
		{"long", func(bobs string) { do("SET", bobs, strings.Repeat(sealed, 2000), "EX", "60") }},
	} {
		for try := 1; ; try++ {
			bob, bobs := entry(c, "bob")
			before, excused := c.lookups(t, 1, "unsealed"), c.excused(t, 1)
			test.tamper(bobs)
			c.expect(t, 1, bob)
			if c.excused(t, 1) > excused && try < 4 {
				believes()
				continue
			}
			if n := c.lookups(t, 1, "unsealed") - before; n != 1 {
				t.Errorf("%s: %v entries did not open, want 1", test.name, n)
			}
			break
		}
	}
	// An entry of another type is an error of that one command.
	bob, bobs := entry(c, "bob")
	do("DEL", bobs)
	do("LPUSH", bobs, "x")
	c.expect(t, 1, bob)

	// S8: an ended session whose entry somebody has kept, and whose tombstones he
	// has removed.
	eve, eves := entry(c, "eve")
	do("COPY", eves, "kept")
	if r := c.ask(0, http.MethodPost, "/auth/logout", eve.cookie); r.status != http.StatusOK {
		t.Fatalf("logout: %d %s", r.status, r.body)
	}
	for _, key := range do("KEYS", "auth-gateway:v1:gone:*").([]any) {
		do("DEL", key.(string))
	}
	do("COPY", "kept", eves, "REPLACE")
	do("PERSIST", eves)
	for at := range c.gateways {
		until(t, byRedis, fmt.Sprintf("the ended session is refused at gateway %d", at), func() bool {
			return c.ask(at, http.MethodGet, "/me", eve.cookie).status == http.StatusUnauthorized
		})
	}
	for at := range c.gateways { // and stays refused when nobody remembers the refusal
		time.Sleep(3 * time.Second)
		if r := c.ask(at, http.MethodGet, "/me", eve.cookie); r.status != http.StatusUnauthorized {
			t.Errorf("the ended session at gateway %d: %d %s", at, r.status, r.body)
		}
	}

	// A sign-in under way is one browser's, whatever stands in Redis.
	underWay := func() (values []string) {
		t.Helper()
		for _, key := range do("KEYS", "auth-gateway:v1:attempt:*").([]any) {
			values = append(values, key.(string))
		}
		return values
	}
	var mine *gatewaytest.Browser
	var callback, theirs string
	var values []string
	for try := 1; len(values) != 2; try++ {
		if try == 10 {
			t.Fatalf("%d sign-ins are under way in Redis, want 2", len(values))
		}
		there := underWay()
		mine, callback = c.callback(t, 0, "corp", "ada", "next=/me")
		_, theirs = c.callback(t, 1, "corp", "bob", "next=/me")
		values = slices.DeleteFunc(underWay(), func(value string) bool { return slices.Contains(there, value) })
	}
	do("COPY", values[0], "mine")
	do("RENAME", values[1], values[0])
	do("RENAME", "mine", values[1])
	for _, address := range []string{callback, theirs} {
		if answer := mine.Navigate(address); answer.Status == http.StatusOK || strings.HasSuffix(answer.Location, "/me") {
			t.Errorf("a swapped sign-in ended with %d to %s", answer.Status, answer.Location)
		}
	}
	if r := mine.Fetch(c.url + "/me"); r.Status != http.StatusUnauthorized {
		t.Errorf("a swapped sign-in signed in: %d %s", r.Status, r.Body)
	}
}
