package caddymodule_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/internal/token"
)

// privateLines are the lines of a key that nobody may see. A PEM begins with the
// public modulus, which is in the key set.
func privateLines(text []byte) []string {
	lines := pemLines(text)
	return lines[len(lines)/2:]
}

// S43: however keys are given but as text in the configuration itself, no dump
// of it has them: neither Caddy's admin API nor what Caddy keeps on disk.
func TestPrivateKeysAreInNoDump(t *testing.T) {
	dir := t.TempDir()
	hidden := make(map[string]string) // by line of a key
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, line := range privateLines([]byte(text)) {
			hidden[line] = name
		}
		return path
	}
	pem := func() string { return privatePEM(rsaKey(t, 2048)) }
	secret := func() string {
		key, err := token.GenerateSessionKey()
		if err != nil {
			t.Fatal(err)
		}
		return string(key.Text())
	}
	variable := func(name, text string) string {
		write(name, text)
		return name + "=" + text
	}
	for name, config := range map[string]gatewaytest.Config{
		"files": {Auth: "signing_key " + write("a", pem()) + " {\nnext " + write("b", pem()) + "\nretired " + write("c", pem()) + "\n}\n" +
			"session_key " + write("d", secret()) + " {\nnext " + write("e", secret()) + "\nretired " + write("f", secret()) + "\n}"},
		"file placeholders": {Auth: "signing_key {file." + write("g", pem()) + "}\nsession_key {file." + write("h", secret()) + "}"},
		"environment placeholders": {
			Auth: "signing_key {env.KEY_I} {\nretired {env.KEY_J}\n}\nsession_key {env.KEY_K}",
			Env:  []string{variable("KEY_I", pem()), variable("KEY_J", pem()), variable("KEY_K", secret())},
		},
		"PRIVATE_KEY": {Env: []string{variable("PRIVATE_KEY", pem())}},
		"storage":     {},
	} {
		t.Run(name, func(t *testing.T) {
			config.Auth, config.Site = "login dev\n"+config.Auth, storageSite2
			g := gatewaytest.Start(t, config)
			signIn(t, g, "ada")
			response, err := http.Get(g.Admin() + "/config/")
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			dump, err := io.ReadAll(response.Body)
			if err != nil || !strings.Contains(string(dump), `"auth"`) {
				t.Fatalf("%v\n%s", err, dump)
			}
			saved, err := os.ReadFile(filepath.Join(g.State, "config", "caddy", "autosave.json"))
			if err != nil || !strings.Contains(string(saved), `"auth"`) {
				t.Fatalf("%v\n%s", err, saved)
			}
			adapted, err := g.Command("adapt", "--config", filepath.Join(g.State, "Caddyfile"))
			if err != nil {
				t.Fatal(err)
			}
			list, err := g.Command("auth", "keys", "list", "--config", filepath.Join(g.State, "Caddyfile"))
			if err != nil || !strings.Contains(list, "active") {
				t.Fatalf("%v\n%s", err, list)
			}
			lines := map[string]string{}
			for line, name := range hidden {
				lines[line] = name
			}
			if name == "storage" {
				for _, kind := range []string{"signing", "session"} {
					for _, line := range privateLines(storedKey(t, g, kind)) {
						lines[line] = kind
					}
				}
			}
			for where, text := range map[string]string{
				"the admin API": string(dump), "autosave.json": string(saved), "adapt": adapted, "keys list": list, "the log": g.Output(),
				"jwks.json": call(t, g, "/auth/jwks.json").Body,
			} {
				if strings.Contains(text, "PRIVATE KEY") {
					t.Errorf("%s has a private key", where)
				}
				for line, key := range lines {
					if len(line) >= 16 && strings.Contains(text, line) {
						t.Errorf("%s has a line of the key %s", where, key)
					}
				}
			}
		})
	}
}
