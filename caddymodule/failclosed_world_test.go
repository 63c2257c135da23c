package caddymodule_test

import (
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// outage is a gateway on the eve of an outage of its database: ada has just been
// seen everywhere, bob has signed in and not been seen since, and eve is at the
// identity provider.
type outage struct {
	*gatewaytest.Gateway
	upstream *gatewaytest.Upstream
	ada      held
	bob      visitor
	leaving  *gatewaytest.Browser // another session of bob's, about to be ended
	eve      *gatewaytest.Browser
	callback string // eve's
	began    time.Time
}

// visitor is somebody who has signed in and shown his credentials nowhere.
type visitor struct {
	*gatewaytest.Browser
	cookie, token string
}

func visit(t *testing.T, g *gatewaytest.Gateway, user string) visitor {
	t.Helper()
	v := visitor{Browser: gatewaytest.NewBrowser(t)}
	_, at := v.SignIn(g.URL+"/auth/login/dev?deliver=jwt&next="+url.QueryEscape(application), user)
	v.token, v.cookie = delivered(t, at), sessionCookie(t, v.Browser, g)
	if v.cookie == "" {
		t.Fatal("there is no session cookie")
	}
	return v
}

// newOutage runs a gateway; auth stands in its auth block, such as its database.
func newOutage(t *testing.T, auth string) *outage {
	t.Helper()
	o := new(outage)
	o.Gateway, o.upstream = sessionGateway(t, "os_conductor\n"+auth)
	o.ada = hold(t, o.Gateway, "ada")
	o.leaving = visit(t, o.Gateway, "bob").Browser
	o.eve = gatewaytest.NewBrowser(t)
	o.began = time.Now()
	o.callback = o.eve.Callback(o.URL+"/auth/login/dev?next=%2Flogin%2Fback", "eve")
	o.bob = visit(t, o.Gateway, "bob")
	o.ada.want(t, o.Gateway, o.upstream, true)
	return o
}

// wantRecovered checks that, with the database back, everything works again
// without a restart, and that what had been begun can be ended.
func (o *outage) wantRecovered(t *testing.T) {
	t.Helper()
	eventually(t, "the gateway to be ready", func() bool {
		return call(t, o.Gateway, "/auth/health/ready").Status == http.StatusOK && o.bob.Fetch(o.URL+"/login/x").Status == http.StatusOK
	})
	if answer := o.eve.Navigate(o.callback); answer.Status == http.StatusBadGateway && time.Since(o.began) > 50*time.Second {
		// The provider's code lives for a minute. Then one has to begin anew.
		o.eve.Navigate(o.eve.Callback(o.URL+"/auth/login/dev?next=%2Flogin%2Fback", "eve"))
	} else if answer.Status != http.StatusSeeOther || answer.Location != o.URL+"/login/back" {
		t.Errorf("the sign-in that was under way: %d to %q\n%s", answer.Status, answer.Location, answer.Body)
	}
	if answer := o.eve.Navigate(o.URL + "/login/back"); answer.Status != http.StatusOK {
		t.Errorf("after the sign-in that was under way: %d", answer.Status)
	}
	for _, path := range []string{"/auth/account", "/auth/check", "/storage/x"} {
		if answer := o.bob.Fetch(o.URL + path); answer.Status != http.StatusOK || strings.Contains(answer.Body, `"authenticated":false`) {
			t.Errorf("%s afterwards: %d %s", path, answer.Status, answer.Body)
		}
	}
	update := o.program(t, http.MethodPost, "/user/update?username=Robert&jwt="+o.bob.token)
	if update.Status != http.StatusOK || update.Body != `{"success":true}` {
		t.Errorf("update afterwards: %d %s", update.Status, update.Body)
	}
	o.ada.want(t, o.Gateway, o.upstream, true)
	newcomer := visit(t, o.Gateway, "eve")
	if answer := newcomer.Fetch(o.URL + "/login/x"); answer.Status != http.StatusOK {
		t.Errorf("a new sign-in afterwards: %d", answer.Status)
	}
	// A sign-out that is said to have been, has been.
	cookie := sessionCookie(t, o.leaving, o.Gateway)
	if answer := o.leave(); answer.Status != http.StatusSeeOther {
		t.Errorf("logout afterwards: %d %s", answer.Status, answer.Body)
	}
	wantProblem(t, call(t, o.Gateway, "/login/x", "Cookie", "auth_session="+cookie), http.StatusUnauthorized, "session_ended")
}

// databaseFile is where a gateway has its SQLite database.
func databaseFile(g *gatewaytest.Gateway) string {
	return filepath.Join(g.State, "data", "caddy", "auth", "auth.db")
}

// wantLogged checks that the log, and it alone, has the cause.
func wantLogged(t *testing.T, g *gatewaytest.Gateway, any ...string) {
	t.Helper()
	output := g.Output()
	if !slices.ContainsFunc(any, func(text string) bool { return strings.Contains(output, text) }) {
		t.Errorf("the log has none of %q", any)
	}
}
