package examples

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/internal/testserver"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

// Somebody signs in through the load balancer, and stays signed in when the
// gateway dies that did it; and when the other one does, and the first is back.
func TestCluster(t *testing.T) {
	secrets := writeSecrets(t)
	gateway, balancer := readFile(t, "cluster/Caddyfile"), readFile(t, "cluster/balancer.Caddyfile")
	server := httptest.NewUnstartedServer(nil)
	issuer := "http://" + server.Listener.Addr().String()
	port := gatewaytest.FreePort(t)
	origin := "http://localhost:" + port
	idp := fakeidp.New(fakeidp.Config{Issuer: issuer, Clients: []fakeidp.Client{
		{ID: "client", Secret: "secret", RedirectURIs: []string{origin + "/auth/oauth_callback"}},
	}})
	server.Config.Handler = idp
	server.Start()
	t.Cleanup(server.Close)
	upstream := gatewaytest.NewUpstream(t)

	var gateways []*gatewaytest.Gateway
	var addresses []string
	for range 2 {
		port := gatewaytest.FreePort(t)
		g := gatewaytest.New(t, gatewaytest.Config{Env: []string{
			"CADDY_ADMIN=127.0.0.1:" + gatewaytest.FreePort(t), "BIND=127.0.0.1", "PORT=" + port, "BALANCER=127.0.0.1/32", "SECRETS=" + secrets,
			"EXTERNAL_ADDRESS=" + origin, "UPSTREAM=" + upstream.Address(), "OIDC_ISSUER=" + issuer, "OIDC_CLIENT_ID=client",
		}})
		g.Address = "127.0.0.1:" + port
		t.Cleanup(func() {
			// After the gateway has stopped: S41.
			if strings.Contains(g.Output(), "logs may show") {
				t.Errorf("the example is warned of its own logs:\n%s", g.Output())
			}
		})
		g.RunFile(t, gateway, g.Address)
		gateways, addresses = append(gateways, g), append(addresses, g.Address)
	}
	b := gatewaytest.New(t, gatewaytest.Config{Env: []string{
		"CADDY_ADMIN=127.0.0.1:" + gatewaytest.FreePort(t), "BIND=127.0.0.1", "EXTERNAL_ADDRESS=" + origin, "GATEWAYS=" + strings.Join(addresses, " "),
	}})
	b.RunFile(t, balancer, "127.0.0.1:"+port)

	browser := gatewaytest.NewBrowser(t)
	if health := browser.Fetch(origin + "/auth/health/ready"); health.Status != http.StatusNotFound {
		t.Errorf("the health is shown outside: %d", health.Status)
	}
	idp.Next(ada)
	page, at := browser.Follow(origin + "/members/list")
	if at != origin+"/members/list" || page.Status != http.StatusOK {
		t.Fatalf("signed in at %s: %d %s", at, page.Status, page.Body)
	}
	stays := func(after string) {
		t.Helper()
		for range 20 {
			answer := browser.Fetch(origin + "/members/list")
			if answer.Status != http.StatusOK || gatewaytest.ParseSeen(t, answer.Body).Header.Get("X-Auth-Email") != "ada@example.com" {
				t.Fatalf("%s: %d %s", after, answer.Status, answer.Body)
			}
		}
	}
	stays("at first")
	gateways[0].Kill()
	stays("when one gateway has been killed")
	gateways[0].RunFile(t, gateway, gateways[0].Address)
	gateways[1].Kill()
	// The balancer leaves the first one out for some seconds.
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if browser.Fetch(origin+"/members/list").Status == http.StatusOK {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the gateway that is back gets no requests")
		}
	}
	stays("when the other gateway has been killed")
}

// writeSecrets makes the files that README.md makes, for servers of this test.
func writeSecrets(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	key, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		t.Fatal(err)
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret)
	for name, text := range map[string]string{
		"signing_key":        string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})),
		"session_key":        base64.StdEncoding.EncodeToString(secret),
		"database_url":       testserver.SharedPostgres(t).NewDatabase(t),
		"redis_url":          testserver.SharedRedis(t).NewURL(t),
		"oidc_client_secret": "secret",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// composition is what of a compose file is looked at here.
type composition struct {
	Services map[string]struct {
		Image string
		Build struct{ Context, Dockerfile string }
		// Command is one line or a list.
		Command     yaml.Node
		Environment map[string]string
		Secrets     []string
		Volumes     []string
		Networks    []string
		Ports       []string
		ReadOnly    bool      `yaml:"read_only"`
		CapDrop     []string  `yaml:"cap_drop"`
		DependsOn   yaml.Node `yaml:"depends_on"`
	}
	Networks map[string]struct {
		Internal bool
		IPAM     struct{ Config []struct{ Subnet string } }
	}
	Volumes map[string]any
	Secrets map[string]struct{ File string }
}

var (
	variable   = regexp.MustCompile(`\{\$(\w+)(?::([^}]*))?\}`)
	secretFile = regexp.MustCompile(`\{\$SECRETS:/run/secrets\}/(\w+)`)
)

// The compose file fits the Caddyfiles and the folder that it stands in.
func TestClusterComposition(t *testing.T) {
	var c composition
	if err := yaml.Unmarshal([]byte(readFile(t, "cluster/compose.yaml")), &c); err != nil {
		t.Fatal(err)
	}
	readme := readFile(t, "cluster/README.md")
	for name, service := range c.Services {
		for _, secret := range service.Secrets {
			if file := c.Secrets[secret].File; file != "./secrets/"+secret || !strings.Contains(readme, "secrets/"+secret) {
				t.Errorf("%s: the secret %s is the file %q, and README.md must make it", name, secret, file)
			}
		}
		for _, volume := range service.Volumes {
			from, _, _ := strings.Cut(volume, ":")
			if path, local := strings.CutPrefix(from, "./"); local {
				readFile(t, filepath.Join("cluster", path))
			} else if _, declared := c.Volumes[from]; !declared {
				t.Errorf("%s: there is no volume %s", name, from)
			}
		}
		for _, network := range service.Networks {
			if _, declared := c.Networks[network]; !declared {
				t.Errorf("%s: there is no network %s", name, network)
			}
		}
		// Whoever could reach the application or the databases could do without us.
		if public := len(service.Ports) > 0; public != (name == "balancer") {
			t.Errorf("%s: has ports outside: %v", name, public)
		}
	}
	for _, name := range []string{"app", "postgres", "redis"} {
		if !slices.Equal(c.Services[name].Networks, []string{"back"}) || !c.Networks["back"].Internal {
			t.Errorf("%s is in the networks %v", name, c.Services[name].Networks)
		}
	}

	fits := func(service, caddyfile string) map[string]string {
		t.Helper()
		text := readFile(t, caddyfile)
		found := make(map[string]string)
		for _, match := range variable.FindAllStringSubmatch(text, -1) {
			found[match[1]] = match[2]
		}
		for name, value := range c.Services[service].Environment {
			if _, known := found[name]; !known {
				t.Errorf("%s: nothing reads %s", service, name)
			}
			if !strings.HasPrefix(value, "${") && value != found[name] {
				t.Errorf("%s: %s is %q, and by itself %q", service, name, value, found[name])
			}
		}
		return found
	}
	for _, name := range []string{"gateway1", "gateway2"} {
		g := c.Services[name]
		found := fits(name, "cluster/Caddyfile")
		var secrets []string
		for _, match := range secretFile.FindAllStringSubmatch(readFile(t, "cluster/Caddyfile"), -1) {
			secrets = append(secrets, match[1])
		}
		given := slices.Clone(g.Secrets)
		slices.Sort(secrets)
		slices.Sort(given)
		if !slices.Equal(secrets, given) {
			t.Errorf("%s gets the secrets %v and reads %v", name, given, secrets)
		}
		if subnet := c.Networks["front"].IPAM.Config[0].Subnet; found["BALANCER"] != subnet || g.Environment["BALANCER"] != subnet {
			t.Errorf("%s believes %s, and the balancer is in %s", name, g.Environment["BALANCER"], subnet)
		}
		if !g.ReadOnly || !slices.Equal(g.CapDrop, []string{"ALL"}) {
			t.Errorf("%s may do more than it needs", name)
		}
		readFile(t, filepath.Join("cluster", g.Build.Context, g.Build.Dockerfile))
		if !strings.Contains(readFile(t, "cluster/balancer.Caddyfile"), name+":"+found["PORT"]) {
			t.Errorf("the balancer does not know %s", name)
		}
	}
	fits("balancer", "cluster/balancer.Caddyfile")
	if text := readFile(t, "cluster/Dockerfile"); !strings.Contains(text, "CGO_ENABLED=0") || !regexp.MustCompile(`(?m)^USER \d+:\d+$`).MatchString(text) {
		t.Error("the image's program is to be static, and its user nobody")
	}
}
