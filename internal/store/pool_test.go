package store

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/datahq/auth-gateway/internal/testserver"
	"github.com/datahq/auth-gateway/providers"
)

func TestPoolDefaults(t *testing.T) {
	defaults := Pool{MaxOpen: 8, MaxLifetime: time.Hour, MaxIdleTime: time.Minute}
	for _, c := range []struct{ pool, want Pool }{
		{Pool{}, Pool{MaxOpen: 8, MaxIdle: 8, MaxLifetime: time.Hour, MaxIdleTime: time.Minute}},
		{Pool{MaxOpen: 30, MaxIdle: 4}, Pool{MaxOpen: 30, MaxIdle: 4, MaxLifetime: time.Hour, MaxIdleTime: time.Minute}},
		{Pool{MaxOpen: 1, MaxIdle: -1, MaxLifetime: -1, MaxIdleTime: -1}, Pool{MaxOpen: 2, MaxIdle: -1, MaxLifetime: -1, MaxIdleTime: -1}},
	} {
		if got := c.pool.or(defaults); got != c.want {
			t.Errorf("%+v becomes %+v, want %+v", c.pool, got, c.want)
		}
	}
}

func TestTune(t *testing.T) {
	for name, c := range map[string]struct {
		url      string
		defaults int
		reserved int
	}{
		"file":       {tempFile(t), sqliteConnections(), 0},
		"memory":     {"sqlite://", sqliteConnections(), 1},
		"PostgreSQL": {testserver.SharedPostgres(t).NewDatabase(t), 8, 0},
	} {
		s := openTest(t, c.url, options{})
		if got := pool(t, s).Stats().MaxOpenConnections; got != c.defaults+c.reserved {
			t.Errorf("%s: %d connections by default, want %d", name, got, c.defaults+c.reserved)
		}
		s.Tune(Pool{MaxOpen: 3})
		if got := pool(t, s).Stats().MaxOpenConnections; got != 3+c.reserved {
			t.Errorf("%s: %d connections, want %d", name, got, 3+c.reserved)
		}
		if err := signIn(t, s, "u1"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Few connections serve a crowd, and the server sees no more of them.
func TestPoolIsHeeded(t *testing.T) {
	s := openTest(t, testserver.SharedPostgres(t).NewDatabase(t), options{})
	s.Tune(Pool{MaxOpen: 2})
	if err := signIn(t, s, "u1"); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if _, err := s.User(t.Context(), "u1"); err != nil {
				t.Error(err)
			}
			if err := s.TouchSession(t.Context(), "s1", time.Now()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := dump(t, pool(t, s), "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database()"); n[0] > "2" {
		t.Errorf("%s connections", n[0])
	}
}

// Those who wait for a row that somebody holds do not take the connections of
// those who read.
func TestReadersGoOnWhileWritersWait(t *testing.T) {
	for name, server := range sharedServers(t) {
		t.Run(name, func(t *testing.T) {
			url := server.NewDatabase(t)
			s := openTest(t, url, options{busyTimeout: 300 * time.Millisecond, queryTimeout: 2 * time.Second})
			holder := openTest(t, url, options{queryTimeout: time.Minute})
			if err := signIn(t, s, "u1"); err != nil {
				t.Fatal(err)
			}
			if err := s.SetDisabled(t.Context(), "u1", false); err != nil {
				t.Fatal(err)
			}
			held, release, done := make(chan struct{}), make(chan struct{}), make(chan error)
			go func() {
				done <- holder.write(context.WithoutCancel(t.Context()), "holding", func(tx *gorm.DB) error {
					err := tx.Exec("UPDATE auth_accounts SET created_at = 1 WHERE user_id = 'u1'").Error
					close(held)
					<-release
					return err
				})
			}()
			<-held
			var writers sync.WaitGroup
			for range 20 {
				writers.Go(func() {
					if err := s.SetDisabled(t.Context(), "u1", true); !errors.Is(err, providers.ErrUnavailable) {
						t.Errorf("a writer that waited: %v", err)
					}
				})
			}
			for range 100 {
				if _, err := s.User(t.Context(), "u1"); err != nil {
					t.Errorf("reading meanwhile: %v", err)
				}
			}
			writers.Wait()
			close(release)
			if err := <-done; err != nil {
				t.Errorf("the test itself: %v", err)
			}
			if err := s.SetDisabled(t.Context(), "u1", true); err != nil {
				t.Errorf("writing afterwards: %v", err)
			}
		})
	}
}

// S29: two who wait for each other start over, and nobody notices.
func TestDeadlocksStartOver(t *testing.T) {
	for name, server := range sharedServers(t) {
		t.Run(name, func(t *testing.T) {
			s := openTest(t, server.NewDatabase(t), options{})
			run(t, s, "CREATE TABLE turns (id INTEGER PRIMARY KEY, n INTEGER)")
			run(t, s, "INSERT INTO turns VALUES (1, 0), (2, 0)")
			var (
				all, both sync.WaitGroup
				tries     [2]int
			)
			both.Add(2)
			for i, order := range [][2]int{{1, 2}, {2, 1}} {
				all.Go(func() {
					err := s.write(t.Context(), "counting", func(tx *gorm.DB) error {
						tries[i]++
						if err := tx.Exec("UPDATE turns SET n = n + 1 WHERE id = ?", order[0]).Error; err != nil {
							return err
						}
						if tries[i] == 1 {
							both.Done()
							both.Wait()
						}
						return tx.Exec("UPDATE turns SET n = n + 1 WHERE id = ?", order[1]).Error
					})
					if err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if tries[0]+tries[1] < 3 {
				t.Errorf("the test itself: %v tries, no deadlock", tries)
			}
			var sum int
			if err := first(s.db, "SELECT SUM(n) FROM turns", nil, &sum); err != nil || sum != 4 {
				t.Errorf("sum %d, %v; want 4", sum, err)
			}
		})
	}
}
