package oidc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

func TestSecretComesFrom(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("OIDC_TEST_SECRET", "from-env")
	for written, want := range map[string]string{
		"literal": "literal", "{env.OIDC_TEST_SECRET}": "from-env", "{file." + file + "}": "from-file", "": "",
		`with\{braces\}`: "with{braces}",
	} {
		p := &Provider{Issuer: "https://idp.example", ClientID: "c", ClientSecret: written}
		provision(t, p)
		if got := p.secret(); got != want {
			t.Errorf("%s: %q, want %q", written, got, want)
		}
		if p.ClientSecret != written {
			t.Errorf("%s: the configuration has become %q", written, p.ClientSecret)
		}
	}
}

func TestSecretThatCannotBeRead(t *testing.T) {
	for written, want := range map[string]string{
		"{env.NO_SUCH_VARIABLE}":  "{env.NO_SUCH_VARIABLE} is empty",
		"{file./no/such/file}":    "{file./no/such/file} is empty",
		"hunter2{hunter2}":        "client_secret: found a placeholder",
		"{hunter2}":               "client_secret: found a placeholder",
		"hunter2{env.NO_SUCH_ONE": "",
	} {
		p := &Provider{Issuer: "https://idp.example", ClientID: "c", ClientSecret: written}
		err := p.Provision(caddy.Context{})
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", written, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: error %v, want one with %q and nothing of the secret", written, err, want)
		}
	}
}

// S41: the secret is in no error and in nothing that can be printed or logged;
// neither are verifier, nonce, code, state and the person's address.
func TestNothingSecretIsTold(t *testing.T) {
	const address = "ada.unmistakable@example.com"
	w := newWorld(t, fakeidp.Config{})
	g := &Google{Provider{Issuer: w.idp.Issuer(), ClientID: testClientID, ClientSecret: testSecret}}
	provision(t, g)

	var logs bytes.Buffer
	logger := zap.New(zapcore.NewCore(
		zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(&logs), zapcore.DebugLevel))
	for _, v := range []any{w.Provider, *w.Provider, g, *g, &g.Provider} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, testSecret) {
				t.Errorf("%s of %T shows the secret: %s", verb, v, text)
			}
		}
		logger.Info("loaded", zap.Any("provider", v))
		logger.Sugar().Infof("%+v", v)
	}
	if logs.Len() == 0 || strings.Contains(logs.String(), testSecret) {
		t.Errorf("the log shows the secret, or nothing: %s", logs.String())
	}

	person := ada
	person.Email = address
	for _, fault := range fakeidp.Faults() {
		if fault == fakeidp.Slow {
			continue // it would take its time and succeed
		}
		w.idp.Next(person, fault)
		private, query := w.browse(t)
		_, err := w.HandleCallback(t.Context(), redirectURI, private, query)
		if err == nil {
			continue
		}
		a, parseErr := parseAttempt(private)
		if parseErr != nil {
			t.Fatal(parseErr)
		}
		for _, secret := range []string{testSecret, a.Verifier, a.Nonce, query.Get("code"), address} {
			for ; err != nil && secret != ""; err = errors.Unwrap(err) {
				if text := fmt.Sprintf("%+v", err); strings.Contains(text, secret) {
					t.Errorf("%s: %q is in the error %q", fault, secret, text)
				}
			}
		}
	}
}

// The adapted configuration keeps the placeholder and nothing resolved.
func TestPlaceholderStaysInTheConfiguration(t *testing.T) {
	t.Setenv("OIDC_TEST_SECRET", "hunter2")
	p := &Provider{Issuer: "https://idp.example", ClientID: "c", ClientSecret: "{env.OIDC_TEST_SECRET}"}
	provision(t, p)
	dump, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(dump), "hunter2") || !strings.Contains(string(dump), "{env.OIDC_TEST_SECRET}") {
		t.Errorf("configuration %s", dump)
	}
}
