package caddymodule_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// A wrong configuration is refused by "validate" and by "run" before anything
// listens, with a message that says where, what was found and what was
// expected.
func TestWrongConfigurations(t *testing.T) {
	dir := t.TempDir()
	weak, strong, other := rsaKey(t, 1024), rsaKey(t, 2048), rsaKey(t, 2048)
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	notADir := write("file", "")
	strongFile := write("strong.pem", privatePEM(strong))
	tests := []struct {
		name, auth, site string
		want             []string
	}{
		// Words
		{"unknown option", "extrenal_address https://a.example", "", []string{"Caddyfile:11", `unrecognized option "extrenal_address"`, "did you mean external_address?"}},
		{"option twice", "path /a\npath /b", "", []string{"path is there twice"}},
		{"unknown identity provider", "login gogle", "", []string{"Caddyfile:11", `unknown identity provider "gogle"`, "did you mean google?"}},
		{"unknown identity provider under a name", "login corp oicd", "", []string{`unknown identity provider "oicd"`, "did you mean oidc?"}},
		{"bad login name", "login Corp oidc", "", []string{`login name "Corp" is not plain`}},
		{"login twice", "login dev\nlogin dev", "", []string{"login dev is configured twice"}},
		{"unknown option of a provider", "login corp oidc {\nisuer https://a.example\n}", "", []string{"isuer", "did you mean", "issuer"}},
		{"provider without issuer", "login corp oidc {\nclient_id x\n}", "", []string{"login corp", "issuer"}},
		{"unknown permission provider", "service storage statik", "", []string{`unknown permission provider "statik"`, "did you mean static?"}},
		{"no permission provider", "service storage", "", []string{"service storage has no permission provider"}},
		{"service twice", "service a static\nservice a static", "", []string{"service a is configured twice"}},
		{"bad duration", "session {\nlifetime soon\n}", "", []string{`lifetime is "soon"`, "expected a duration"}},
		{"lifetime of an unknown service", "service storage static\ntoken_lifetime storge 1h", "", []string{`unknown service "storge"`, "did you mean storage?"}},
		{"bad switch", "loopback_next maybe", "", []string{`loopback_next is "maybe"; expected on or off`}},
		{"errors", "errors show", "", []string{"Caddyfile:11", `errors is "show"; expected handle`}},
		{"bad path", "path auth/", "", []string{"Caddyfile:11", `path "auth/" is not a plain path`}},

		// Addresses
		{"http allow_next", "allow_next http://frontend.example.com", "", []string{"Caddyfile:11", "plain http"}},
		{"allow_next with a query", "allow_next https://a.example/?x", "", []string{"query"}},
		{"default_next elsewhere", "default_next https://a.example/", "", []string{"default_next", "the host a.example is not listed"}},

		// Keys
		{"unreadable key", "signing_key " + filepath.Join(dir, "missing.pem"), "", []string{"signing_key", "no such file"}},
		{"not a key", "signing_key " + notADir, "", []string{"signing_key"}},
		{"empty variable", "signing_key {env.AUTH_TEST_UNSET}", "", []string{"signing_key", "AUTH_TEST_UNSET"}},
		{"key under 2048 bits", "signing_key " + write("weak.pem", privatePEM(weak)), "", []string{"signing_key", "1024", "2048"}},
		{"public key of another", "signing_key " + strongFile + "\npublic_key " + write("other.pem", publicPEM(t, other)), "", []string{"signing_key", "does not belong to the private key"}},
		{"public key alone", "public_key " + write("public.pem", publicPEM(t, strong)), "", []string{"no signing_key"}},
		{"session key too short", "session_key c2hvcnQ=", "", []string{"session_key", "32"}},
		{"session key is the PEM (O1)", "session_key " + strongFile, "", []string{"session_key"}},

		// Database
		{"database is a folder", "database sqlite:///" + dir, "", []string{"database", dir}},
		{"database below a file", "database sqlite:///" + notADir + "/auth.db", "", []string{"database", notADir}},
		{"database of another kind", "database oracle://x/y", "", []string{"Caddyfile:11", "oracle"}},

		// Gates
		{"unknown service", "service storage static", "require_permission storge read", []string{`unknown service "storge"`, "did you mean storage?", "Caddyfile:16"}},
		{"no service at all", "", "require_permission storage read", []string{`unknown service "storage"`, `add "service storage <provider>"`}},
		{"no permission", "service storage static", "require_permission storage", []string{"names no permission"}},
		{"login with an argument", "", "require_login storage", []string{`require_login has an argument "storage"`}},
		{"option of another gate", "", "require_login {\nforward_token\n}", []string{`unrecognized option "forward_token"`}},
		{"misspelt option", "service storage static", "require_permission storage read {\nqery_token\n}", []string{"did you mean query_token?"}},
		{"option twice", "", "identify {\nquery_token\nquery_token\n}", []string{"query_token is there twice"}},
		{"bad paths", "", "identify {\npaths strict\n}", []string{`paths is followed by "strict"; expected lenient`}},
		{"forward_token takes an identity header", "service storage static", "require_permission storage read {\nforward_token X-Auth-Email\n}", []string{"X-Auth-Email", "identity header"}},
		{"auth_api with a path", "", "auth_api /auth {\nfoo\n}", []string{`unrecognized option "foo" of auth_api`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := gatewaytest.New(t, gatewaytest.Config{Auth: test.auth, Site: test.site})
			file := filepath.Join(g.State, "Caddyfile")
			if err := os.WriteFile(file, []byte(g.Caddyfile()), 0o600); err != nil {
				t.Fatal(err)
			}
			output, err := g.Command("validate", "--config", file)
			if err == nil {
				t.Fatalf("it was accepted:\n%s", g.Caddyfile())
			}
			output = strings.ReplaceAll(output, `\"`, `"`)
			for _, want := range test.want {
				if !strings.Contains(output, want) {
					t.Errorf("no %q in:\n%s", want, output)
				}
			}
			if strings.Contains(output, "PRIVATE KEY") || strings.Contains(output, "panic") {
				t.Errorf("the output tells too much:\n%s", output)
			}
		})
	}
}

func TestWrongExternalAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"http://app.example.com":      "plain http",
		"https://app.example.com/app": "has a path",
		"https://user@app.example":    "user information",
		"https://app.example?x":       "query",
		"ftp://app.example":           `the scheme "ftp"`,
		"https://":                    "expected an origin",
		"https://app.example:0":       `port "0"`,
		"https://exa_mple..com":       "host",
	} {
		g := gatewaytest.New(t, gatewaytest.Config{})
		file := filepath.Join(g.State, "Caddyfile")
		text := fmt.Sprintf("{\n\tauth {\n\t\texternal_address %s\n\t}\n}\n:0 {\n\tauth_api\n}\n", address)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		output, err := g.Command("validate", "--config", file)
		output = strings.ReplaceAll(output, `\"`, `"`)
		if err == nil || !strings.Contains(output, want) || !strings.Contains(output, "Caddyfile:3") {
			t.Errorf("%s: %v, want %q at line 3:\n%s", address, err, want, output)
		}
	}
}

// Ruling 17: without external_address the listeners tell, if all of them are on
// loopback. Caddy provisions apps in random order, hence the repetitions.
func TestExternalAddressOfLoopbackListeners(t *testing.T) {
	for range 4 {
		g := gatewaytest.New(t, gatewaytest.Config{})
		file := filepath.Join(g.State, "Caddyfile")
		for bind, ok := range map[string]bool{"127.0.0.1": true, "127.0.0.1 [::1]": true, "0.0.0.0": false, "127.0.0.1 0.0.0.0": false} {
			text := fmt.Sprintf("{\n\tdefault_bind %s\n\tauth {\n\t\tlogin dev\n\t}\n}\nhttp://localhost:8080 {\n\tauth_api\n}\n", bind)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			output, err := g.Command("validate", "--config", file)
			if (err == nil) != ok {
				t.Errorf("bind %s: %v\n%s", bind, err, output)
			}
			if !ok && !strings.Contains(output, "external_address is missing") {
				t.Errorf("bind %s:\n%s", bind, output)
			}
		}
	}
}

// What is wrong is told before anything listens, also when running.
func TestNothingListensWithAWrongConfiguration(t *testing.T) {
	for _, auth := range []string{"signing_key /nonexistent/key.pem", "database sqlite:////proc/auth/auth.db", "login corp oidc"} {
		g := gatewaytest.New(t, gatewaytest.Config{Auth: auth, Site: "auth_api"})
		file := filepath.Join(g.State, "Caddyfile")
		if err := os.WriteFile(file, []byte(g.Caddyfile()), 0o600); err != nil {
			t.Fatal(err)
		}
		output, err := g.Command("run", "--config", file)
		if err == nil {
			t.Errorf("%s: it ran:\n%s", auth, output)
		}
		if strings.Contains(output, "server running") {
			t.Errorf("%s: a server was running before the error:\n%s", auth, output)
		}
		if connection, err := net.Dial("tcp", g.Address); err == nil {
			connection.Close()
			t.Errorf("%s: something listens", auth)
		}
	}
}

// Secrets that come by placeholder stay placeholders in the configuration that
// the admin API shows (S43).
func TestSecretsStayOutOfTheConfiguration(t *testing.T) {
	g := gatewaytest.New(t, gatewaytest.Config{
		Auth: "login corp oidc {\nissuer https://login.example.com\nclient_id gateway\nclient_secret {env.CORP_SECRET}\n}\nsigning_key {env.CORP_KEY}",
		Site: "auth_api",
		Env:  []string{"CORP_SECRET=very-secret-value", "CORP_KEY=" + privatePEM(rsaKey(t, 2048))},
	})
	file := filepath.Join(g.State, "Caddyfile")
	if err := os.WriteFile(file, []byte(g.Caddyfile()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"adapt", "validate"} {
		output, err := g.Command(verb, "--config", file)
		if err != nil || strings.Contains(output, "very-secret-value") || strings.Contains(output, "BEGIN") {
			t.Errorf("%s: %v\n%s", verb, err, output)
		}
	}
}

func rsaKey(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	t.Setenv("GODEBUG", "rsa1024min=0")
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func privatePEM(key *rsa.PrivateKey) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

func publicPEM(t *testing.T, key *rsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}
