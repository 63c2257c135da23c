package caddymodule_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// S39: what cannot be safe is refused, and the message says where, what was found
// and what was expected. That nothing listens then, TestNothingListensWithAWrongConfiguration
// shows.
func TestFailClosedConfigurations(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const google = "login google {\nclient_id x\nclient_secret y\n}"
	for name, test := range map[string]struct {
		auth, site string
		env        []string
		want       []string
	}{
		// Empty lists and values
		"empty allow_next":               {auth: "allow_next", want: []string{"Caddyfile:1", "allow_next"}},
		"allow_next of nothing":          {auth: `allow_next ""`, want: []string{"Caddyfile:1", "allow_next"}},
		"allow_next of everything":       {auth: "allow_next *", want: []string{"Caddyfile:1", "allow_next"}},
		"allow_next of every host":       {auth: "allow_next https://*", want: []string{"Caddyfile:1", "allow_next"}},
		"allow_next of an unset name":    {auth: "allow_next {env.AUTH_TEST_UNSET}", want: []string{"AUTH_TEST_UNSET"}},
		"no client ID":                   {auth: "login google {\nclient_secret y\n}", want: []string{"google", "client_id"}},
		"client secret of an unset name": {auth: "login google {\nclient_id x\nclient_secret {env.AUTH_TEST_UNSET}\n}", want: []string{"google", "client_secret"}},
		"client secret in no file":       {auth: "login google {\nclient_id x\nclient_secret {file." + dir + "/missing}\n}", want: []string{"google", "client_secret"}},
		"session key of an unset name":   {auth: "session_key {env.AUTH_TEST_UNSET}", want: []string{"session_key", "AUTH_TEST_UNSET"}},
		"empty key file":                 {auth: "signing_key " + write("empty.pem", ""), want: []string{"signing_key"}},
		"half a key":                     {auth: "signing_key " + write("half.pem", privatePEM(rsaKey(t, 2048))[:400]), want: []string{"signing_key"}},
		"no permission":                  {auth: "service storage static", site: "require_permission storage {\nany\n}", want: []string{"any"}},
		// The original's environment
		"unknown old service":   {env: []string{"ALLOWED_SERVICES=storage:my.python.module"}, want: []string{"ALLOWED_SERVICES", "my.python.module"}},
		"unknown old extension": {env: []string{"INSTALLED_EXTENSIONS=datahub_emails"}, want: []string{"INSTALLED_EXTENSIONS", "datahub_emails"}},
		"old key that is none":  {env: []string{"PRIVATE_KEY=secret-but-no-key"}, want: []string{"signing_key", "no PEM block"}},
		"old database":          {env: []string{"DATABASE_URL=mongodb://user:hush@db/x"}, want: []string{"database", "no known kind", "mongodb://"}},
		"old allow list":        {env: []string{"ALLOWED_NEXT=javascript:alert(1)"}, want: []string{"allow_next", "expected an origin"}},
		// Modules
		"unknown extension":     {auth: "extension webhok https://a.example", want: []string{"Caddyfile:1", "webhok"}},
		"unknown database kind": {auth: "database redis://x", want: []string{"Caddyfile:1", "database"}},
		"no external address":   {auth: google, site: "require_login {\npaths lenient extra\n}", want: []string{"Caddyfile"}},
		// Numbers
		"negative stale_if_error": {auth: "stale_if_error -5s", want: []string{"Caddyfile:1", "stale_if_error", "expected a duration"}},
		"endless session":         {auth: "session {\nlifetime 0s\n}", want: []string{"lifetime"}},
		"backwards session":       {auth: "session {\nlifetime -1h\n}", want: []string{"lifetime"}},
		"tokens for ever":         {auth: "token_lifetime 0", want: []string{"token_lifetime"}},
		"limit of nothing":        {auth: "rate_limits {\nlogin 0 0\n}", want: []string{"login"}},
		// Structure
		"open brace":       {auth: "login google {", want: []string{"Caddyfile"}},
		"two auth blocks":  {auth: "}\nauth {", want: []string{"auth"}},
		"a gate in auth":   {auth: "require_login", want: []string{"Caddyfile:1", "require_login"}},
		"option elsewhere": {site: "allow_next https://a.example", want: []string{"allow_next"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := gatewaytest.New(t, gatewaytest.Config{Auth: test.auth, Site: "auth_api\n" + test.site, Env: test.env})
			file := filepath.Join(g.State, "Caddyfile")
			if err := os.WriteFile(file, []byte(g.Caddyfile()), 0o600); err != nil {
				t.Fatal(err)
			}
			wantRefused(t, g, test.want, "validate", "--config", file)
		})
	}
	t.Run("unwritable data directory", func(t *testing.T) {
		g := gatewaytest.New(t, gatewaytest.Config{Auth: "login dev", Site: "auth_api"})
		if err := os.WriteFile(g.State+"/data", nil, 0o600); err != nil { // root writes to any folder
			t.Fatal(err)
		}
		file := filepath.Join(g.State, "Caddyfile")
		if err := os.WriteFile(file, []byte(g.Caddyfile()), 0o600); err != nil {
			t.Fatal(err)
		}
		wantRefused(t, g, []string{g.State + "/data", "not a directory"}, "validate", "--config", file)
	})
	for name, test := range map[string]struct {
		json string
		want []string
	}{
		"unknown member":   {`{"apps":{"auth":{"external_adress":"https://a.example"}}}`, []string{"external_adress"}},
		"wrong type":       {`{"apps":{"auth":{"allow_next":"https://a.example"}}}`, []string{"allow_next"}},
		"unknown require":  {`{"apps":{"auth":{"external_address":"https://a.example"},"http":{"servers":{"a":{"listen":["127.0.0.1:0"],"routes":[{"handle":[{"handler":"auth_gate","require":"nothing"}]}]}}}}}`, []string{"nothing", "expected identity, login or permission"}},
		"no require":       {`{"apps":{"auth":{"external_address":"https://a.example"},"http":{"servers":{"a":{"listen":["127.0.0.1:0"],"routes":[{"handle":[{"handler":"auth_gate"}]}]}}}}}`, []string{"require", "expected identity, login or permission"}},
		"no permissions":   {`{"apps":{"auth":{"external_address":"https://a.example","services":[{"name":"s","provider":{"source":"static"}}]},"http":{"servers":{"a":{"listen":["127.0.0.1:0"],"routes":[{"handle":[{"handler":"auth_gate","require":"permission","service":"s"}]}]}}}}}`, []string{"permission"}},
		"gate without app": {`{"apps":{"http":{"servers":{"a":{"listen":["0.0.0.0:0"],"routes":[{"handle":[{"handler":"auth_gate","require":"login"}]}]}}}}}`, []string{"external_address"}},
		"cut off":          {`{"apps":{"auth":`, []string{"JSON"}},
	} {
		t.Run("JSON, "+name, func(t *testing.T) {
			g := gatewaytest.New(t, gatewaytest.Config{})
			file := filepath.Join(g.State, "caddy.json")
			if err := os.WriteFile(file, []byte(test.json), 0o600); err != nil {
				t.Fatal(err)
			}
			wantRefused(t, g, test.want, "validate", "--config", file)
		})
	}
}

// wantRefused checks that a gateway does not start, and what it says.
func wantRefused(t *testing.T, g *gatewaytest.Gateway, want []string, args ...string) {
	t.Helper()
	output, err := g.Command(args...)
	if err == nil {
		t.Fatalf("it was accepted:\n%s", output)
	}
	output = strings.ReplaceAll(output, `\"`, `"`)
	for _, text := range want {
		if !strings.Contains(output, text) {
			t.Errorf("no %q in:\n%s", text, output)
		}
	}
	for _, bad := range []string{"panic", "goroutine", "PRIVATE KEY", "hush", "secret-but-no-key", "serving initial configuration"} {
		if strings.Contains(output, bad) {
			t.Errorf("%q is in:\n%s", bad, output)
		}
	}
}
