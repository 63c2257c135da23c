package caddymodule

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/internal/testserver"
	"github.com/datahq/auth-gateway/providers"
)

// S8 with real servers: while a gateway runs, its database is replaced by an
// older copy, in which the journal and its numbers begin again where the copy was
// made. Nothing is forgotten without reason before, and sign-outs count after.
func TestFeedAfterFailoverOfServers(t *testing.T) {
	for name, restart := range map[string]string{
		"PostgreSQL": "ALTER TABLE auth_changes ALTER COLUMN id RESTART WITH %d",
		"MariaDB":    "ALTER TABLE auth_changes AUTO_INCREMENT = %d",
	} {
		t.Run(name, func(t *testing.T) {
			server := testserver.SharedPostgres(t)
			if name == "MariaDB" {
				server = testserver.SharedMariaDB(t)
			}
			url := server.NewDatabase(t)
			dsn, err := store.ParseDSN(url)
			if err != nil {
				t.Fatal(err)
			}
			s, err := store.Open(t.Context(), dsn, nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			core, logs := observer.New(zap.WarnLevel)
			m := new(forgotten)
			f, err := newFeed(t.Context(), s, m, zap.New(core))
			if err != nil {
				t.Fatal(err)
			}
			end := func(ids ...string) {
				t.Helper()
				for _, id := range ids {
					session := providers.Session{ID: id, UserID: "u1", ExpiresAt: time.Now().Add(time.Hour)}
					if err := s.CreateSession(t.Context(), session, []byte(id)); err != nil {
						t.Fatal(err)
					}
					if err := s.EndSession(t.Context(), id); err != nil {
						t.Fatal(err)
					}
				}
			}
			look := func(when string, want ...string) {
				t.Helper()
				m.names = nil
				for range 3 {
					f.look(t.Context())
				}
				if !slices.Equal(m.names, want) {
					t.Errorf("%s: forgotten %q, want %q; log %v", when, m.names, want, logs.All())
				}
			}
			failover := func(last string) {
				t.Helper()
				server.SQL(t, url, "DELETE FROM auth_changes WHERE id > "+last)
				next := server.SQL(t, url, "SELECT COALESCE(MAX(id), 0) + 1 FROM auth_changes")
				server.SQL(t, url, strings.ReplaceAll(restart, "%d", next))
			}

			end("s1", "s2", "s3")
			look("at first", "session s1", "session s2", "session s3")
			failover("1")
			end("lost", "again")
			look("the same numbers for others", "all")
			end("s4")
			look("afterwards", "session s4")
			failover("2")
			look("an older copy", "all")
			end("s5")
			look("in it", "session s5")
			failover("0")
			look("an empty one", "all")
			end("s6")
			look("the first in it", "session s6")
			if got := server.SQL(t, url, "SELECT MAX(id) FROM auth_changes"); got != fmt.Sprint(1) || f.last != 1 {
				t.Errorf("the test itself: the last number is %s, known is %d", got, f.last)
			}
		})
	}
}
