package caddymodule_test

import (
	"compress/gzip"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

// lies are what the token endpoint of a provider may do to whoever calls it.
var lies = map[string]http.HandlerFunc{
	"no answer": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	"no end": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for r.Context().Err() == nil {
			_, _ = w.Write([]byte(" "))
			_ = http.NewResponseController(w).Flush()
			time.Sleep(50 * time.Millisecond)
		}
	},
	"no end, fast": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"`))
		for r.Context().Err() == nil {
			if _, err := w.Write([]byte(strings.Repeat("x", 1<<16))); err != nil {
				return
			}
		}
	},
	"small until it is unpacked": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		packed := gzip.NewWriter(w)
		_, _ = packed.Write([]byte(`{"access_token":"`))
		for range 1 << 10 {
			_, _ = packed.Write([]byte(strings.Repeat("x", 1<<16)))
		}
		_ = packed.Close()
	},
	"huge header": func(w http.ResponseWriter, _ *http.Request) {
		for i := range 2000 {
			w.Header().Set(fmt.Sprint("X-", i), strings.Repeat("x", 1<<10))
		}
	},
	"cut off": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(`{"access_token":"a"`))
	},
	"hangs up": func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			connection.Close()
		}
	},
	"other protocol": func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = connection.Write([]byte("SSH-2.0-OpenSSH_9.9\r\n"))
			connection.Close()
		}
	},
	"redirects": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "http://"+r.Host+"/token?again")
		w.WriteHeader(http.StatusTemporaryRedirect)
	},
	"created":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) },
	"nothing":   func(http.ResponseWriter, *http.Request) {},
	"page":      answers("text/html", `<script>alert("ada@example.com")</script>`),
	"page as":   answers("application/json", `<script>alert(1)</script>`),
	"deep":      answers("application/json", strings.Repeat(`{"a":`, 100_000)),
	"deep list": answers("application/json", strings.Repeat(`[`, 500_000)),
	"wrong":     answers("application/json", `{"access_token":["a"],"id_token":{"a":1},"token_type":7}`),
	"null":      answers("application/json", `null`),
	"no types":  answers("", `{"access_token":"a","token_type":"bearer","id_token":"a.b.c"}`),
	"huge ID token": answers("application/json",
		`{"access_token":"a","token_type":"bearer","id_token":"eyJhbGciOiJSUzI1NiJ9.`+strings.Repeat("A", 1<<19)+`.AA"}`),
}

func answers(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write([]byte(body))
	}
}

// lying is a provider that does everything right but the answer to the token
// request, and knows the connections that it has.
type lying struct {
	*fakeidp.IdP
	*httptest.Server
	lie   http.HandlerFunc
	mu    sync.Mutex
	conns map[net.Conn]bool
}

func newLying(t *testing.T, lie http.HandlerFunc) *lying {
	t.Helper()
	p := &lying{lie: lie, Server: httptest.NewUnstartedServer(nil), conns: make(map[net.Conn]bool)}
	p.IdP = fakeidp.New(fakeidp.Config{
		Issuer:  "http://" + p.Listener.Addr().String(),
		Clients: []fakeidp.Client{{ID: "gateway", Secret: "secret", RedirectAllowed: func(string) bool { return true }}},
	})
	p.Always(fakeidp.Person{Subject: "1", Email: "ada@example.com", EmailVerified: true})
	p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == string(fakeidp.Token) {
			// Only then does the server notice that the client has gone.
			_, _ = io.Copy(io.Discard, r.Body)
			p.lie(w, r)
			return
		}
		p.IdP.ServeHTTP(w, r)
	})
	p.Config.ConnState = func(c net.Conn, state http.ConnState) {
		p.mu.Lock()
		defer p.mu.Unlock()
		switch state {
		case http.StateActive:
			p.conns[c] = true
		case http.StateIdle, http.StateClosed, http.StateHijacked:
			delete(p.conns, c)
		}
	}
	p.Start()
	t.Cleanup(func() {
		p.CloseClientConnections()
		p.Close()
	})
	return p
}

// busy is how many calls are under way.
func (p *lying) busy() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns)
}

// S26, S39: whatever a provider answers, and if it never does, the sign-in ends
// within ten seconds on a page that says so; nobody is signed in, no user is
// made, and nothing goes on in the background.
func TestProviderLies(t *testing.T) {
	t.Parallel() // it waits
	config := gatewaytest.Config{Site: "auth_api", Auth: "rate_limits off\n"}
	provider := make(map[string]*lying)
	name := func(what string) string { return strings.NewReplacer(" ", "-", ",", "").Replace(strings.ToLower(what)) }
	for what, lie := range lies {
		provider[what] = newLying(t, lie)
		config.Auth += "login " + name(what) + " oidc {\nissuer " + provider[what].URL + "\nclient_id gateway\nclient_secret secret\n}\n"
	}
	g := gatewaytest.Start(t, config)
	t.Run("each", func(t *testing.T) { eachLie(t, g, provider, name) })
	if users := countUsers(t, g); users != 0 {
		t.Errorf("%d users were made", users)
	}
}

func eachLie(t *testing.T, g *gatewaytest.Gateway, provider map[string]*lying, name func(string) string) {
	for what, p := range provider {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			var all sync.WaitGroup
			for n := range 4 {
				b := gatewaytest.NewBrowser(t)
				callback := b.Navigate(b.Navigate(g.URL + "/auth/login/" + name(what) + "?next=/page").Location).Location
				all.Go(func() {
					began := time.Now()
					if n == 0 {
						answer := b.Fetch(callback)
						if answer.Status != http.StatusBadGateway && (answer.Status != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "") {
							t.Errorf("a program gets %d %s", answer.Status, answer.Body)
						}
						return
					}
					answer := b.Navigate(callback)
					wantFailure(t, g, b, answer, http.StatusBadGateway, "provider_")
					if took := time.Since(began); took > 20*time.Second { // ten, and a machine that is busy
						t.Errorf("it took %s", took)
					}
				})
			}
			all.Wait()
			for end := time.Now().Add(10 * time.Second); p.busy() > 0; time.Sleep(20 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("%d calls are still under way", p.busy())
				}
			}
		})
	}
}

func countUsers(t *testing.T, g *gatewaytest.Gateway) (users int) {
	t.Helper()
	database, err := sql.Open("sqlite", filepath.Join(g.State, "data", "caddy", "auth", "auth.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	if err := database.QueryRow("SELECT count(*) FROM users").Scan(&users); err != nil {
		t.Fatal(err)
	}
	return users
}
