package github

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/datahq/auth-gateway/providers/providertest/fakegithub"
)

func TestModuleIsRegistered(t *testing.T) {
	info, err := caddy.GetModule("auth.identity_providers.github")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := info.New().(*Provider); !ok {
		t.Errorf("it makes a %T", info.New())
	}
}

// Contract 1.3: the original's variables are the defaults, both or none.
func TestEnvironment(t *testing.T) {
	t.Setenv("GITHUB_KEY", "from-key")
	t.Setenv("GITHUB_SECRET", "hunter2")
	p := new(Provider)
	provision(t, p)
	if p.clientID != "from-key" || p.secret() != "hunter2" {
		t.Errorf("client %q, secret %q", p.clientID, p.secret())
	}
	// The adapted configuration keeps the placeholder and nothing resolved.
	dump, err := json.Marshal(p)
	if err != nil || strings.Contains(string(dump), "hunter2") || !strings.Contains(string(dump), "{env.GITHUB_SECRET}") {
		t.Errorf("configuration %s, %v", dump, err)
	}

	half := &Provider{ClientID: "written"}
	if err := half.Provision(caddy.Context{}); err != nil {
		t.Fatal(err)
	}
	if err := half.Validate(); err == nil || !strings.Contains(err.Error(), "client_secret: found nothing") {
		t.Errorf("a client_id alone: %v; it must not go with the secret of the environment", err)
	}
}

func TestNoEnvironment(t *testing.T) {
	t.Setenv("GITHUB_KEY", "")
	t.Setenv("GITHUB_SECRET", "")
	err := new(Provider).Provision(caddy.Context{})
	if err == nil || !strings.Contains(err.Error(), "client_id: evaluated placeholder {env.GITHUB_KEY} is empty") {
		t.Errorf("error %v", err)
	}
}

func TestSecretComesFrom(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for written, want := range map[string]string{"literal": "literal", "{file." + file + "}": "from-file"} {
		p := &Provider{ClientID: "c", ClientSecret: written}
		provision(t, p)
		if got := p.secret(); got != want {
			t.Errorf("%s: %q, want %q", written, got, want)
		}
	}
	err := (&Provider{ClientID: "c", ClientSecret: "hunter2{hunter2}"}).Provision(caddy.Context{})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %v, want one with nothing of the secret", err)
	}
}

// S41, S45: the secret is in no error and in nothing that can be printed or
// logged; neither are verifier, code, token and the person's addresses.
func TestNothingSecretIsTold(t *testing.T) {
	const address = "ada.unmistakable@example.com"
	w := newWorld(t, fakegithub.Config{Delay: time.Millisecond})
	var logs bytes.Buffer
	logger := zap.New(zapcore.NewCore(
		zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(&logs), zapcore.DebugLevel))
	for _, v := range []any{w.Provider, *w.Provider} {
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
	person.Emails = fakegithub.Verified(address)
	errs := 0
	check := func(t *testing.T, faults ...fakegithub.Fault) {
		t.Helper()
		w.github.Next(person, faults...)
		private, query := w.browse(t)
		who, err := w.HandleCallback(t.Context(), redirectURI, private, query)
		if text := fmt.Sprintf("%+v", who); strings.Contains(text, "gho_") {
			t.Errorf("%v: the token is in the identity", faults)
		}
		if err != nil {
			errs++
		}
		a, parseErr := parseAttempt(private)
		if parseErr != nil {
			t.Fatal(parseErr)
		}
		for ; err != nil; err = unwrap(err) {
			for _, secret := range []string{testSecret, a.Verifier, query.Get("code"), address, "gho_"} {
				for _, verb := range []string{"%v", "%+v", "%#v"} {
					if text := fmt.Sprintf(verb, err); secret != "" && strings.Contains(text, secret) {
						t.Errorf("%v: %q is in the error %q", faults, secret, text)
					}
				}
			}
		}
	}
	for _, fault := range fakegithub.Faults() {
		check(t, fault)
	}
	for _, failure := range fakegithub.Failures() {
		for _, endpoint := range []fakegithub.Endpoint{fakegithub.AccessToken, fakegithub.User, fakegithub.Emails} {
			w.github.Break(endpoint, failure)
			check(t)
			w.github.Break(endpoint, "")
		}
	}
	if errs < 50 {
		t.Errorf("only %d errors were looked at", errs)
	}
}

// unwrap goes down to the cause, past errors that join several.
func unwrap(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		causes := joined.Unwrap()
		return causes[len(causes)-1]
	}
	return errors.Unwrap(err)
}
