package dev

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/goleak"

	"github.com/datahq/auth-gateway/providers/providertest"
)

const mountPoint = "/auth/login/dev"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.IgnoreCurrent()) }

// world is a gateway with nothing but the development sign-in.
type world struct {
	*Provider
	server      *httptest.Server
	base        *url.URL
	redirectURI string
}

func newWorld(t testing.TB, users ...User) *world {
	t.Helper()
	w := &world{}
	mux := http.NewServeMux()
	mux.Handle(mountPoint+"/", http.StripPrefix(mountPoint, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.Provider.ServeHTTP(rw, r)
	})))
	w.server = httptest.NewServer(mux)
	t.Cleanup(w.server.Close)
	base, err := url.Parse(w.server.URL + mountPoint)
	if err != nil {
		t.Fatal(err)
	}
	w.base = base
	w.redirectURI = w.server.URL + "/auth/oauth_callback/dev"
	w.Provider = load(t, users...)
	if err := w.Mount(base); err != nil {
		t.Fatal(err)
	}
	return w
}

// load does what Caddy does with a module.
func load(t testing.TB, users ...User) *Provider {
	t.Helper()
	p := &Provider{Samples: users}
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
	return p
}

// begin starts a sign-in and returns the address of the page.
func (w *world) begin(t testing.TB) (page *url.URL, private []byte) {
	t.Helper()
	location, private, err := w.LoginURL(t.Context(), w.redirectURI, "state")
	if err != nil {
		t.Fatal(err)
	}
	page, err = url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	return page, private
}

// with returns page's address with more in its query.
func with(page *url.URL, pairs ...string) string {
	u := *page
	query := u.Query()
	for i := 0; i+1 < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// choose follows a link of the page back to the gateway.
func (w *world) choose(t testing.TB, location string) url.Values {
	t.Helper()
	query, err := providertest.Browse(t.Context(), location, w.redirectURI)
	if err != nil {
		t.Fatal(err)
	}
	return query
}

// get asks for a page.
func get(t testing.TB, location string, header ...string) (int, http.Header, string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, location, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if strings.EqualFold(header[i], "Host") {
			r.Host = header[i+1]
			continue
		}
		r.Header.Set(header[i], header[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(body)
}
