package caddymodule_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// Two gateways on one database whose tokens the other would refuse do not run
// together. The error says what to do.
func TestStrangeKeysAreRefusedAtStart(t *testing.T) {
	key := privatePEM(rsaKey(t, 2048))
	config := func(dir, auth string) gatewaytest.Config {
		return gatewaytest.Config{
			Auth: "login dev\ndatabase sqlite:///" + filepath.Join(dir, "auth.db") + "\n" + auth, Site: storageSite2, Env: []string{"NEW_KEY=" + key},
		}
	}
	dir := t.TempDir()
	a := gatewaytest.Start(t, config(dir, ""))
	b := gatewaytest.New(t, config(dir, ""))
	b.URL = a.URL
	run := func(g *gatewaytest.Gateway) string {
		t.Helper()
		file := filepath.Join(g.State, "Caddyfile")
		if err := os.WriteFile(file, []byte(g.Caddyfile()), 0o600); err != nil {
			t.Fatal(err)
		}
		output, err := g.Command("run", "--config", file)
		if err == nil {
			t.Fatalf("it ran:\n%s", output)
		}
		return strings.ReplaceAll(output, `\"`, `"`)
	}
	output := run(b)
	for _, want := range []string{"another gateway on this database has other keys", "signing_key and session_key", "storage that they share"} {
		if !strings.Contains(output, want) {
			t.Errorf("no %q in:\n%s", want, output)
		}
	}
	if strings.Contains(output, "PRIVATE KEY") {
		t.Errorf("the output tells a key:\n%s", output)
	}

	// With the same storage it starts, and then the first one cannot change its key
	// alone; it goes on as it was.
	c := gatewaytest.New(t, gatewaytest.Config{
		Auth: config(dir, "").Auth, Site: storageSite2, Global: "storage file_system " + filepath.Join(a.State, "data", "caddy"),
	})
	c.URL = a.URL
	c.Run(t)
	eventually(t, "the other gateway serves", func() bool {
		status, _, err := ask(balanced(t, c), a.URL+"/auth/health/ready", "")
		if err != nil {
			t.Logf("%v\n%s", err, c.Output())
		}
		return err == nil && status == http.StatusOK
	})
	err := a.TryReload(config(dir, "signing_key {env.NEW_KEY}"))
	if err == nil || !strings.Contains(err.Error(), "has other keys") {
		t.Errorf("a reload to a strange key: %v", err)
	}
	ada := signIn(t, a, "ada")
	if status, body, err := ask(balanced(t, c), a.URL+"/", ada.Token); err != nil || status != http.StatusOK {
		t.Errorf("a token of the other gateway: %d %s %v", status, body, err)
	}
	// Alone, it can, at once: the other one has said that it goes.
	c.Stop(t)
	a.Reload(t, config(dir, "signing_key {env.NEW_KEY}"))
}
