//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// person is who may sign in at the provider: the claims about them.
type person struct {
	Email         string `json:"email"`
	EmailVerified bool   `json:"email_verified"`
	Name          string `json:"name"`
}

// provider is an OpenID provider that we did not write: the npm package
// oidc-provider, as a process (npm/provider.mjs).
type provider struct {
	issuer string
	config map[string]any

	process *exec.Cmd
	input   io.Closer
	output  *gatewaytest.Buffer
	exited  chan struct{}
}

const clientSecret = "only-for-tests-0123456789abcdef"

// newProvider prepares a provider on a free port without running it. Further
// settings are those of provider.mjs.
func newProvider(t testing.TB, settings map[string]any) *provider {
	t.Helper()
	port := gatewaytest.FreePort(t)
	p := &provider{issuer: "http://127.0.0.1:" + port, config: map[string]any{
		"port": json.Number(port), "client_id": "gateway", "client_secret": clientSecret,
		"people": map[string]person{
			"ada": {"ada@example.com", true, "Ada Lovelace"},
			"bob": {"bob@example.com", true, "Bob Kahn"},
			"eve": {"ada@example.com", false, "Eve Smith"},
		},
	}}
	for name, value := range settings {
		p.config[name] = value
	}
	return p
}

// login is how the gateway is told about the provider.
func (p *provider) login() string {
	return fmt.Sprintf("login corp oidc {\n issuer %s\n client_id gateway\n client_secret {env.CORP_SECRET}\n}\n", p.issuer)
}

// startGateway runs a gateway that knows the provider, and the provider.
func (p *provider) startGateway(t testing.TB, config gatewaytest.Config) *gatewaytest.Gateway {
	t.Helper()
	g := p.newGateway(t, config)
	p.run(t)
	g.Run(t)
	return g
}

// newGateway prepares a gateway that knows the provider.
func (p *provider) newGateway(t testing.TB, config gatewaytest.Config) *gatewaytest.Gateway {
	t.Helper()
	config.Auth += "\n" + p.login()
	config.Env = append(config.Env, "CORP_SECRET="+clientSecret)
	g := gatewaytest.New(t, config)
	p.config["redirect_uri"] = callbackOf(g)
	return g
}

// callbackOf is the redirect URI of providers that send "iss" (ruling 19).
func callbackOf(g *gatewaytest.Gateway) string { return g.URL + "/auth/oauth_callback" }

// run starts the provider, again after kill, until the test ends.
func (p *provider) run(t testing.TB) {
	t.Helper()
	if _, err := os.Stat("npm/node_modules/oidc-provider/package.json"); err != nil {
		t.Fatalf("%v; %s", err, install)
	}
	config, err := json.Marshal(p.config)
	if err != nil {
		t.Fatal(err)
	}
	p.process = exec.Command(program(t, "node"), "npm/provider.mjs", string(config))
	p.output = new(gatewaytest.Buffer)
	p.process.Stdout, p.process.Stderr = p.output, p.output
	// It ends with its input, so also when the test is killed.
	if p.input, err = p.process.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.process.Start(); err != nil {
		t.Fatal(err)
	}
	p.exited = make(chan struct{})
	go func(process *exec.Cmd, exited chan struct{}) {
		_ = process.Wait()
		close(exited)
	}(p.process, p.exited)
	t.Cleanup(func() { p.kill(t) })
	eventually(t, "the provider to listen", func() bool {
		select {
		case <-p.exited:
			t.Fatalf("the provider has ended; if a package is missing, %s:\n%s", install, p.output)
		default:
		}
		return strings.Contains(p.output.String(), "listening\n")
	})
}

// kill ends the provider without warning.
func (p *provider) kill(t testing.TB) {
	t.Helper()
	_ = p.process.Process.Kill()
	select {
	case <-p.exited:
	case <-time.After(deadline):
		t.Fatal("the provider cannot be killed")
	}
}

// signIn goes to an address of the gateway as a person, through the provider's
// sign-in and consent forms, up to the callback URL that the browser would
// visit next, and returns that.
func (p *provider) signIn(t testing.TB, g *gatewaytest.Gateway, b *gatewaytest.Browser, address, who string) (callback string) {
	t.Helper()
	return p.browse(t, g, b, address, func(page, at string) gatewaytest.Answer {
		f := onlyForm(t, page, at)
		switch prompt := f.fields.Get("prompt"); prompt {
		case "login":
			f.fields.Set("login", who)
			f.fields.Set("password", "any")
		case "consent":
		default:
			t.Fatalf("the provider asks for %q at %s", prompt, at)
		}
		return f.submit(b)
	})
}

// cancel is signIn for somebody who does not want to.
func (p *provider) cancel(t testing.TB, g *gatewaytest.Gateway, b *gatewaytest.Browser, address string) (callback string) {
	t.Helper()
	return p.browse(t, g, b, address, func(page, at string) gatewaytest.Answer {
		for _, link := range gatewaytest.Links(page) {
			if strings.HasSuffix(link, "/abort") {
				return b.Navigate(gatewaytest.Resolve(t, at, link))
			}
		}
		t.Fatalf("no way to cancel at %s:\n%s", at, page)
		return gatewaytest.Answer{}
	})
}

// browse follows redirects, and does something on each page of the provider.
func (p *provider) browse(t testing.TB, g *gatewaytest.Gateway, b *gatewaytest.Browser, address string, act func(page, at string) gatewaytest.Answer) (callback string) {
	t.Helper()
	answer, at := b.Navigate(address), address
	for range 20 {
		switch {
		case answer.Location != "":
			at = gatewaytest.Resolve(t, at, answer.Location)
			if strings.HasPrefix(at, g.URL+"/auth/oauth_callback") {
				return at
			}
			answer = b.Navigate(at)
		case answer.Status == 200 && strings.HasPrefix(at, p.issuer+"/"):
			answer = act(answer.Body, at)
		default:
			t.Fatalf("stuck at %s: %d\n%s\n%s", at, answer.Status, answer.Body, p.output)
		}
	}
	t.Fatalf("no end at %s", at)
	return ""
}
