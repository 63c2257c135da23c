package caddymodule_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// The verbs for keys, on the storage of a gateway and without one.
func TestKeyCommands(t *testing.T) {
	g := gatewaytest.New(t, gatewaytest.Config{Auth: "login dev", Site: storageSite2})
	file := filepath.Join(g.State, "Caddyfile")
	auth := func(ok bool, args ...string) string {
		t.Helper()
		if err := os.WriteFile(file, []byte(g.Caddyfile()), 0o600); err != nil {
			t.Fatal(err)
		}
		output, err := g.Command(append([]string{"auth", "--config", file}, args...)...)
		if (err == nil) != ok {
			t.Fatalf("%v: %v\n%s", args, err, output)
		}
		if strings.Contains(output, "PRIVATE KEY") {
			t.Errorf("%v: a private key:\n%s", args, output)
		}
		return output
	}
	expect := func(output string, wants ...string) {
		t.Helper()
		for _, want := range wants {
			if !strings.Contains(output, want) {
				t.Errorf("no %q in\n%s", want, output)
			}
		}
	}
	expect(auth(false, "keys", "list"), "there are no keys in Caddy's storage")
	expect(auth(false, "keys", "rotate"), "there are no keys in Caddy's storage")
	g.Run(t)
	public := call(t, g, "/auth/public-key").Body
	if list := auth(true, "keys", "list"); strings.Count(list, "active") != 2 || strings.Contains(list, "next") {
		t.Errorf("at first:\n%s", list)
	}
	for what, args := range map[string][]string{
		"expected --now with it":        {"--drop-old"},
		"one of --now and --after":      {"--now", "--after", "1h"},
		"which is not negative":         {"--after", "-1h"},
		`invalid argument "sessions"`:   {"sessions"},
		"accepts at most 1 arg":         {"signing", "session"},
		"invalid duration":              {"--after", "tomorrow"},
		`unknown flag: --drop-oldest`:   {"--drop-oldest"},
		"no such file or directory":     {"--config", "/nonexistent/Caddyfile"},
		"expected something like caddy": {"--adapter", "yaml"},
	} {
		expect(auth(false, append([]string{"keys", "rotate"}, args...)...), what)
	}
	// A day ahead there is no warning; sooner there is, and for sessions never.
	if output := auth(true, "keys", "rotate", "session", "--after", "1h"); strings.Contains(output, "Warning") || strings.Count(output, "next") != 1 {
		t.Errorf("rotate session:\n%s", output)
	}
	if output := auth(true, "keys", "rotate", "signing"); strings.Contains(output, "Warning") || strings.Count(output, "next") != 2 {
		t.Errorf("rotate signing:\n%s", output)
	}
	expect(auth(false, "keys", "rotate", "signing"), "there is a next signing key already", "--now")
	expect(auth(true, "keys", "rotate", "signing", "--now"), "Warning: services that keep the public key")
	if output := auth(true, "keys", "list", "--public"); !strings.HasPrefix(output, public) || strings.Count(output, "BEGIN PUBLIC KEY") != 2 {
		t.Errorf("list --public:\n%s", output)
	}
	eventually(t, "the gateway publishes the next key", func() bool {
		return strings.Count(call(t, g, "/auth/jwks.json").Body, `"kid"`) == 2
	})
	expect(auth(true, "keys"), "rotate", "list")
	expect(auth(true, "keys", "rotate", "--help"), "--drop-old", "jwks.json")
}

// Keys that the configuration gives are listed, and exchanged there.
func TestKeyCommandsWithGivenKeys(t *testing.T) {
	key := privatePEM(rsaKey(t, 2048))
	path := filepath.Join(t.TempDir(), "next.pem")
	if err := os.WriteFile(path, []byte(privatePEM(rsaKey(t, 2048))), 0o600); err != nil {
		t.Fatal(err)
	}
	g := gatewaytest.Start(t, gatewaytest.Config{
		Auth: "login dev\nsigning_key {\nnext " + path + "\n}", Site: storageSite2, Env: []string{"PRIVATE_KEY=" + key},
	})
	config := filepath.Join(g.State, "Caddyfile")
	list, err := g.Command("auth", "keys", "list", "--config", config)
	if err != nil || strings.Count(list, "configuration") != 2 || strings.Count(list, "next") != 1 || strings.Count(list, "session") != 1 {
		t.Errorf("%v\n%s", err, list)
	}
	if output, err := g.Command("auth", "keys", "rotate", "signing", "--config", config); err == nil || !strings.Contains(output, "the configuration gives the signing key") {
		t.Errorf("%v\n%s", err, output)
	}
	output, err := g.Command("auth", "keys", "rotate", "--config", config)
	if err != nil || !strings.Contains(output, "Note: the configuration gives the signing key") || strings.Count(output, "next") < 2 {
		t.Errorf("%v\n%s", err, output)
	}
}

// A storage that lacks a kind of key which the configuration leaves to it, such
// as just after signing_key has been taken out, is told of and no crash.
func TestKeyCommandsLackingAKind(t *testing.T) {
	given := gatewaytest.Config{Auth: "login dev", Site: storageSite2, Env: []string{"PRIVATE_KEY=" + privatePEM(rsaKey(t, 2048))}}
	g := gatewaytest.Start(t, given)
	g.Stop(t)
	config := filepath.Join(g.State, "Caddyfile")
	for _, args := range [][]string{{"list"}, {"list", "--public"}} {
		command := append(append([]string{"auth", "keys"}, args...), "--config", config)
		if output, err := g.Command(command...); err != nil || strings.Contains(output, "panic") {
			t.Errorf("%v: %v\n%s", args, err, output)
		}
		output, err := g.CommandWith([]string{"PRIVATE_KEY="}, command...)
		if err == nil || !strings.Contains(output, "there are no keys in Caddy's storage") {
			t.Errorf("%v without PRIVATE_KEY: %v\n%s", args, err, output)
		}
	}
}
