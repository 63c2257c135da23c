package caddymodule_test

import (
	"crypto"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/internal/token"
)

// S2, S43: an exchange by configuration: first the new key is next, then it
// signs and the old one is retired, then the old one goes. Retired needs no
// private key.
func TestRotationByConfiguration(t *testing.T) {
	dir := t.TempDir()
	old, fresh := rsaKey(t, 2048), rsaKey(t, 2048)
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	oldFile, oldPublic, freshFile := write("old.pem", privatePEM(old)), write("old.pub", publicPEM(t, old)), write("fresh.pem", privatePEM(fresh))
	session := func() string {
		key, err := token.GenerateSessionKey()
		if err != nil {
			t.Fatal(err)
		}
		return string(key.Text())
	}
	oldSession, freshSession := write("old.session", session()), write("fresh.session", session())
	config := func(keys string) gatewaytest.Config {
		return gatewaytest.Config{Auth: "login dev\nservice storage static {\neveryone read\n}\n" + keys, Site: storageSite}
	}
	g := gatewaytest.Start(t, config("signing_key "+oldFile+" {\nnext "+freshFile+"\n}\nsession_key "+oldSession+" {\nnext "+freshSession+"\n}"))
	ada := signIn(t, g, "ada")
	first := permissionToken(t, g, ada.Token, "storage")
	header, claims := decoded(t, first)
	accepted := func(when, path, token string, want int) {
		t.Helper()
		if answer := call(t, g, path, "Auth-Token", token); answer.Status != want {
			t.Errorf("%s: %s: %d, want %d", when, path, answer.Status, want)
		}
	}
	published := func(when string, count int, pem string) {
		t.Helper()
		if set := call(t, g, "/auth/jwks.json").Body; strings.Count(set, `"kid"`) != count || strings.Contains(set, `"d"`) {
			t.Errorf("%s: %s", when, set)
		}
		if body := call(t, g, "/auth/public-key").Body; body != pem {
			t.Errorf("%s: public-key shows\n%s", when, body)
		}
	}
	published("next", 2, publicPEM(t, old))
	// S2: without a kid, only the key that signs is tried.
	bare := header.with(object{"kid": nil})
	bareOld, bareFresh := mint(bare, claims, rs(old, crypto.SHA256)), mint(bare, claims, rs(fresh, crypto.SHA256))
	accepted("next, no kid, active key", "/storage/", bareOld, http.StatusOK)
	accepted("next, no kid, next key", "/storage/", bareFresh, http.StatusUnauthorized)

	g.Reload(t, config("signing_key "+freshFile+" {\nretired "+oldPublic+"\n}\nsession_key "+freshSession+" {\nretired "+oldSession+"\n}"))
	published("retired", 2, publicPEM(t, fresh))
	accepted("retired", "/storage/", first, http.StatusOK)
	accepted("retired", "/", ada.Token, http.StatusOK)
	accepted("retired, no kid, retired key", "/storage/", bareOld, http.StatusUnauthorized)
	accepted("retired, no kid, active key", "/storage/", bareFresh, http.StatusOK)
	second := permissionToken(t, g, ada.Token, "storage")
	accepted("retired, new token", "/storage/", second, http.StatusOK)

	g.Reload(t, config("signing_key "+freshFile+"\nsession_key "+freshSession))
	published("gone", 1, publicPEM(t, fresh))
	accepted("gone", "/storage/", first, http.StatusUnauthorized)
	accepted("gone", "/", ada.Token, http.StatusUnauthorized)
	accepted("gone, new token", "/storage/", second, http.StatusOK)
}

// What the first version of the gateway kept in Caddy's storage goes on.
func TestKeysOfTheFirstVersionGoOn(t *testing.T) {
	g := gatewaytest.New(t, gatewaytest.Config{Auth: "login dev", Site: storageSite2})
	dir := filepath.Join(g.State, "data", "caddy", "auth")
	key := rsaKey(t, 2048)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "signing_key.pem"), []byte(privatePEM(key)), 0o600); err != nil {
		t.Fatal(err)
	}
	g.Run(t)
	if body := call(t, g, "/auth/public-key").Body; body != publicPEM(t, key) {
		t.Errorf("public-key shows\n%s", body)
	}
	if string(storedKey(t, g, "signing")) != privatePEM(key) || len(storedKey(t, g, "session")) == 0 {
		t.Error("the keys were not taken over")
	}
}
