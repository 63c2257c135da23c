package github

import (
	"net/url"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/goleak"

	"github.com/datahq/auth-gateway/providers"
	"github.com/datahq/auth-gateway/providers/providertest"
	"github.com/datahq/auth-gateway/providers/providertest/fakegithub"
)

const (
	// registered is what the operator of the original service has at GitHub;
	// redirectURI is below it (ruling 19).
	registered   = "http://127.0.0.1/auth/oauth_callback"
	redirectURI  = registered + "/github"
	testClientID = "gateway"
	testSecret   = "s3cret:with+odd/characters"
)

var ada = fakegithub.Person{
	ID: 1234, Login: "ada", Name: "Ada Lovelace", AvatarURL: "https://img.example/ada.png",
	Emails: fakegithub.Verified("ada@example.com", "ada@other.example"),
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.IgnoreCurrent()) }

// world is a provider under test and the GitHub it talks to.
type world struct {
	*Provider
	github *fakegithub.GitHub
}

func newWorld(t testing.TB, config fakegithub.Config, configure ...func(*Provider)) *world {
	t.Helper()
	config.Clients = []fakegithub.Client{{ID: testClientID, Secret: testSecret, CallbackURL: registered}}
	github := providertest.StartGitHub(t, config)
	p := &Provider{URL: github.URL(), APIURL: github.URL(), ClientID: testClientID, ClientSecret: testSecret}
	for _, c := range configure {
		c(p)
	}
	provision(t, p)
	return &world{p, github}
}

// provision does what Caddy does with a module.
func provision(t testing.TB, p *Provider) {
	t.Helper()
	t.Cleanup(func() {
		if err := p.Cleanup(); err != nil {
			t.Error(err)
		}
	})
	if err := p.Provision(caddy.Context{}); err != nil {
		t.Fatal(err)
	}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
}

// browse begins a sign-in and returns what the browser brings back.
func (w *world) browse(t *testing.T) (private []byte, query url.Values) {
	t.Helper()
	location, private, err := w.LoginURL(t.Context(), redirectURI, "state")
	if err != nil {
		t.Fatal(err)
	}
	query, err = providertest.Browse(t.Context(), location, redirectURI)
	if err != nil {
		t.Fatal(err)
	}
	return private, query
}

func (w *world) signIn(t *testing.T, person fakegithub.Person, faults ...fakegithub.Fault) (providers.Identity, error) {
	t.Helper()
	w.github.Next(person, faults...)
	private, query := w.browse(t)
	return w.HandleCallback(t.Context(), redirectURI, private, query)
}
