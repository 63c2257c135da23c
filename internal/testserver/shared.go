package testserver

import (
	"sync"
	"testing"
)

// The servers that the tests of one binary share, started when first asked for.
// They end with it.
var (
	sharedRedis = sync.OnceValues(func() (*RedisServer, error) {
		s, err := startRedis(options{})
		if err == nil {
			s.shared = true
		}
		return s, err
	})
	sharedPostgres = sync.OnceValues(func() (*SQLServer, error) { return share(startPostgres(nil)) })
	sharedMariaDB  = sync.OnceValues(func() (*SQLServer, error) { return share(startMariaDB(nil)) })
)

func share(s *SQLServer, err error) (*SQLServer, error) {
	if err == nil {
		s.shared = true
	}
	return s, err
}

// SharedRedis is the Redis of this package's tests. Take NewURL's database of
// it, and leave the server alone.
func SharedRedis(t testing.TB) *RedisServer {
	t.Helper()
	s, err := sharedRedis()
	if err != nil {
		t.Fatalf("Redis: %v", err)
	}
	return s
}

// SharedPostgres is the PostgreSQL of this package's tests. Take a NewDatabase
// of it, and leave the server alone.
func SharedPostgres(t testing.TB) *SQLServer {
	t.Helper()
	s, err := sharedPostgres()
	if err != nil {
		t.Fatalf("PostgreSQL: %v", err)
	}
	return s
}

// SharedMariaDB is the MariaDB of this package's tests. Take a NewDatabase of
// it, and leave the server alone.
func SharedMariaDB(t testing.TB) *SQLServer {
	t.Helper()
	s, err := sharedMariaDB()
	if err != nil {
		t.Fatalf("MariaDB: %v", err)
	}
	return s
}
