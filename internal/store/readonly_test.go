package store

import (
	"errors"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/testserver"
	"github.com/datahq/auth-gateway/providers"
)

// A server that has become read-only under a gateway is told from one that is
// gone: reading goes on, and writing says why it does not.
func TestServerThatIsReadOnly(t *testing.T) {
	onServers(t, func(t *testing.T, server *testserver.SQLServer, url string) {
		s := openTest(t, url, options{})
		if err := signIn(t, s, "u1"); err != nil {
			t.Fatal(err)
		}
		readOnly := func(on string) {
			t.Helper()
			if parse(t, url).kind == kindPostgres {
				// It counts for new connections.
				server.SQL(t, "", "ALTER SYSTEM SET default_transaction_read_only = "+on+"; SELECT pg_reload_conf()")
				server.SQL(t, url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '"+server.User+"'")
				return
			}
			server.SQL(t, "", "SET GLOBAL read_only = "+on)
		}
		readOnly("on")
		end := time.Now().Add(20 * time.Second)
		for what, call := range map[string]func() error{
			"sign-in":  func() error { return signIn(t, s, "meanwhile") },
			"sign-out": func() error { return s.SetDisabled(t.Context(), "u1", true) },
			"presence": func() error { _, err := s.Announce(t.Context(), Node{ID: "n"}, time.Minute); return err },
		} {
			err := call()
			for err == nil && time.Now().Before(end) { // the setting is not there at once
				time.Sleep(50 * time.Millisecond)
				err = call()
			}
			if !errors.Is(err, ErrNotWritable) || !errors.Is(err, providers.ErrUnavailable) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if _, err := s.User(t.Context(), "u1"); err != nil {
			t.Errorf("reading: %v", err)
		}
		if err := s.Ping(t.Context()); err != nil {
			t.Errorf("ping: %v", err)
		}
		readOnly("off")
		for {
			err := signIn(t, s, "afterwards")
			if err == nil {
				break
			}
			if time.Now().After(end.Add(20 * time.Second)) {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
}

// What is not for want of a place to write to is not said to be: a value that is
// refused, and a server that is gone.
func TestOtherFailuresAreNotReadOnly(t *testing.T) {
	onServers(t, func(t *testing.T, server *testserver.SQLServer, url string) {
		s := openTest(t, url, options{queryTimeout: 2 * time.Second})
		if err := s.SetDisabled(t.Context(), "nobody", true); err == nil || errors.Is(err, ErrNotWritable) {
			t.Errorf("nobody: %v", err)
		}
		server.Kill()
		if err := signIn(t, s, "u2"); err == nil || errors.Is(err, ErrNotWritable) {
			t.Errorf("a server that is gone: %v", err)
		}
	})
}
