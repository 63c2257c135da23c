package github

import (
	"testing"

	"github.com/datahq/auth-gateway/providers"
	"github.com/datahq/auth-gateway/providers/providertest"
	"github.com/datahq/auth-gateway/providers/providertest/fakegithub"
)

func TestContract(t *testing.T) {
	for name, config := range map[string]fakegithub.Config{
		"GitHub":                        {},
		"a GitHub that sends no issuer": {OmitIssuer: true},
	} {
		t.Run(name, func(t *testing.T) {
			providertest.RunIdentityProvider(t, providertest.IdentityProviderSuite{
				RedirectURI: redirectURI,
				New: func(t testing.TB) providers.IdentityProvider {
					w := newWorld(t, config)
					w.github.Always(ada)
					return w.Provider
				},
			})
		})
	}
}

// Ruling 19: GitHub has a redirect URI of its own, so it must not say that its
// callback always names the issuer.
func TestHasARedirectURIOfItsOwn(t *testing.T) {
	if _, ok := any(new(Provider)).(providers.IssuerSender); ok {
		t.Error("the provider is an IssuerSender, and would get the shared redirect URI")
	}
}
