//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// The npm package datahub-client 0.5.8, unmodified, signs in through a browser,
// learns who it is, gets tokens for services, and publishes a dataset through
// the gates before those (contract 2a).
func TestDatahubClient(t *testing.T) {
	services := newDatahubServices(t)
	// Its desktop sibling looks for a provider of this name.
	g := gatewaytest.Start(t, gatewaytest.Config{Auth: "login github dev\n" + datahubRights, Site: services.site()})
	c := newDatahubClient(t, g)
	before := c.signIn(t)
	if before.Authenticated || before.Profile != nil || len(before.Providers) != 1 {
		t.Errorf("check before the sign-in: %+v", before)
	}
	ada := c.stored(t)

	got := c.push(t)
	if check := got.Check; !check.Authenticated || check.Providers != nil || check.Profile["email"] != "ada@example.com" || !reflect.DeepEqual(check.Profile, ada.Profile) {
		t.Errorf("check after the sign-in: %+v; it has stored %v", check, ada.Profile)
	}
	pem := gatewaytest.NewBrowser(t).Fetch(g.URL + "/auth/public-key").Body
	given := services.tokens() // what DataHub's services verify
	for _, service := range []string{"rawstore", "source"} {
		for name, token := range map[string]string{"client": got.Tokens[service], "service": given[service]} {
			claims := decode(t, token, pem)
			if claims["service"] != service || claims["userid"] != ada.Profile["id"] || !reflect.DeepEqual(claims["permissions"], map[string]any{"upload": true}) {
				t.Errorf("%s: the %s has the token of %v", service, name, claims)
			}
		}
	}
	if got.Push["success"] != true {
		t.Errorf("push: %v", got.Push)
	}
	want := []string{"POST /rawstore/authorize", "GET /rawstore/presign", "GET /rawstore/presign", "POST /source/upload"}
	if got := services.calls(); !reflect.DeepEqual(got, want) {
		t.Errorf("the services were called %q, want %q", got, want)
	}
}

// Whoever may not publish is refused in a way that the client understands, and
// a token that is not good is no error to check and authorize.
func TestDatahubClientIsRefused(t *testing.T) {
	services := newDatahubServices(t)
	g := gatewaytest.Start(t, gatewaytest.Config{Auth: "login dev\n" + datahubRights, Site: services.site()})
	c := newDatahubClient(t, g)

	c.configure(t, map[string]any{"token": sessionToken(t, g, "eve")})
	eve := c.push(t)
	if !eve.Check.Authenticated || eve.Tokens["rawstore"] == "" || eve.Tokens["source"] == "" {
		t.Errorf("somebody without permission: %+v", eve)
	}
	if message, _ := eve.Push["message"].(string); eve.Push["status"] != 403.0 || !strings.Contains(message, "403 - Forbidden") {
		t.Errorf("push by somebody without permission: %v", eve.Push)
	}

	c.configure(t, map[string]any{"token": "1a2b3c4d"})
	nobody := c.push(t) // with "Auth-Token: undefined", as it is not given one
	if nobody.Check.Authenticated || nobody.Check.Providers["dev"].URL == "" || len(nobody.Tokens) != 0 {
		t.Errorf("somebody with a bad token: %+v", nobody)
	}
	if nobody.Push["status"] != 401.0 {
		t.Errorf("push with a bad token: %v", nobody.Push)
	}
	if calls := services.calls(); calls != nil {
		t.Errorf("the services were called: %q", calls)
	}
}

// datahubCheck is an answer of check.
type datahubCheck struct {
	Authenticated bool
	Profile       map[string]any
	Providers     map[string]struct{ URL string }
}

// datahubAnswers are what the gateway, and what is behind it, has told the
// client.
type datahubAnswers struct {
	Check  datahubCheck
	Tokens map[string]string
	Push   map[string]any
}

// datahubClient is a user of the package on some machine (npm/datahub.mjs).
type datahubClient struct {
	api, domain string
	folder      string
}

// callbackPort is where the client waits for its token. It cannot be changed.
const callbackPort = "3000"

func newDatahubClient(t testing.TB, g *gatewaytest.Gateway) *datahubClient {
	t.Helper()
	if _, err := os.Stat("npm/node_modules/datahub-client/package.json"); err != nil {
		t.Fatalf("%v; %s", err, install)
	}
	c := &datahubClient{api: g.URL, domain: "http://" + application(t), folder: t.TempDir()}
	// A browser that the test drives: it is told where to go.
	c.write(t, "browser", "#!/bin/sh\nprintf '%s\\n' \"$1\" >>'"+c.path("opened")+"'\n", 0o700)
	c.write(t, "opened", "", 0o600)
	c.configure(t, nil)
	return c
}

func (c *datahubClient) path(name string) string { return filepath.Join(c.folder, name) }

func (c *datahubClient) write(t testing.TB, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(c.path(name), []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func (c *datahubClient) read(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(c.path(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// configure writes the client's configuration.
func (c *datahubClient) configure(t testing.TB, more map[string]any) {
	t.Helper()
	settings := map[string]any{"api": c.api, "domain": c.domain}
	for name, value := range more {
		settings[name] = value
	}
	text, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	c.write(t, "datahub.json", string(text), 0o600)
}

// stored is what the client has kept of a sign-in.
func (c *datahubClient) stored(t testing.TB) (kept struct {
	Token   string
	Profile map[string]any
},
) {
	t.Helper()
	if err := json.Unmarshal([]byte(c.read(t, "datahub.json")), &kept); err != nil {
		t.Fatal(err)
	}
	return kept
}

// signIn signs in as ada, in a real browser. Before that the client asks who it
// is, with the token "" of its defaults.
func (c *datahubClient) signIn(t testing.TB) (before datahubCheck) {
	t.Helper()
	portIsFree(t)
	b := newChromium(t).tab(t)
	wait := c.start(t, "login", "github")
	b.open(t, c.opened(t, 1))
	b.at(t, c.api+"/auth/login/github/")
	b.click(t, "Ada Lovelace")
	b.at(t, "http://localhost:"+callbackPort+"/?jwt=")
	b.shows(t, "Thank you for logging in")
	before = wait().Check
	_, token, _ := strings.Cut(b.where(), "?jwt=")
	kept := c.stored(t)
	if kept.Token != token || strings.Count(token, ".") != 2 || kept.Profile["name"] != "Ada Lovelace" {
		t.Errorf("the browser came back with a token of %d bytes; the client has stored one of %d bytes and %v", len(token), len(kept.Token), kept.Profile)
	}
	if got := c.opened(t, 2); got != c.domain+"/success?jwt="+token+"&client=cli" {
		t.Errorf("at the end it opened %s...", got[:min(len(got), 60)])
	}
	return before
}

// push publishes a dataset.
func (c *datahubClient) push(t testing.TB) datahubAnswers {
	t.Helper()
	return c.start(t, "push", dataset(t))()
}

// opened waits for the client to open a browser, and returns the address that
// it opened as the n-th.
func (c *datahubClient) opened(t testing.TB, n int) (address string) {
	t.Helper()
	eventually(t, "the client to open a browser", func() bool {
		lines := strings.SplitAfter(c.read(t, "opened"), "\n")
		if len(lines) <= n { // behind the last line end is one more
			return false
		}
		address = strings.TrimSpace(lines[n-1])
		return true
	})
	return address
}

// start runs the client; what it returns waits for the end.
func (c *datahubClient) start(t testing.TB, args ...string) (wait func() datahubAnswers) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	t.Cleanup(cancel)
	script, err := filepath.Abs("npm/datahub.mjs")
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(ctx, program(t, "node"), append([]string{script}, args...)...)
	command.Dir = c.folder
	command.Env = []string{ // nothing of the machine's desktop: its browser must be ours
		"PATH=" + os.Getenv("PATH"), "HOME=" + c.folder, "DATAHUB_JSON=" + c.path("datahub.json"), "BROWSER=" + c.path("browser"),
		"NODE_OPTIONS=--dns-result-order=ipv4first", // Node.js 18 tries one address, and the gateway is on 127.0.0.1
	}
	output := new(gatewaytest.Buffer)
	command.Stdout, command.Stderr = output, output
	if _, err := command.StdinPipe(); err != nil { // it ends with its input
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	return func() (answers datahubAnswers) {
		t.Helper()
		if err := <-ended; err != nil {
			t.Fatalf("datahub-client %q: %v; if a package is missing, %s:\n%s", args, err, install, output)
		}
		lines := strings.Split(strings.TrimSpace(output.String()), "\n")
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &answers); err != nil {
			t.Fatalf("datahub-client %q: %v:\n%s", args, err, output)
		}
		return answers
	}
}

// portIsFree fails the test if somebody else has the client's port.
func portIsFree(t testing.TB) {
	t.Helper()
	for _, host := range []string{"127.0.0.1", "::1"} {
		listener, err := net.Listen("tcp", net.JoinHostPort(host, callbackPort))
		if errors.Is(err, syscall.EADDRINUSE) {
			t.Fatalf("%v: datahub-client can wait for its token on this port only; end what listens there", err)
		}
		if err == nil { // without IPv6 there is no ::1
			listener.Close()
		}
	}
}

// dataset is a folder with a dataset of one file.
func dataset(t testing.TB) (folder string) {
	t.Helper()
	folder = t.TempDir()
	for name, text := range map[string]string{
		"datapackage.json": `{"name": "numbers", "resources": [{"name": "numbers", "path": "numbers.csv"}]}`,
		"numbers.csv":      "a,b\n1,2\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}
