package oidc

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/providers"
	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

// The gateway starts without its provider, says 502 while it is down, does not
// hammer it, and recovers by itself.
func TestProviderDown(t *testing.T) {
	var clock clock
	w := newWorld(t, fakeidp.Config{}, func(p *Provider) { p.now = clock.now })
	if got := w.idp.Requests(fakeidp.Discovery); got != 0 {
		t.Fatalf("Provision asked the provider %d times, want never", got)
	}
	w.idp.Break(fakeidp.Discovery, fakeidp.Down)
	for range 5 {
		if _, _, err := w.LoginURL(t.Context(), redirectURI, "state"); !errors.Is(err, providers.ErrUnavailable) {
			t.Fatalf("error %v, want ErrUnavailable", err)
		}
		if _, err := w.SendsIssuer(t.Context()); !errors.Is(err, providers.ErrUnavailable) {
			t.Fatalf("error %v, want ErrUnavailable", err)
		}
	}
	if got := w.idp.Requests(fakeidp.Discovery); got != 1 {
		t.Errorf("a provider in trouble was asked %d times, want once in %s", got, failureLifetime)
	}
	w.idp.Break(fakeidp.Discovery, "")
	clock.offset = failureLifetime
	if _, err := w.signIn(t, ada); err != nil {
		t.Errorf("after the provider came back: %v", err)
	}
}

// Only the metadata is asked for once; a thousand sign-ins begin by one call.
func TestDiscoveryOnce(t *testing.T) {
	w := newWorld(t, fakeidp.Config{Delay: 50 * time.Millisecond})
	w.idp.Break(fakeidp.Discovery, fakeidp.Slow)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, _, err := w.LoginURL(t.Context(), redirectURI, "state"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := w.idp.Requests(fakeidp.Discovery); got != 1 {
		t.Errorf("%d calls, want 1", got)
	}
}

// A person who closes the browser does not end the call that others wait for.
func TestDiscoveryOutlivesItsFirstCaller(t *testing.T) {
	w := newWorld(t, fakeidp.Config{Delay: 200 * time.Millisecond})
	w.idp.Break(fakeidp.Discovery, fakeidp.Slow)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, _, err := w.LoginURL(ctx, redirectURI, "state")
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, providers.ErrUnavailable) {
		t.Fatalf("error %v, want that of the context and ErrUnavailable", err)
	}
	if _, _, err := w.LoginURL(t.Context(), redirectURI, "state"); err != nil {
		t.Errorf("the next caller: %v", err)
	}
	if got := w.idp.Requests(fakeidp.Discovery); got != 1 {
		t.Errorf("%d calls, want 1", got)
	}
}

func TestMetadataIsRefreshed(t *testing.T) {
	var clock clock
	w := newWorld(t, fakeidp.Config{}, func(p *Provider) { p.now = clock.now })
	for _, step := range []struct {
		name   string
		offset time.Duration
		fault  fakeidp.Fault
		calls  int
	}{
		{"first", 0, "", 1},
		{"fresh", 59 * time.Minute, fakeidp.Down, 1},
		{"stale, and the provider down: the old is kept", time.Hour + time.Minute, fakeidp.Down, 2},
		{"not asked again at once", time.Hour + time.Minute + time.Second, fakeidp.Down, 2},
		{"asked again", time.Hour + 2*time.Minute, "", 3},
		{"fresh again", 2 * time.Hour, "", 3},
	} {
		clock.offset = step.offset
		w.idp.Break(fakeidp.Discovery, step.fault)
		if _, _, err := w.LoginURL(t.Context(), redirectURI, "state"); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := w.idp.Requests(fakeidp.Discovery); got != step.calls {
			t.Fatalf("%s: %d calls, want %d", step.name, got, step.calls)
		}
	}
}

// S24, S26: metadata that must not be used.
func TestBadMetadata(t *testing.T) {
	tests := []struct {
		name     string
		metadata map[string]any
		text     string
	}{
		{"another issuer", map[string]any{"issuer": "https://attacker.example"}, "attacker.example"},
		{"no issuer", map[string]any{"issuer": nil}, "it is"},
		{"plain http to elsewhere", map[string]any{"token_endpoint": "http://idp.example/token"}, "token_endpoint"},
		{"no keys", map[string]any{"jwks_uri": nil}, "jwks_uri"},
		{"a script", map[string]any{"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint"},
		{"a relative address", map[string]any{"userinfo_endpoint": "/userinfo"}, "userinfo_endpoint"},
		{"a password in an address", map[string]any{"token_endpoint": "https://u:p@idp.example/token"}, "token_endpoint"},
		{"wrong type", map[string]any{"token_endpoint_auth_methods_supported": "client_secret_basic"}, "wrong type"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, fakeidp.Config{Metadata: test.metadata})
			_, _, err := w.LoginURL(t.Context(), redirectURI, "state")
			if !errors.Is(err, providers.ErrUnavailable) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("error %v, want ErrUnavailable and %q", err, test.text)
			}
		})
	}
}

// S26: metadata that two readers could read in two ways is none.
func TestMetadataIsStrict(t *testing.T) {
	for name, test := range map[string]struct {
		change func(metadata string) string
		text   string // in the error; "" means that it is used
	}{
		"good":          {func(s string) string { return s + "\n" }, ""},
		"garbage":       {func(s string) string { return s + "garbage" }, "discovery object"},
		"two objects":   {func(s string) string { return s + s }, "discovery object"},
		"issuer twice":  {func(s string) string { return `{"issuer":"https://attacker.example",` + s[1:] }, "twice"},
		"address twice": {func(s string) string { return `{"token_endpoint":"https://attacker.example/token",` + s[1:] }, "twice"},
		"twice inside":  {func(s string) string { return `{"x":{"a":1,"a":2},` + s[1:] }, "twice"},
		"broken UTF-8":  {func(s string) string { return "{\"x\":\"\xff\"," + s[1:] }, "UTF-8"},
		"deep": {func(s string) string {
			return `{"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "," + s[1:]
		}, "deep"},
		"null": {func(string) string { return "null" }, "it is"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, test.change(strings.ReplaceAll(
					`{"issuer":"@","authorization_endpoint":"@/a","token_endpoint":"@/t","jwks_uri":"@/k"}`, "@", "http://"+r.Host)))
			}))
			defer server.Close()
			client := idp.NewHTTPClient()
			defer client.CloseIdleConnections()
			got, err := newDiscovery(server.URL, "RS256", client, time.Now).get(t.Context())
			if test.text == "" {
				if err != nil || got.TokenURL != server.URL+"/t" {
					t.Errorf("%+v, %v; want the metadata", got, err)
				}
				return
			}
			if got != nil || !errors.Is(err, providers.ErrUnavailable) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("%+v, %v; want ErrUnavailable and %q", got, err, test.text)
			}
		})
	}
}

// S26 for every answer of discovery and keys.
func TestBrokenEndpoints(t *testing.T) {
	for _, endpoint := range []fakeidp.Endpoint{fakeidp.Discovery, fakeidp.JWKS, fakeidp.Userinfo} {
		for _, fault := range []fakeidp.Fault{
			fakeidp.Down, fakeidp.HTMLInsteadOfJSON, fakeidp.HugeAnswer, fakeidp.RedirectingToken,
		} {
			t.Run(string(endpoint)+" "+string(fault), func(t *testing.T) {
				w := newWorld(t, fakeidp.Config{})
				w.idp.Always(ada, fakeidp.EmailInUserinfo)
				w.idp.Break(endpoint, fault)
				var err error
				if endpoint == fakeidp.Discovery {
					_, _, err = w.LoginURL(t.Context(), redirectURI, "state")
				} else {
					private, query := w.browse(t)
					_, err = w.HandleCallback(t.Context(), redirectURI, private, query)
				}
				if !errors.Is(err, providers.ErrUnavailable) {
					t.Errorf("error %v, want ErrUnavailable", err)
				}
				if err != nil && (strings.Contains(err.Error(), "<script>") || len(err.Error()) > 1000) {
					t.Errorf("S25: the answer is in the error: %.2000v", err)
				}
			})
		}
	}
}

// S26: TLS is verified. The server's certificate is nobody's.
func TestTLSIsVerified(t *testing.T) {
	idp := fakeidp.New(fakeidp.Config{})
	server := httptest.NewTLSServer(idp)
	defer server.Close()
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	p := &Provider{Issuer: server.URL, ClientID: testClientID}
	provision(t, p)
	_, _, err := p.LoginURL(t.Context(), redirectURI, "state")
	if !errors.Is(err, providers.ErrUnavailable) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("error %v, want one about the certificate", err)
	}
	if got := idp.Requests(fakeidp.Discovery); got != 0 {
		t.Errorf("%d requests arrived", got)
	}
}

// A provider that hangs costs a sign-in at most its own patience.
func TestSlowProvider(t *testing.T) {
	w := newWorld(t, fakeidp.Config{Delay: time.Minute})
	w.idp.Always(ada, fakeidp.Slow)
	private, query := w.browse(t)
	start := time.Now()
	_, err := w.HandleCallback(within(t, 100*time.Millisecond), redirectURI, private, query)
	if !errors.Is(err, providers.ErrUnavailable) || time.Since(start) > 5*time.Second {
		t.Errorf("error %v after %s", err, time.Since(start))
	}
}

func TestNoServer(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	p := &Provider{Issuer: server.URL, ClientID: testClientID}
	provision(t, p)
	if _, _, err := p.LoginURL(t.Context(), redirectURI, "state"); !errors.Is(err, providers.ErrUnavailable) {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
}
