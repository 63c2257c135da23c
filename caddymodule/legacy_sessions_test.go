package caddymodule_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// Contract 1.2, S4: a session of the original service counts, however its key
// came here; permission tokens made of it open gates; and both are over when the
// switch is gone, not only when they are no longer remembered.
func TestLegacySessions(t *testing.T) {
	t.Parallel()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	key := privatePEM(private)
	file := filepath.Join(t.TempDir(), "private.pem")
	if err := os.WriteFile(file, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	upstream := gatewaytest.NewUpstream(t)
	config := func(signing, more string) gatewaytest.Config {
		return gatewaytest.Config{
			Env:  []string{"PRIVATE_KEY=" + strings.TrimSpace(key)},
			Auth: signing + "\nlogin dev\nservice storage static {\nuser ada@example.com read\n}\n" + more,
			Site: "auth_api\nrequire_permission storage read\nreverse_proxy " + upstream.Address(),
		}
	}
	until := "accept_legacy_sessions until " + time.Now().AddDate(0, 0, 2).Format(time.DateOnly)
	g := gatewaytest.Start(t, config("", until))
	ada := signIn(t, g, "ada")
	tokens := map[string]string{}
	for name, secret := range map[string]string{"with a line break": strings.TrimSpace(key) + "\n", "without": strings.TrimSpace(key)} {
		tokens[name] = legacySession(secret, ada.ID)
	}
	for how, signing := range map[string]string{
		"environment": "", "a file": "signing_key " + file, "a placeholder": "signing_key {file." + file + "}",
	} {
		g.Reload(t, config(signing, until))
		for name, session := range tokens {
			if answer := call(t, g, "/auth/check", "Auth-Token", session); !strings.Contains(answer.Body, `"authenticated":true`) {
				t.Errorf("%s, signed %s: %s", how, name, answer.Body)
			}
		}
	}
	session := tokens["without"]
	permission := permissionToken(t, g, session, "storage")
	if answer := call(t, g, "/x", "Auth-Token", permission); answer.Status != 200 {
		t.Errorf("a permission token of it: %d %s", answer.Status, answer.Body)
	}
	g.Reload(t, config("", ""))
	if answer := call(t, g, "/auth/check", "Auth-Token", session); !strings.Contains(answer.Body, `"authenticated":false`) {
		t.Errorf("without the switch: %s", answer.Body)
	}
	if answer := call(t, g, "/x", "Auth-Token", permission); answer.Status != 401 {
		t.Errorf("a permission token of it, without the switch: %d", answer.Status)
	}
}

// legacySession is a session token of the original service.
func legacySession(secret, userID string) string {
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"typ":"JWT","alg":"HS256"}`)) + "." + encode(fmt.Appendf(nil, `{"userid":%q,"exp":%d}`, userID, time.Now().Add(time.Hour).Unix()))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil))
}

// S41: base64 begins with "/" now and then, and is a key all the same, which no
// error shows.
func TestSessionKeysThatLookLikePaths(t *testing.T) {
	t.Parallel()
	key := "/" + strings.Repeat("Ab3+", 10) + "Ab0="
	for name, config := range map[string]gatewaytest.Config{
		"environment": {Env: []string{"SESSION_KEY=" + key}, Auth: "login dev\nsession_key {env.SESSION_KEY}", Site: "auth_api"},
	} {
		g := gatewaytest.Start(t, config)
		if session := signIn(t, g, "ada"); session.Token == "" {
			t.Errorf("%s: no session", name)
		}
		if strings.Contains(g.Output(), key) {
			t.Errorf("%s: the key is in the log", name)
		}
	}
	g := gatewaytest.New(t, gatewaytest.Config{Env: []string{"BAD_KEY=/not-a-key-" + key}, Auth: "login dev\nsigning_key {env.BAD_KEY}", Site: "auth_api"})
	file := filepath.Join(g.State, "Caddyfile")
	if err := os.WriteFile(file, []byte(g.Caddyfile()), 0o600); err != nil {
		t.Fatal(err)
	}
	output, err := g.Command("validate", "--config", file)
	if err == nil || strings.Contains(output, key) || !strings.Contains(output, "signing_key") {
		t.Errorf("%v\n%s", err, output)
	}
}
