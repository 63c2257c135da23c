package caddymodule_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/internal/testserver"
)

const (
	writeBegins = `"msg":"the database cannot be written; nobody can sign in or out"`
	writeEnds   = `"msg":"the database can be written again"`
	notWritten  = `{"status":"degraded","checks":{"database":{"status":"degraded","reason":"The database cannot be written; nobody can sign in or out."}}}`
	allWell     = `{"status":"ok","checks":{"database":{"status":"ok"}}}`
)

// wantReady waits for what health/ready says with 200.
func wantReady(t *testing.T, g *gatewaytest.Gateway, want string) {
	t.Helper()
	eventually(t, "the gateway to say "+want, func() bool {
		answer := call(t, g, "/auth/health/ready")
		if answer.Status != http.StatusOK {
			t.Fatalf("ready is %d %s", answer.Status, answer.Body)
		}
		return answer.Body == want
	})
}

// wantToldOnce checks that the log has each once: the beginning and, if it has
// ended, the end of not writing.
func wantToldOnce(t *testing.T, g *gatewaytest.Gateway, ended bool) {
	t.Helper()
	ends := map[bool]int{true: 1}[ended]
	eventually(t, "the log", func() bool { return strings.Count(g.Output(), writeEnds) == ends })
	if got := strings.Count(g.Output(), writeBegins); got != 1 {
		t.Errorf("the log tells it %d times:\n%s", got, g.Output())
	}
}

// One gateway with a file, and nobody who tries to sign in: another program
// holds the write lock for long. It is known, and ends, by itself.
func TestHealthOfALockedDatabase(t *testing.T) {
	t.Parallel() // it waits
	g := gatewaytest.Start(t, observedConfig)
	wantReady(t, g, allWell)
	release := lockForWriting(t, databaseFile(g))
	wantReady(t, g, notWritten)
	wantToldOnce(t, g, false)
	release()
	wantReady(t, g, allWell)
	wantToldOnce(t, g, true)
}

// A server has become read-only, as a standby is. Whoever is signed in is
// served, the first sign-in that fails tells, and all comes back by itself.
func TestHealthOfAReadOnlyDatabase(t *testing.T) {
	t.Parallel() // it waits
	server := testserver.SharedPostgres(t)
	url := server.NewDatabase(t)
	config := observedConfig
	config.Auth += "\ndatabase " + url
	g := gatewaytest.Start(t, config)
	ada := signIn(t, g, "ada")
	wantReady(t, g, allWell)
	readOnly := func(on string) {
		server.SQL(t, "", "ALTER DATABASE "+url[strings.LastIndex(url, "/")+1:]+" SET default_transaction_read_only = "+on)
		// It counts for new connections.
		server.SQL(t, url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	}
	readOnly("on")
	if answer := gatewaytest.NewBrowser(t).Fetch(g.URL + "/auth/login/dev?next=%2F"); answer.Status != http.StatusServiceUnavailable {
		t.Errorf("a sign-in: %d %s", answer.Status, answer.Body)
	}
	if answer := call(t, g, "/auth/health/ready"); answer.Body != notWritten || answer.Status != http.StatusOK {
		t.Errorf("right after: %d %s", answer.Status, answer.Body)
	}
	if answer := call(t, g, "/auth/check", "Auth-Token", ada.Token); answer.Status != http.StatusOK || !strings.Contains(answer.Body, `"authenticated":true`) {
		t.Errorf("who is signed in: %d %s", answer.Status, answer.Body)
	}
	readOnly("off")
	wantReady(t, g, allWell)
	wantToldOnce(t, g, true)
	signIn(t, g, "bob")
}
