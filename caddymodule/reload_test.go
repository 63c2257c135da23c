package caddymodule_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/modules/standard" // as in the binary
	"go.uber.org/goleak"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// Ten reloads under load: no request fails, sessions stay, and so do sign-ins
// that are under way.
func TestReloadUnderLoad(t *testing.T) {
	upstream := gatewaytest.NewUpstream(t)
	config := func(generation int) gatewaytest.Config {
		return gatewaytest.Config{
			Auth: "login dev\nservice storage static {\nuser ada@example.com read\n}",
			Site: fmt.Sprintf("header X-Generation %d\nauth_api\nrequire_permission storage read\nreverse_proxy %s", generation, upstream.Address()),
		}
	}
	g := gatewaytest.Start(t, config(0))
	b := gatewaytest.NewBrowser(t)
	b.SignIn(g.URL+"/", "ada")
	underWay := gatewaytest.NewBrowser(t)
	callback := underWay.Callback(g.URL+"/after", "ada")

	var served, failed atomic.Int64
	var firstFailure atomic.Value
	stop := make(chan struct{})
	var load sync.WaitGroup
	for range 8 {
		load.Go(func() {
			client := &http.Client{Jar: b.Jar, Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for {
				select {
				case <-stop:
					return
				default:
				}
				response, err := get(client, g.URL+"/data")
				if err == nil {
					_, _ = io.Copy(io.Discard, response.Body)
					response.Body.Close()
				}
				if err != nil || response.StatusCode != http.StatusOK {
					failed.Add(1)
					firstFailure.CompareAndSwap(nil, fmt.Sprint(response, err))
					continue
				}
				served.Add(1)
			}
		})
	}
	for generation := range 10 {
		g.Reload(t, config(generation+1))
		until := served.Load() + 50
		for deadline := time.Now().Add(20 * time.Second); served.Load() < until && time.Now().Before(deadline); {
			time.Sleep(5 * time.Millisecond)
		}
	}
	close(stop)
	load.Wait()
	if failed.Load() > 0 || served.Load() < 500 {
		t.Errorf("%d requests served, %d failed: %v", served.Load(), failed.Load(), firstFailure.Load())
	}
	if answer := b.Fetch(g.URL + "/data"); answer.Status != http.StatusOK || answer.Header.Get("X-Generation") != "10" {
		t.Errorf("after the reloads: %d, generation %s", answer.Status, answer.Header.Get("X-Generation"))
	}
	if answer := underWay.Navigate(callback); answer.Status != http.StatusSeeOther || !strings.HasSuffix(answer.Location, "/after") {
		t.Errorf("a sign-in that was under way ended with %d %s", answer.Status, answer.Location)
	}
}

// get tries again, as browsers do, when a connection is closed before anybody
// has answered: at a reload Caddy closes the old configuration's socket with the
// connections that wait in it, whatever modules there are.
func get(client *http.Client, address string) (*http.Response, error) {
	var response *http.Response
	var err error
	for range 4 {
		response, err = client.Get(address)
		if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
			break
		}
	}
	return response, err
}

// What a reload changes counts at once: cached decisions of an old
// configuration are not used.
func TestReloadChangesPermissions(t *testing.T) {
	upstream := gatewaytest.NewUpstream(t)
	config := func(permission string) gatewaytest.Config {
		return gatewaytest.Config{
			Auth: "login dev\nservice storage static {\nuser ada@example.com " + permission + "\n}",
			Site: "auth_api\nrequire_permission storage read\nreverse_proxy " + upstream.Address(),
		}
	}
	g := gatewaytest.Start(t, config("read"))
	b := gatewaytest.NewBrowser(t)
	b.SignIn(g.URL+"/", "ada")
	for _, step := range []struct {
		permission string
		want       int
	}{{"read", 200}, {"write", 403}, {"read", 200}} {
		g.Reload(t, config(step.permission))
		if answer := b.Fetch(g.URL + "/"); answer.Status != step.want {
			t.Errorf("with %s: %d, want %d", step.permission, answer.Status, step.want)
		}
	}
	// A configuration that is refused changes nothing.
	if err := g.TryReload(gatewaytest.Config{Auth: "login nobody", Site: "auth_api"}); err == nil || !strings.Contains(err.Error(), "unknown identity provider") {
		t.Errorf("a wrong configuration was accepted: %v", err)
	}
	if answer := b.Fetch(g.URL + "/"); answer.Status != 200 {
		t.Errorf("after a refused reload: %d", answer.Status)
	}
}

// All state survives a restart: keys, users, sessions.
func TestRestart(t *testing.T) {
	upstream := gatewaytest.NewUpstream(t)
	g := gatewaytest.Start(t, gatewaytest.Config{
		Auth: "login dev", Site: "auth_api\nhandle /open {\nrespond ok\n}\nhandle {\nrequire_login\nreverse_proxy " + upstream.Address() + "\n}",
	})
	b := gatewaytest.NewBrowser(t)
	b.SignIn(g.URL+"/", "ada")
	key := b.Fetch(g.URL + "/auth/public-key").Body
	g.Stop(t)
	g.Run(t)
	if answer := b.Fetch(g.URL + "/"); answer.Status != http.StatusOK {
		t.Errorf("the session did not survive: %d %s", answer.Status, answer.Body)
	}
	if b.Fetch(g.URL+"/auth/public-key").Body != key {
		t.Error("the signing key did not survive")
	}
	// Killed, it comes back as well.
	g.Kill()
	g.Run(t)
	if answer := b.Fetch(g.URL + "/"); answer.Status != http.StatusOK {
		t.Errorf("the session did not survive a kill: %d %s", answer.Status, answer.Body)
	}
}

// Nothing is left of ten reloads with changing databases once Caddy has
// stopped: no goroutine, no connection.
func TestNothingLeaks(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	ignore := goleak.IgnoreCurrent()
	adapter := caddyconfig.GetAdapter("caddyfile")
	for i := range 10 {
		text := fmt.Sprintf(`{
	admin off
	storage file_system %s
	auth {
		external_address http://localhost:%s
		database sqlite:///%s
		login dev
		service storage static
	}
}
http://127.0.0.1:0 {
	bind 127.0.0.1
	auth_api
	require_permission storage read
	respond ok
}`, dir, gatewaytest.FreePort(t), filepath.Join(dir, fmt.Sprintf("db%d", i%2), "auth.db"))
		config, _, err := adapter.Adapt([]byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := caddy.Load(config, true); err != nil {
			t.Fatal(err)
		}
	}
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	// Databases are closed some seconds after their last configuration has gone.
	var leaks error
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if leaks = goleak.Find(ignore, goleak.IgnoreAnyFunction("github.com/caddyserver/certmagic.(*Cache).maintainAssets")); leaks == nil {
			break
		}
	}
	if leaks != nil {
		t.Error(leaks)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "db*", "*-wal")); len(files) > 0 {
		for _, file := range files {
			if info, err := os.Stat(file); err == nil && info.Size() > 0 {
				t.Errorf("a database was not closed: %s", filepath.Base(file))
			}
		}
	}
}
