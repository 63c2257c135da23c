package caddymodule_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/internal/wire"
)

// shippedFiles are the Caddyfiles that people start from.
func shippedFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../examples/*/Caddyfile")
	if err != nil || len(files) < 2 {
		t.Fatalf("only %q are there: %v", files, err)
	}
	return append(files, "../Caddyfile")
}

// adapted is a Caddyfile as JSON.
func adapted(t *testing.T, file string) (config caddy.Config, text string) {
	t.Helper()
	path, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	g := gatewaytest.New(t, gatewaytest.Config{})
	output, err := g.Command("adapt", "--config", path)
	start := strings.IndexByte(output, '{')
	for start >= 0 && strings.HasPrefix(output[start:], `{"level"`) { // the log, before it
		end := strings.IndexByte(output[start:], '\n')
		output = output[start+end+1:]
		start = strings.IndexByte(output, '{')
	}
	if err != nil || start < 0 {
		t.Fatalf("%v\n%s", err, output)
	}
	if err := json.NewDecoder(strings.NewReader(output[start:])).Decode(&config); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return config, output[start:]
}

// S42: the admin API of every shipped configuration is for this machine alone,
// and neither it nor metrics nor profiles are routed anywhere.
func TestShippedAdmin(t *testing.T) {
	for _, file := range shippedFiles(t) {
		config, text := adapted(t, file)
		listen := caddy.DefaultAdminListen
		if config.Admin != nil && config.Admin.Listen != "" {
			listen = config.Admin.Listen
		}
		address, err := caddy.ParseNetworkAddress(listen)
		if err != nil {
			t.Fatal(err)
		}
		if local := address.IsUnixNetwork() || wire.IsLoopbackHost(address.Host) || config.Admin != nil && config.Admin.Disabled; !local {
			t.Errorf("%s: the admin API listens at %s", file, listen)
		}
		for _, handler := range []string{`"metrics"`, `"pprof"`, `"acme_server"`, `"file_server"`, "2019", "debug/pprof"} {
			if strings.Contains(text, handler) {
				t.Errorf("%s has %s", file, handler)
			}
		}
		if config.Admin != nil && config.Admin.Remote != nil {
			t.Errorf("%s has a remote admin API", file)
		}
	}
}

// S42, from outside: at the public address of the shipped configuration there is
// nothing of the admin API, metrics or profiles, for nobody.
func TestNothingOfCaddysOwnIsPublic(t *testing.T) {
	g := shipped(t)
	ada := signIn(t, g, "ada")
	for _, path := range []string{
		"/config/", "/config/apps/auth", "/load", "/stop", "/adapt", "/id/x", "/metrics", "/auth/metrics", "/debug/pprof/", "/debug/pprof/heap",
		"/debug/vars", "/auth/debug/pprof/", "/reverse_proxy/upstreams", "/pki/ca/local", "/auth/config/", "/auth/admin", "/admin/", "/.well-known/",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete} {
			for _, headers := range [][]string{nil, {"Auth-Token", ada.Token}, {"Host", "localhost:2019"}} {
				answer := gatewaytest.NewBrowser(t).Do(method, g.URL+path, nil, header(headers...))
				if answer.Status != http.StatusNotFound && answer.Status != http.StatusMethodNotAllowed {
					t.Errorf("%s %s: %d %.200s", method, path, answer.Status, answer.Body)
				}
			}
		}
	}
	if answer := call(t, g, "/auth/check", "Auth-Token", ada.Token); !strings.Contains(answer.Body, ada.ID) {
		t.Error("after that the gateway does not serve as before")
	}
}

// S38: the shipped configurations bound headers, and how long a connection is
// held by whoever sends slowly or nothing.
func TestShippedLimits(t *testing.T) {
	for _, file := range shippedFiles(t) {
		config, _ := adapted(t, file)
		var app struct {
			Servers map[string]struct {
				MaxHeaderBytes    int            `json:"max_header_bytes"`
				ReadHeaderTimeout caddy.Duration `json:"read_header_timeout"`
				ReadIdleTimeout   caddy.Duration `json:"read_idle_timeout"`
				IdleTimeout       caddy.Duration `json:"idle_timeout"`
			}
		}
		if err := json.Unmarshal(config.AppsRaw["http"], &app); err != nil || len(app.Servers) == 0 {
			t.Fatalf("%s: %v", file, err)
		}
		for name, server := range app.Servers {
			if server.MaxHeaderBytes != 16<<10 {
				t.Errorf("%s: %s reads headers of %d bytes", file, name, server.MaxHeaderBytes)
			}
			for what, timeout := range map[string]caddy.Duration{"header": server.ReadHeaderTimeout, "body": server.ReadIdleTimeout, "idle": server.IdleTimeout} {
				if timeout <= 0 || time.Duration(timeout) > 2*time.Minute {
					t.Errorf("%s: %s has the time-out %s for %s", file, name, time.Duration(timeout), what)
				}
			}
		}
	}
}

// The shipped configurations have the same filters, and none is warned of its
// logs (S41).
func TestShippedFilters(t *testing.T) {
	for _, file := range shippedFiles(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(filters(t), "\n") {
			line = strings.ReplaceAll(strings.TrimSpace(line), "|dev_email", "")
			if !strings.Contains(strings.ReplaceAll(string(text), "|dev_email", ""), line) {
				t.Errorf("%s has no %s", file, line)
			}
		}
	}
}
