package oidc

import (
	"testing"

	"github.com/datahq/auth-gateway/providers"
	"github.com/datahq/auth-gateway/providers/providertest"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

func TestContract(t *testing.T) {
	providertest.RunIdentityProvider(t, providertest.IdentityProviderSuite{
		RedirectURI: redirectURI,
		New: func(t testing.TB) providers.IdentityProvider {
			idp := startFor(t, ada)
			p := &Provider{Issuer: idp.Issuer(), ClientID: testClientID, ClientSecret: testSecret}
			provision(t, p)
			return p
		},
	})
}

func TestGoogleContract(t *testing.T) {
	providertest.RunIdentityProvider(t, providertest.IdentityProviderSuite{
		RedirectURI: redirectURI,
		New: func(t testing.TB) providers.IdentityProvider {
			g := &Google{Provider{Issuer: startFor(t, ada).Issuer(), ClientID: testClientID, ClientSecret: testSecret}}
			provision(t, g)
			return g
		},
	})
}

// startFor starts a provider at which person is always signed in.
func startFor(t testing.TB, person fakeidp.Person) *fakeidp.IdP {
	t.Helper()
	idp := providertest.StartIdP(t, fakeidp.Config{
		Clients: []fakeidp.Client{{ID: testClientID, Secret: testSecret, RedirectURIs: []string{redirectURI}}},
	})
	idp.Always(person)
	return idp
}
