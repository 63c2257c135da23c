package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/testserver"
	"github.com/datahq/auth-gateway/providers"
)

// Clients that do not ask for deadlines are not kept by a server that hangs.
func TestServerThatHangs(t *testing.T) {
	onServers(t, func(t *testing.T, server *testserver.SQLServer, url string) {
		s := openTest(t, url, options{queryTimeout: 300 * time.Millisecond, busyTimeout: 100 * time.Millisecond})
		if err := signIn(t, s, "u1"); err != nil {
			t.Fatal(err)
		}
		server.Stop()
		for what, call := range map[string]func() error{
			"reading":   func() error { _, err := s.User(t.Context(), "u1"); return err },
			"searching": func() error { _, err := s.UserByEmail(t.Context(), "u1@example.com"); return err },
			"writing":   func() error { return s.SetDisabled(t.Context(), "u1", true) },
			"pinging":   func() error { return s.Ping(t.Context()) },
			"heeding a deadline": func() error {
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				defer cancel()
				return s.EndSession(ctx, "x")
			},
		} {
			done := make(chan error, 1)
			go func() { done <- call() }()
			select {
			case err := <-done:
				if !errors.Is(err, providers.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: %v", what, err)
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("%s does not end", what)
			}
		}
		server.Continue()
		// Whatever hung is over, at once for new calls.
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			if _, err := s.User(t.Context(), "u1"); err == nil {
				break
			} else if time.Now().After(end) {
				t.Fatal(err)
			}
		}
		if err := s.SetDisabled(t.Context(), "u1", false); err != nil {
			t.Error(err)
		}
	})
}

// A server that was started anew has left dead connections in the pool. Nobody
// is to notice: neither who reads nor who writes.
func TestServerThatIsRestarted(t *testing.T) {
	onServers(t, func(t *testing.T, server *testserver.SQLServer, url string) {
		s := openTest(t, url, options{})
		if err := signIn(t, s, "u1"); err != nil {
			t.Fatal(err)
		}
		for i, restart := range []func(){server.Restart, func() { server.Kill(); server.Restart() }} {
			for _, first := range []string{"read", "write"} {
				// Fill the pool.
				var all sync.WaitGroup
				for range 20 {
					all.Go(func() {
						if _, err := s.User(t.Context(), "u1"); err != nil {
							t.Error(err)
						}
					})
				}
				all.Wait()
				restart()
				if first == "read" {
					for range 20 {
						all.Go(func() {
							if _, err := s.User(t.Context(), "u1"); err != nil {
								t.Errorf("reading after restart %d: %v", i, err)
							}
						})
					}
				} else {
					for n := range 4 {
						all.Go(func() {
							if err := signIn(t, s, fmt.Sprintf("u-%d-%d", i, n)); err != nil {
								t.Errorf("writing after restart %d: %v", i, err)
							}
						})
					}
				}
				all.Wait()
			}
		}
	}, testserver.Durable())
}

// A server that is gone is "cannot tell", soon; when it is back, all is well.
func TestServerThatIsGone(t *testing.T) {
	onServers(t, func(t *testing.T, server *testserver.SQLServer, url string) {
		s := openTest(t, url, options{})
		if err := signIn(t, s, "u1"); err != nil {
			t.Fatal(err)
		}
		server.Kill()
		if _, err := s.User(t.Context(), "u1"); !errors.Is(err, providers.ErrUnavailable) || errors.Is(err, providers.ErrNotFound) {
			t.Errorf("reading: %v", err)
		}
		if err := signIn(t, s, "u2"); !errors.Is(err, providers.ErrUnavailable) {
			t.Errorf("writing: %v", err)
		}
		if other, err := Open(t.Context(), parse(t, url), nil); !errors.Is(err, providers.ErrUnavailable) {
			t.Errorf("opening: %v", err)
			if err == nil {
				other.Close()
			}
		}
		server.Restart()
		if _, err := s.User(t.Context(), "u1"); err != nil {
			t.Errorf("reading afterwards: %v", err)
		}
		if err := signIn(t, s, "u2"); err != nil {
			t.Errorf("writing afterwards: %v", err)
		}
	}, testserver.Durable())
}

// A later version, on another machine, adds columns to tables of ours. Nobody
// who runs already is to notice, though his connections have statements
// prepared.
func TestTablesThatGrow(t *testing.T) {
	for name, server := range sharedServers(t) {
		t.Run(name, func(t *testing.T) {
			s := openTest(t, server.NewDatabase(t), options{})
			tables := []string{"users", "auth_adopted", "auth_identities", "auth_attempts", "auth_nodes", "auth_sessions", "permissions"}
			for round := range 3 {
				var all sync.WaitGroup
				for i := range 8 {
					all.Go(func() {
						id := fmt.Sprintf("u%d-%d", round, i)
						_, _, byCookie := s.SessionByCookie(t.Context(), []byte("x"))
						_, list := s.ListGrants(t.Context(), "u", "")
						_, announce := s.Announce(t.Context(), Node{ID: fmt.Sprint("n", i)}, time.Minute)
						_, _, take := s.TakeAttempt(t.Context(), []byte("x"))
						err := errors.Join(signIn(t, s, id), signIn(t, s, id), s.SetDisabled(t.Context(), id, true), list, announce)
						if err != nil || !errors.Is(byCookie, providers.ErrNotFound) || !errors.Is(take, providers.ErrNotFound) {
							t.Errorf("round %d: %v, %v, %v", round, err, byCookie, take)
						}
					})
				}
				all.Wait()
				for _, table := range tables {
					run(t, s, fmt.Sprintf("ALTER TABLE %s ADD COLUMN later%d INTEGER", table, round))
				}
			}
		})
	}
}
