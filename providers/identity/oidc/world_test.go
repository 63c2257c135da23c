package oidc

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/goleak"

	"github.com/datahq/auth-gateway/providers"
	"github.com/datahq/auth-gateway/providers/providertest"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

const (
	redirectURI  = "http://127.0.0.1/auth/oauth_callback"
	testClientID = "gateway"
	testSecret   = "s3cret:with+odd/characters"
)

var ada = fakeidp.Person{
	Subject: "1234", Email: "ada@example.com", EmailVerified: true, Name: "Ada Lovelace", Username: "ada",
	Picture: "https://img.example/ada.png",
	Extra:   map[string]any{"groups": []string{"staff", "admin"}, "hd": "example.com"},
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.IgnoreCurrent()) }

// world is a provider under test and the server it talks to.
type world struct {
	*Provider
	idp *fakeidp.IdP
}

func newWorld(t *testing.T, config fakeidp.Config, configure ...func(*Provider)) *world {
	t.Helper()
	if config.Clients == nil {
		config.Clients = []fakeidp.Client{{ID: testClientID, Secret: testSecret, RedirectURIs: []string{redirectURI}}}
	}
	idp := providertest.StartIdP(t, config)
	p := &Provider{Issuer: idp.Issuer(), ClientID: testClientID, ClientSecret: testSecret}
	for _, c := range configure {
		c(p)
	}
	provision(t, p)
	return &world{p, idp}
}

// module is what Caddy does with a provider.
type module interface {
	caddy.Provisioner
	caddy.Validator
	caddy.CleanerUpper
}

func provision(t testing.TB, m module) {
	t.Helper()
	t.Cleanup(func() {
		if err := m.Cleanup(); err != nil {
			t.Error(err)
		}
	})
	if err := m.Provision(caddy.Context{}); err != nil {
		t.Fatal(err)
	}
	if err := m.Validate(); err != nil {
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

func (w *world) signIn(t *testing.T, person fakeidp.Person, faults ...fakeidp.Fault) (providers.Identity, error) {
	t.Helper()
	w.idp.Next(person, faults...)
	private, query := w.browse(t)
	return w.HandleCallback(t.Context(), redirectURI, private, query)
}

// clock is a clock that a test moves.
type clock struct{ offset time.Duration }

func (c *clock) now() time.Time { return time.Now().Add(c.offset) }

// within bounds a call that would otherwise wait for the 10 s time-out.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
