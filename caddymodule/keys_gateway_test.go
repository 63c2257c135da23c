package caddymodule_test

import (
	"context"
	"crypto"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/internal/token"
)

// storedKey is the only key of a kind, "signing" or "session", in a gateway's
// storage.
func storedKey(t *testing.T, g *gatewaytest.Gateway, kind string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(g.State, "data", "caddy", "auth", "keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]json.RawMessage
	var keys []struct{ Key string }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(file[kind], &keys); err != nil || len(keys) != 1 {
		t.Fatalf("%d %s keys, %v", len(keys), kind, err)
	}
	return []byte(keys[0].Key)
}

// pemLines are the lines between those that begin and end a PEM.
func pemLines(text []byte) (lines []string) {
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "-----") {
			lines = append(lines, line)
		}
	}
	return lines
}

// twins prepares two gateways that are one for their users: one address, one
// database and, if config names no other, one storage.
func twins(t *testing.T, config gatewaytest.Config) (a, b *gatewaytest.Gateway) {
	t.Helper()
	dir := t.TempDir()
	config.Auth += "\ndatabase sqlite:///" + filepath.Join(dir, "auth.db")
	if config.Global == "" {
		config.Global = "storage file_system " + filepath.Join(dir, "storage")
	}
	a, b = gatewaytest.New(t, config), gatewaytest.New(t, config)
	b.URL = a.URL
	return a, b
}

// balanced is a client of which each request goes to one of the gateways, as a
// load balancer sends it.
func balanced(t *testing.T, gateways ...*gatewaytest.Gateway) *http.Client {
	t.Helper()
	var turn atomic.Int64
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		g := gateways[int(turn.Add(1))%len(gateways)]
		return new(net.Dialer).DialContext(ctx, network, g.Address)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

// ask is one request; token may be "".
func ask(client *http.Client, address, token string) (status int, body string, err error) {
	request, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return 0, "", err
	}
	if token != "" {
		request.Header.Set("Auth-Token", token)
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if so() {
			return
		}
	}
	t.Fatal("it never came to be: " + what)
}

const storageSite = "auth_api\nhandle /storage/* {\nrequire_permission storage read\nrespond ok\n}\nhandle {\nrequire_login\nrespond ok\n}"

// S43, S2: both keys are exchanged at two gateways while requests go on: none
// fails, whichever gateway made the token and whichever sees it.
func TestRotationAtTwoGateways(t *testing.T) {
	t.Parallel()
	a, b := twins(t, gatewaytest.Config{Auth: "login dev\nrate_limits off\nservice storage static {\neveryone read\n}", Site: storageSite})
	a.Run(t)
	b.Run(t)
	ada := signIn(t, a, "ada")
	permission := permissionToken(t, a, ada.Token, "storage")
	atA, atB, either := balanced(t, a), balanced(t, b), balanced(t, a, b)
	old := map[string]string{}
	for _, path := range []string{"public-key", "jwks.json"} {
		_, atOne, _ := ask(atA, a.URL+"/auth/"+path, "")
		_, atOther, err := ask(atB, a.URL+"/auth/"+path, "")
		if err != nil || atOne != atOther {
			t.Fatalf("%s differs: %v\n%s\n%s", path, err, atOne, atOther)
		}
		old[path] = atOne
	}

	var served, failed atomic.Int64
	var firstFailure atomic.Value
	stop := make(chan struct{})
	var load sync.WaitGroup
	request := func(client *http.Client, path, token string) string {
		status, body, err := ask(client, a.URL+path, token)
		if err != nil || status != http.StatusOK {
			failed.Add(1)
			firstFailure.CompareAndSwap(nil, fmt.Sprint(path, " ", status, " ", body, " ", err))
		}
		served.Add(1)
		return body
	}
	for range 2 {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(20 * time.Millisecond):
				}
				request(either, "/storage/", permission)
				request(either, "/", ada.Token)
				// Minted at one gateway and shown to the other in the same moment.
				var minted struct{ Token string }
				_ = json.Unmarshal([]byte(request(either, "/auth/authorize?service=storage", ada.Token)), &minted)
				request(either, "/storage/", minted.Token)
				request(either, "/storage/", minted.Token)
			}
		})
	}
	output, err := a.Command("auth", "keys", "rotate", "--now", "--config", filepath.Join(a.State, "Caddyfile"))
	if err != nil || strings.Count(output, "next") < 2 || strings.Contains(output, "PRIVATE KEY") {
		t.Fatalf("%v\n%s", err, output)
	}
	for _, client := range []*http.Client{atA, atB} {
		eventually(t, "the next key is published", func() bool {
			_, set, _ := ask(client, a.URL+"/auth/jwks.json", "")
			return strings.Count(set, `"kid"`) == 2
		})
	}
	for _, client := range []*http.Client{atA, atB} {
		eventually(t, "the next key signs", func() bool {
			_, pem, _ := ask(client, a.URL+"/auth/public-key", "")
			return pem != "" && pem != old["public-key"]
		})
	}
	until := served.Load() + 100
	eventually(t, "requests go on", func() bool { return served.Load() > until })
	fresh := signIn(t, a, "bob")
	request(atB, "/", fresh.Token)
	close(stop)
	load.Wait()
	if failed.Load() > 0 {
		t.Errorf("%d of %d requests failed: %v", failed.Load(), served.Load(), firstFailure.Load())
	}
	for name, pair := range map[string][2]string{
		"permission": {permission, permissionToken(t, a, ada.Token, "storage")}, "session": {ada.Token, fresh.Token},
	} {
		before, _ := decoded(t, pair[0])
		after, _ := decoded(t, pair[1])
		if before["kid"] == after["kid"] {
			t.Errorf("%s tokens are signed with the old key", name)
		}
	}
	if output, err := a.Command("auth", "keys", "list", "--config", filepath.Join(a.State, "Caddyfile")); err != nil || strings.Count(output, "active") != 2 || strings.Count(output, "retired") != 2 {
		t.Errorf("%v\n%s", err, output)
	}
}

// S43: a key has leaked and is taken out. What was made with it ends at all
// gateways, remembered or not; people stay signed in.
func TestDroppedKeysEndTheirTokens(t *testing.T) {
	t.Parallel()
	a, b := twins(t, gatewaytest.Config{Auth: "login dev\nrate_limits off\nservice storage static {\neveryone read\n}", Site: storageSite})
	a.Run(t)
	b.Run(t)
	ada := signIn(t, a, "ada")
	permission := permissionToken(t, a, ada.Token, "storage")
	clients := []*http.Client{balanced(t, a), balanced(t, b)}
	for _, client := range clients {
		for path, token := range map[string]string{"/": ada.Token, "/storage/": permission} {
			if status, body, err := ask(client, a.URL+path, token); err != nil || status != http.StatusOK {
				t.Fatalf("%s: %d %s %v", path, status, body, err)
			}
		}
	}
	output, err := a.Command("auth", "keys", "rotate", "--now", "--drop-old", "--config", filepath.Join(a.State, "Caddyfile"))
	if err != nil || !strings.Contains(output, "Warning: tokens of the old keys end") {
		t.Fatalf("%v\n%s", err, output)
	}
	for _, client := range clients {
		for path, token := range map[string]string{"/": ada.Token, "/storage/": permission} {
			eventually(t, path+" is refused", func() bool {
				status, _, _ := ask(client, a.URL+path, token)
				return status == http.StatusUnauthorized
			})
		}
	}
	if answer := ada.Fetch(a.URL + "/"); answer.Status != http.StatusOK {
		t.Errorf("the browser is signed out: %d %s", answer.Status, answer.Body)
	}
	fresh := signIn(t, a, "bob")
	if status, body, err := ask(clients[1], a.URL+"/", fresh.Token); err != nil || status != http.StatusOK {
		t.Errorf("a token of the new key: %d %s %v", status, body, err)
	}
}

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

const storageSite2 = "auth_api\nrequire_login\nrespond ok"

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
