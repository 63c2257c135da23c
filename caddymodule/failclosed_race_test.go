package caddymodule_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/providers/providertest"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

// S8: requests of a session run while it is signed out. Whatever was asked after
// the sign-out had been answered is refused; what was under way may be either,
// and nothing is an error.
func TestFailClosedLogoutAmongRequests(t *testing.T) {
	t.Parallel()
	g, _ := sessionGateway(t, "")
	for round := range 3 {
		ada := hold(t, g, "ada")
		var over atomic.Bool
		stop := make(chan struct{})
		var all sync.WaitGroup
		for i, credential := range [][]string{
			{"Cookie", "auth_session=" + ada.Cookie}, {"Auth-Token", ada.Token}, {"Auth-Token", ada.storage}, {"Authorization", "Bearer " + ada.Token},
		} {
			b := gatewaytest.NewBrowser(t)
			all.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					before := over.Load()
					answer := b.Do(http.MethodGet, g.URL+"/storage/x", nil, header(credential...))
					if answer.Status != http.StatusOK && answer.Status != http.StatusUnauthorized || before && answer.Status == http.StatusOK {
						t.Errorf("credential %d, signed out before: %v: %d %s", i, before, answer.Status, answer.Body)
						return
					}
				}
			})
		}
		// Several windows sign out at once.
		var leaving sync.WaitGroup
		for range 3 {
			b := gatewaytest.NewBrowser(t)
			b.Jar = ada.Jar
			leaving.Go(func() {
				answer := post(b, g, url.Values{}, "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document")
				if answer.Status != http.StatusSeeOther {
					t.Errorf("round %d: logout: %d %s", round, answer.Status, answer.Body)
				}
				over.Store(true)
			})
		}
		leaving.Wait()
		for range 5 {
			call(t, g, "/storage/x", "Auth-Token", ada.Token)
		}
		close(stop)
		all.Wait()
	}
}

// S29, S39: configurations change while people sign in, all of them for the
// first time and as the same person: one account, no error, nobody turned away.
func TestFailClosedReloadAmongSignIns(t *testing.T) {
	t.Parallel()
	google := providertest.StartIdP(t, fakeidp.Config{Clients: gatewayClients})
	google.Always(fakeidp.Person{Subject: "1", Email: "grace@example.com", EmailVerified: true})
	config := func(n int) gatewaytest.Config {
		return gatewaytest.Config{
			Auth: "rate_limits off\nlogin google {\nissuer " + google.Issuer() + "\nclient_id gateway\nclient_secret hush\n}", Site: fmt.Sprintf("header X-Generation %d\nauth_api\nrequire_login\nrespond welcome", n),
		}
	}
	g := gatewaytest.Start(t, config(0))
	database := openDatabase(t, g)
	var all sync.WaitGroup
	var done atomic.Int64
	const browsers, rounds = 4, 3
	for range browsers {
		all.Go(func() {
			for range rounds {
				page, at := gatewaytest.NewBrowser(t).Follow(g.URL + "/page?x=1")
				if at != g.URL+"/page?x=1" || page.Body != "welcome" {
					t.Errorf("a sign-in ended at %s: %d %s", strings.Split(at, "?")[0], page.Status, page.Body)
					continue
				}
				done.Add(1)
			}
		})
	}
	n := 1
	for ; done.Load() < browsers*rounds && n < 20 && !t.Failed(); n++ {
		g.Reload(t, config(n))
	}
	all.Wait()
	if done.Load() != browsers*rounds || n < 2 {
		t.Errorf("%d of %d sign-ins, %d reloads:\n%s", done.Load(), browsers*rounds, n-1, strings.Join(linesWith(g.Output(), "sign-in failed"), "\n"))
	}
	wantRows(t, database, "users", 1)
	wantRows(t, database, "auth_sessions", browsers*rounds)
}

func linesWith(text, word string) (found []string) {
	for line := range strings.Lines(text) {
		if strings.Contains(line, word) {
			found = append(found, line)
		}
	}
	return found
}
