package gatewaytest

import (
	"net/http"
	"testing"
)

func TestMain(m *testing.M) { Main(m) }

// The harness itself: sign in, be let through, sign out of sight.
func TestSignInThroughTheGate(t *testing.T) {
	upstream := NewUpstream(t)
	g := Start(t, Config{
		Auth: "login dev",
		Site: "auth_api\nrequire_login\nreverse_proxy " + upstream.Address(),
	})
	b := NewBrowser(t)
	if answer := b.Fetch(g.URL + "/page"); answer.Status != http.StatusUnauthorized {
		t.Fatalf("without a session: %d", answer.Status)
	}
	_, at := b.SignIn(g.URL+"/page?x=1", "ada")
	if at != g.URL+"/page?x=1" {
		t.Fatalf("came back to %s", at)
	}
	answer := b.Navigate(at)
	if answer.Status != http.StatusOK {
		t.Fatalf("%d %s", answer.Status, answer.Body)
	}
	if seen := ParseSeen(t, answer.Body); seen.Header.Get("X-Auth-Email") != "ada@example.com" || seen.Query != "x=1" {
		t.Fatalf("the upstream saw %+v", seen)
	}
}
