package cluster

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/datahq/auth-gateway/internal/testserver"
)

// Gateways that start together on an empty database make its tables once, and
// somebody who signs in for the first time at all of them at once is one user.
func TestFirstSignInAtOnce(t *testing.T) {
	postgres := testserver.SharedPostgres(t)
	database := postgres.NewDatabase(t)
	c := prepare(t, 3, always(database), always(testserver.SharedRedis(t).NewURL(t)))
	c.run(t)
	if twice := postgres.SQL(t, database, "SELECT id FROM auth_migrations GROUP BY id HAVING count(*) > 1"); twice != "" {
		t.Errorf("migrated twice: %s", twice)
	}
	for _, user := range []string{"ada", "bob"} {
		var all sync.WaitGroup
		ids := make([]string, len(c.gateways))
		for i := range c.gateways {
			b, callback := c.callback(t, i, []string{"corp", "team"}[i%2], user, "next=/me")
			all.Go(func() { ids[i] = c.finish(t, b, i, callback).userID })
		}
		all.Wait()
		if len(slices.Compact(ids)) != 1 {
			t.Errorf("%s has become several users: %v", user, ids)
		}
		if n := postgres.SQL(t, database, "SELECT count(*) FROM users WHERE email = '"+user+"@example.com'"); n != "1" {
			t.Errorf("%s has %s rows", user, n)
		}
	}
}

// S28: of two who choose the same username at the same moment at two gateways,
// one gets it.
func TestUsernameAtOnce(t *testing.T) {
	c := start(t, 2)
	var tokens []string
	for i, user := range []string{"ada", "bob"} {
		b, callback := c.callback(t, i, "corp", user, "deliver=jwt&next="+url.QueryEscape("http://localhost:3000"))
		answer := b.Navigate(callback)
		_, token, found := strings.Cut(answer.Location, "?jwt=")
		if !found {
			t.Fatalf("no token for %s: %d to %s", user, answer.Status, answer.Location)
		}
		tokens = append(tokens, token)
	}
	for _, name := range []string{"grace", "Hopper"} {
		var all sync.WaitGroup
		replies := make([]string, len(tokens))
		for i, token := range tokens {
			all.Go(func() {
				r := c.ask(i, http.MethodPost, "/user/update?username="+name+"&jwt="+token, "")
				replies[i] = r.body
			})
		}
		all.Wait()
		given := 0
		for _, text := range replies {
			if strings.Contains(text, `"success":true`) {
				given++
			}
		}
		// The second name is for who got none: the first is chosen once.
		if given != 1 {
			t.Errorf("%s was given to %d: %q", name, given, replies)
		}
	}
}
