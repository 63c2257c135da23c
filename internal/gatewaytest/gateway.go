// Package gatewaytest runs the real gateway, as a process of its own, for
// tests. The test binary is the gateway: a package's TestMain calls Main.
package gatewaytest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard" // as in the binary

	_ "github.com/datahq/auth-gateway/caddymodule" // as in the binary
)

// asGateway in the environment makes a test binary the gateway; if it is
// attached, until its standard input ends.
const (
	asGateway = "AUTH_GATEWAY_TEST_PROCESS"
	attached  = "attached"
)

// ownVariables are read by the gateway; those of the machine do not count.
var ownVariables = []string{
	"PRIVATE_KEY", "PUBLIC_KEY", "GOOGLE_KEY", "GOOGLE_SECRET", "GITHUB_KEY", "GITHUB_SECRET", "DATABASE_URL",
	"REDIS_URL", "EXTERNAL_ADDRESS", "ALLOWED_NEXT", "ALLOWED_SERVICES", "INSTALLED_EXTENSIONS",
}

// Main runs the tests, or the gateway if this process was started as one. It
// does not return.
func Main(m *testing.M) {
	if as := os.Getenv(asGateway); as != "" {
		if as == attached {
			go func() {
				_, _ = io.Copy(io.Discard, os.Stdin)
				os.Exit(1)
			}()
		}
		caddycmd.Main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Config says what a gateway is made of, as text of a Caddyfile.
type Config struct {
	// Auth stands in the auth block; external_address is there already.
	Auth string
	// Site stands in the site of the gateway's address.
	Site string
	// Global stands in the global options.
	Global string
	// Log stands in the block of the default log, whose level is DEBUG.
	Log string
	// Extra stands after the site: further sites.
	Extra string
	// ExternalAddress is where users reach the gateway, if not at its own port: the
	// origin of a load balancer that several gateways are behind. A Browser gets to
	// one of them by Via.
	ExternalAddress string
	// Env is added to the environment, as "NAME=value".
	Env []string
	// GuestPanics says that extensions are meant to panic. Other panics still fail
	// the test.
	GuestPanics bool
	// Panics says that the test itself looks for panics in the output.
	Panics bool
}

// Gateway is a running gateway.
type Gateway struct {
	// URL is its external address, "http://localhost:<port>" unless the
	// configuration has another one.
	URL string
	// Address is where it listens, "127.0.0.1:<port>".
	Address string
	// State is the folder with everything it writes.
	State string

	admin   string
	config  Config
	process *exec.Cmd
	output  *Buffer
	exited  chan struct{}
}

// Caddyfile is the whole configuration of a gateway.
func (g *Gateway) Caddyfile() string {
	return fmt.Sprintf(`{
	default_bind 127.0.0.1
	admin %s
	log {
		level DEBUG
		%s
	}
	%s
	auth {
		external_address %s
		%s
	}
}

http://localhost:%[6]s, http://127.0.0.1:%[6]s, http://[::1]:%[6]s {
	%s
}

%s
`, g.admin, g.config.Log, g.config.Global, g.URL, g.config.Auth, g.port(), g.config.Site, g.config.Extra)
}

func (g *Gateway) port() string {
	_, port, _ := net.SplitHostPort(g.Address)
	return port
}

// Start runs a gateway until the test ends, and fails the test if it ends
// badly, panics or reports a data race.
func Start(t testing.TB, config Config) *Gateway {
	t.Helper()
	g := New(t, config)
	g.Run(t)
	return g
}

// New prepares a gateway on free ports without running it.
func New(t testing.TB, config Config) *Gateway {
	t.Helper()
	port := FreePort(t)
	return &Gateway{
		URL: cmp.Or(config.ExternalAddress, "http://localhost:"+port), Address: "127.0.0.1:" + port, State: t.TempDir(),
		admin: "127.0.0.1:" + FreePort(t), config: config,
	}
}

// Run starts a gateway that New prepared, or starts it again after Stop, and
// waits until it serves.
func (g *Gateway) Run(t testing.TB) {
	t.Helper()
	g.RunFile(t, g.Caddyfile(), g.Address)
}

// RunFile runs a gateway by a Caddyfile's text until the test ends. It waits
// until something listens at address.
func (g *Gateway) RunFile(t testing.TB, caddyfile, address string) {
	t.Helper()
	file := filepath.Join(g.State, "Caddyfile")
	if err := os.WriteFile(file, []byte(caddyfile), 0o600); err != nil {
		t.Fatal(err)
	}
	g.output = new(Buffer)
	g.process = g.command("run", "--config", file)
	g.process.Stdout, g.process.Stderr = g.output, g.output
	// So it does not outlive tests that are killed or run out of time.
	g.process.Env = append(g.process.Env, asGateway+"="+attached)
	if _, err := g.process.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := g.process.Start(); err != nil {
		t.Fatal(err)
	}
	g.exited = make(chan struct{})
	go func(process *exec.Cmd, exited chan struct{}) {
		_ = process.Wait()
		close(exited)
	}(g.process, g.exited)
	t.Cleanup(func() { g.Stop(t) })
	g.awaitListener(t, address)
}

func (g *Gateway) command(args ...string) *exec.Cmd {
	command := exec.Command(os.Args[0], args...)
	command.Dir = g.State
	command.Env = slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains(ownVariables, name)
	})
	command.Env = append(command.Env, asGateway+"=1", "XDG_DATA_HOME="+g.State+"/data", "XDG_CONFIG_HOME="+g.State+"/config")
	command.Env = append(command.Env, g.config.Env...)
	return command
}

func (g *Gateway) awaitListener(t testing.TB, address string) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for time.Now().Before(deadline) {
		select {
		case <-g.exited:
			t.Fatalf("the gateway has ended:\n%s", g.output)
		default:
		}
		connection, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			connection.Close()
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("nothing listens at %s:\n%s", address, g.output)
}

// Config is what the gateway is made of now.
func (g *Gateway) Config() Config { return g.config }

// Admin is the address of Caddy's admin API, "http://127.0.0.1:<port>".
func (g *Gateway) Admin() string { return "http://" + g.admin }

// Stop ends the gateway as an operator would and looks at how it ended.
func (g *Gateway) Stop(t testing.TB) {
	t.Helper()
	select {
	case <-g.exited:
		return
	default:
	}
	_ = g.process.Process.Signal(syscall.SIGTERM)
	select {
	case <-g.exited:
	case <-time.After(30 * time.Second):
		_ = g.process.Process.Signal(syscall.SIGQUIT)
		<-g.exited
		t.Errorf("the gateway did not stop:\n%s", g.output)
		return
	}
	if code := g.process.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the gateway ended with code %d:\n%s", code, g.output)
	}
	output := g.output.String()
	if g.config.GuestPanics {
		output = strings.ReplaceAll(output, `"cause":"panic: `, "")
	}
	for _, bad := range []string{"DATA RACE", "panic:", `"msg":"panic`} {
		if strings.Contains(output, bad) && (bad == "DATA RACE" || !g.config.Panics) {
			t.Errorf("the gateway's output contains %q:\n%s", bad, g.output)
		}
	}
}

// Kill ends the gateway without warning.
func (g *Gateway) Kill() {
	_ = g.process.Process.Kill()
	<-g.exited
}

// PID is the running gateway's process ID.
func (g *Gateway) PID() int { return g.process.Process.Pid }

// Output is all that the gateway has written to its log so far.
func (g *Gateway) Output() string { return g.output.String() }

// Reload gives a running gateway another configuration on the same addresses.
func (g *Gateway) Reload(t testing.TB, config Config) {
	t.Helper()
	if err := g.TryReload(config); err != nil {
		t.Fatal(err)
	}
}

// TryReload is Reload for configurations that may be refused; the old one then
// stays.
func (g *Gateway) TryReload(config Config) error {
	old := g.config
	g.config = config
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+g.admin+"/load", strings.NewReader(g.Caddyfile()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "text/caddyfile")
	request.Header.Set("Cache-Control", "must-revalidate") // even if it is the same
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		g.config = old
		return err
	}
	defer response.Body.Close()
	var answer bytes.Buffer
	_, _ = answer.ReadFrom(response.Body)
	if response.StatusCode != http.StatusOK {
		g.config = old
		return fmt.Errorf("reload: %s: %s", response.Status, answer.String())
	}
	return nil
}

// Command runs the gateway's command line to its end, such as "validate", and
// returns what it printed.
func (g *Gateway) Command(args ...string) (output string, err error) {
	return g.CommandWith(nil, args...)
}

// CommandWith is Command with another environment: variables, as "NAME=value",
// go over those of the configuration.
func (g *Gateway) CommandWith(env []string, args ...string) (output string, err error) {
	command := g.command(args...)
	command.Env = append(command.Env, env...)
	text, err := command.CombinedOutput()
	return string(text), err
}
