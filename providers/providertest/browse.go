package providertest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

const maxHops = 10

// Browse follows redirects from location until one goes to redirectURI, and
// returns the query that it brings there. redirectURI itself is not requested.
func Browse(ctx context.Context, location, redirectURI string) (url.Values, error) {
	end, err := url.Parse(redirectURI)
	if err != nil {
		return nil, fmt.Errorf("reading the redirect URI: %w", err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	for range maxHops {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, location, http.NoBody)
		if err != nil {
			return nil, err
		}
		resp, err := transport.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		if err := resp.Body.Close(); err != nil {
			return nil, err
		}
		next, err := resp.Location()
		if err != nil {
			return nil, fmt.Errorf("status %d from %s, want a redirect", resp.StatusCode, r.URL.Host)
		}
		if next.Scheme == end.Scheme && next.Host == end.Host && next.Path == end.Path {
			return next.Query(), nil
		}
		location = next.String()
	}
	return nil, errors.New("too many redirects")
}

// StartIdP serves a fake OpenID Connect provider until the test ends. It sets
// config.Issuer.
func StartIdP(t testing.TB, config fakeidp.Config) *fakeidp.IdP {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	config.Issuer = "http://" + server.Listener.Addr().String()
	idp := fakeidp.New(config)
	server.Config.Handler = idp
	server.Start()
	t.Cleanup(server.Close)
	return idp
}

func newState() string { return rand.Text() }
