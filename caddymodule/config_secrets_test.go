package caddymodule_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// S41: an error about the configuration ends in logs and in the terminals of
// others. It shows no password or key, neither of an address that it refuses nor
// a piece that an unquoted blank has cut off.
func TestWrongConfigurationsShowNoSecrets(t *testing.T) {
	for name, test := range map[string]struct {
		auth, env, want string
	}{
		"allow_next with a user":         {"allow_next https://u:HUNTER2@x.example.com", "", `allow_next "https://…@x.example.com" has user information`},
		"allow_next with a broken user":  {"allow_next https://u:HUN%TER2@x.example.com", "", "is not an address"},
		"allow_next with a query":        {"allow_next https://x.example.com/?token=HUNTER2", "", "a query"},
		"allow_next with a blank":        {"allow_next https://u:HUN TER2@x.example.com", "", "allow_next"},
		"ALLOWED_NEXT with a user":       {"login dev", "ALLOWED_NEXT=https://u:HUNTER2@x.example.com", `allow_next "https://…@x.example.com" has user information`},
		"default_next with a user":       {"default_next https://u:HUNTER2@x.example.com/", "", `default_next "https://…@x.example.com/"`},
		"default_next with a query":      {"default_next https://x.example.com/?jwt=HUNTER2", "", `default_next "https://x.example.com/…"`},
		"database with a blank":          {"database postgresql://u:HUNT ER2@h/db", "", "Caddyfile:11"},
		"database with a blank, counted": {"database postgresql://u:HUNT ER2@h/db", "", "database: found 2 values, expected one (quote a value with blanks)"},
		"database of another kind":       {"database oracle://u:HUNTER2@h/db", "", "oracle"},
		"database with a broken port":    {"database postgresql://u:HUNTER2@h:x/db", "", "database URL has a port"},
		"cache with a blank":             {"cache redis://u:HUNT ER2@h/0", "", "cache: found 2 values"},
		"cache with a question mark":     {"cache redis://u:HUN?TER2@h/0", "", "the Redis URL has an @"},
		"cache without a URL":            {"cache {\nprefix x\n}", "", "cache: found 0 values"},
		"session_key with a blank":       {"session_key HUNT ER2", "", "session_key: found 2 values"},
		"session_key in its block":       {"session_key {\nHUNTER2HUNTER2HUNTER2HUNTER2HUNTER2HUNTER2abc=\n}", "", "unrecognized option in the block of session_key; expected one of next, retired"},
		"session_key that is none":       {"session_key HUNTER2", "", "session_key"},
		"next session_key that is none":  {"session_key {\nnext HUNT ER2\n}", "", "session_key"},
		"signing_key with blanks":        {"signing_key -----BEGIN HUNTER2 KEY-----", "", "signing_key: found 3 values"},
		"signing_key that is none":       {"signing_key HUNTER2", "", "signing_key"},
		"public_key with blanks":         {"public_key -----BEGIN HUNTER2 KEY-----", "", "public_key: found 3 values"},
		"client_secret with a blank":     {"login github {\nclient_id x\nclient_secret HUNT ER2\n}", "", "found 2 values, expected one"},
		"issuer with a user":             {"login corp oidc {\nissuer https://u:HUNTER2@x.example.com\nclient_id x\nclient_secret x\n}", "", "issuer: found a URL with a user"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := gatewaytest.New(t, gatewaytest.Config{Auth: test.auth, Env: strings.Fields(test.env)})
			file := filepath.Join(g.State, "Caddyfile")
			if err := os.WriteFile(file, []byte(g.Caddyfile()), 0o600); err != nil {
				t.Fatal(err)
			}
			output, err := g.Command("validate", "--config", file)
			output = strings.ReplaceAll(output, `\"`, `"`)
			if err == nil || !strings.Contains(output, test.want) {
				t.Errorf("%v: no %q in\n%s", err, test.want, output)
			}
			for _, secret := range []string{"HUN", "TER2", "ER2@"} {
				if strings.Contains(output, secret) {
					t.Errorf("%q is shown:\n%s", secret, output)
				}
			}
		})
	}
	g := gatewaytest.New(t, gatewaytest.Config{ExternalAddress: "https://app.example.com/?token=HUNTER2"})
	file := filepath.Join(g.State, "Caddyfile")
	if err := os.WriteFile(file, []byte(g.Caddyfile()), 0o600); err != nil {
		t.Fatal(err)
	}
	if output, err := g.Command("validate", "--config", file); err == nil || strings.Contains(output, "HUNTER2") {
		t.Errorf("external_address with a query: %v\n%s", err, output)
	}
}
