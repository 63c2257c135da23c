package providertest

import (
	"net/http/httptest"
	"testing"

	"github.com/datahq/auth-gateway/providers/providertest/fakegithub"
)

// StartGitHub serves a stand-in for GitHub until the test ends. It sets
// config.URL.
func StartGitHub(t testing.TB, config fakegithub.Config) *fakegithub.GitHub {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	config.URL = "http://" + server.Listener.Addr().String()
	github := fakegithub.New(config)
	server.Config.Handler = github
	server.Start()
	t.Cleanup(server.Close)
	return github
}
