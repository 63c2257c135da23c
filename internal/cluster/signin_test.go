//go:build e2e

package cluster

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/internal/testserver"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

// How a callback ends.
const (
	signedIn    = "signed in"
	used        = "used"
	unknown     = "unknown"
	unavailable = "unavailable"
)

// visit sends a callback with the cookie that the browser was given when the
// sign-in began, which somebody has kept, and says how that ends.
func (c *cluster) visit(t *testing.T, at int, b *begun) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.Replace(b.callback, c.url, "http://"+c.gateways[at].Address, 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = strings.TrimPrefix(c.url, "http://")
	request.Header = http.Header{"Accept": {"text/html"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}, "Sec-Fetch-Site": {"cross-site"}, "Cookie": {b.cookie}}
	response, err := c.client.Do(request)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	body := string(text)
	switch {
	case response.StatusCode < 400 && strings.HasSuffix(response.Header.Get("Location"), "/me"):
		return signedIn
	case strings.Contains(body, "This sign-in has been used"):
		return used
	case strings.Contains(body, "This sign-in is not known"):
		return unknown
	case response.StatusCode == http.StatusServiceUnavailable:
		return unavailable
	}
	return response.Status + " " + body
}

// begun is a sign-in that the provider has sent back.
type begun struct{ callback, cookie, state string }

// beginAt goes through a sign-in up to the callback.
func (c *cluster) beginAt(t *testing.T, at int) *begun {
	t.Helper()
	b, callback := c.callback(t, at, "corp", "ada", "next=/me")
	u, err := url.Parse(callback)
	if err != nil {
		t.Fatal(err)
	}
	s := &begun{callback: callback, state: u.Query().Get("state")}
	for _, cookie := range b.Jar.Cookies(u) {
		s.cookie += cookie.Name + "=" + cookie.Value + "; "
	}
	if s.cookie == "" {
		t.Fatal("the browser has no cookie of the sign-in")
	}
	return s
}

// S21: one state signs in once, whichever gateways are asked and whatever
// becomes of Redis meanwhile; by the count of the codes that they exchange.
func TestStateIsGoodOnce(t *testing.T) {
	t.Parallel()
	c, b := prepareApart(t)
	c.run(t)
	heal := func(t *testing.T) {
		t.Helper()
		each(b.toRedis, (*testserver.Proxy).Heal)
		each(b.toBase, (*testserver.Proxy).Heal)
		c.healthy(t)
	}
	attempts := func() (keys []string) {
		for _, key := range b.redis.Do(t, "KEYS", "auth-gateway:v1:attempt:*").([]any) {
			keys = append(keys, key.(string))
		}
		return keys
	}
	inRedis := func(t *testing.T) *begun {
		t.Helper()
		for range 20 {
			// On a busy machine Redis may miss its time-out.
			if s := c.beginAt(t, 0); s.state[0] == 'r' {
				return s
			}
		}
		t.Fatal("no sign-in begins in Redis")
		return nil
	}
	// late begins a sign-in of which Redis has heard and which it answered too late.
	late := func(t *testing.T) *begun {
		t.Helper()
		for range 20 {
			b.redis.Flush()
			b.toRedis[0].Latency(200 * time.Millisecond) // each way
			s := c.beginAt(t, 0)
			for deadline := time.Now().Add(time.Second); len(attempts()) == 0 && time.Now().Before(deadline); {
				time.Sleep(10 * time.Millisecond)
			}
			heal(t)
			if len(attempts()) != 0 && s.state[0] == 'd' {
				return s
			}
		}
		t.Fatal("Redis is never just too late")
		return nil
	}
	for _, test := range []struct {
		name  string
		begin func(*testing.T) *begun
		end   func(t *testing.T, visit func(at int, want string))
	}{
		{"late, then one gateway cut off", late, func(t *testing.T, visit func(int, string)) {
			b.toRedis[0].Refuse()
			visit(0, signedIn)
			heal(t)
			visit(1, used)
			visit(0, used)
		}},
		{"late, then emptied", late, func(_ *testing.T, visit func(int, string)) {
			visit(1, signedIn)
			b.redis.Flush()
			visit(0, used)
		}},
		{"in Redis, then emptied", inRedis, func(_ *testing.T, visit func(int, string)) {
			visit(1, signedIn)
			b.redis.Flush()
			visit(0, unknown)
			visit(1, unknown)
		}},
		{"in Redis, then one gateway cut off", inRedis, func(t *testing.T, visit func(int, string)) {
			b.toRedis[0].Refuse()
			visit(0, unavailable)
			visit(1, signedIn)
			visit(0, unavailable)
			heal(t)
			visit(0, used)
		}},
		{"S40: tickets forged", inRedis, func(t *testing.T, visit func(int, string)) {
			visit(0, signedIn)
			for _, key := range attempts() {
				b.redis.Do(t, "SET", key+":ticket", "1")
				b.redis.Do(t, "PERSIST", key)
			}
			visit(1, used)
			visit(0, used)
		}},
		{"without Redis", func(t *testing.T) *begun {
			each(b.toRedis, (*testserver.Proxy).Refuse)
			return c.beginAt(t, 0)
		}, func(t *testing.T, visit func(int, string)) {
			visit(1, signedIn)
			heal(t)
			visit(0, used)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			heal(t)
			before := c.corp.Requests(fakeidp.Token)
			s := test.begin(t)
			test.end(t, func(at int, want string) {
				t.Helper()
				got := c.visit(t, at, s)
				for try := 0; got == unavailable && want != unavailable && try < 3; try++ {
					time.Sleep(time.Second)
					got = c.visit(t, at, s)
				}
				if got != want {
					t.Errorf("at gateway %d: %s, want %s", at, got, want)
				}
			})
			if n := c.corp.Requests(fakeidp.Token) - before; n != 1 {
				t.Errorf("%d codes were exchanged, want 1", n)
			}
		})
	}

	for name, begin := range map[string]func(*testing.T) *begun{"late": late, "in Redis": inRedis} {
		t.Run(name+", at the same moment", func(t *testing.T) {
			heal(t)
			before := c.corp.Requests(fakeidp.Token)
			s := begin(t)
			b.toRedis[0].Refuse()
			ends := make([]string, 20)
			var all sync.WaitGroup
			for i := range ends {
				all.Go(func() { ends[i] = c.visit(t, i%2, s) })
			}
			all.Wait()
			count := map[string]int{}
			for _, end := range ends {
				count[end]++
			}
			n := c.corp.Requests(fakeidp.Token) - before
			if count[signedIn] != 1 || count[used]+count[unavailable] != 19 || n != 1 || name == "late" && count[unavailable] != 0 {
				t.Errorf("%v, and %d codes were exchanged", count, n)
			}
		})
	}

	// S39: a sign-in that nothing can keep is refused in time.
	t.Run("nothing answers", func(t *testing.T) {
		heal(t)
		each(b.toRedis, (*testserver.Proxy).BlackHole)
		each(b.toBase, (*testserver.Proxy).BlackHole)
		for range 3 {
			began := time.Now()
			answer := gatewaytest.NewBrowser(t).Via(c.gateways[0]).Navigate(c.url + "/auth/login/corp?next=/me")
			took := time.Since(began)
			t.Logf("%d after %s", answer.Status, took)
			if answer.Status != http.StatusServiceUnavailable || took > 3*time.Second+hang {
				t.Errorf("%d after %s", answer.Status, took)
			}
		}
		heal(t)
	})
}
