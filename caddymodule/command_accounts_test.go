package caddymodule_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// Accounts: sign-out ends sessions, disable does too and for good.
func TestAccountCommands(t *testing.T) {
	g := gatewaytest.Start(t, gatewaytest.Config{Auth: "login dev\nservice storage database", Site: storageSite2})
	auth := func(ok bool, args ...string) string {
		t.Helper()
		output, err := g.Command(append([]string{"auth", "--config", filepath.Join(g.State, "Caddyfile")}, args...)...)
		if (err == nil) != ok {
			t.Fatalf("%v: %v\n%s", args, err, output)
		}
		return output
	}
	status := func(p person) [2]int {
		t.Helper()
		return [2]int{p.Fetch(g.URL + "/").Status, call(t, g, "/", "Auth-Token", p.Token).Status}
	}
	ada, again, bob := signIn(t, g, "ada"), signIn(t, g, "ada"), signIn(t, g, "bob")
	in, out := [2]int{http.StatusOK, http.StatusOK}, [2]int{http.StatusUnauthorized, http.StatusUnauthorized}
	for _, p := range []person{ada, again, bob} {
		if got := status(p); got != in {
			t.Fatalf("signed in: %v", got)
		}
	}
	if output := auth(true, "sign-out", "ada"); !strings.Contains(output, "ada is signed out; sessions ended: 2.") {
		t.Errorf("sign-out:\n%s", output)
	}
	for _, p := range []person{ada, again} {
		eventually(t, "ada is signed out", func() bool { return status(p) == out })
	}
	if got := status(bob); got != in {
		t.Errorf("bob: %v", got)
	}
	ada = signIn(t, g, "ada")
	if output := auth(true, "users", "disable", "ada@example.com"); !strings.Contains(output, "is disabled; sessions ended: 1.") {
		t.Errorf("disable:\n%s", output)
	}
	eventually(t, "ada is out", func() bool { return status(ada)[0] != http.StatusOK && status(ada)[1] != http.StatusOK })
	if output := auth(true, "users", "ada"); !strings.Contains(output, "disabled") {
		t.Errorf("users:\n%s", output)
	}
	b := gatewaytest.NewBrowser(t)
	b.SignIn(g.URL+"/", "ada")
	if answer := b.Fetch(g.URL + "/"); answer.Status == http.StatusOK {
		t.Error("a disabled user has signed in")
	}
	if output := auth(true, "users", "enable", "ada"); !strings.Contains(output, "can sign in again") {
		t.Errorf("enable:\n%s", output)
	}
	eventually(t, "ada is in again", func() bool {
		b := gatewaytest.NewBrowser(t)
		b.SignIn(g.URL+"/", "ada")
		return b.Fetch(g.URL+"/").Status == http.StatusOK
	})
	for what, args := range map[string][]string{
		"there is no user":       {"sign-out", "nobody"},
		"* is everyone":          {"sign-out", "*"},
		"accepts 1 arg":          {"users", "disable"},
		"there is no user \"x\"": {"users", "enable", "x"},
	} {
		output := auth(false, args...)
		if !strings.Contains(output, what) {
			t.Errorf("%v: no %q in\n%s", args, what, output)
		}
	}
}

// A5: the original let people choose usernames freely. Whoever chose somebody
// else's address gets nothing that an operator gives to that address, and what
// he wrote does not speak to the operator's terminal.
func TestCommandsAmongHostileRows(t *testing.T) {
	path := originalFile(t, originalUsers2017,
		originalRow{"google:1", "ruth@example.com", "\x1b[2J\u202e\u200eroot\u2028", "mallory@example.com", moshesDate},
		originalRow{"google:2", "ruth", "Ruth", "ruth@example.com", moshesDate})
	a := onOriginal(t, path, "service storage database")
	output, err := a.Command("auth", "--config", filepath.Join(a.State, "Caddyfile"), "grant", "ruth@example.com", "storage", "read")
	if err != nil || !strings.Contains(output, md5ID("ruth@example.com")) || strings.Contains(output, md5ID("mallory@example.com")) {
		t.Errorf("grant: %v\n%s", err, output)
	}
	output, err = a.Command("auth", "--config", filepath.Join(a.State, "Caddyfile"), "users")
	if err != nil || !strings.Contains(output, "?[2J??root?") || strings.ContainsAny(output, "\x1b\u202e\u200e\u2028") {
		t.Errorf("users: %v\n%q", err, output)
	}
}
