package testserver

import (
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// Postgres starts a PostgreSQL for this test.
func Postgres(t testing.TB, all ...Option) *SQLServer {
	t.Helper()
	s, err := startPostgres(all)
	if err != nil {
		t.Fatalf("PostgreSQL: %v", err)
	}
	s.own(t)
	return s
}

func startPostgres(all []Option) (*SQLServer, error) {
	path, err := find("postgres", "/usr/lib/postgresql/*/bin", "postgresql")
	if err != nil {
		return nil, err
	}
	// The other programs stand beside it.
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return nil, fmt.Errorf("finding postgres: %w", err)
	}
	// It refuses to be root.
	as, err := unprivileged("postgres")
	if err != nil {
		return nil, err
	}
	p, err := newProcess(path, as)
	if err != nil {
		return nil, err
	}
	p.interrupt = syscall.SIGINT // ends without waiting for clients
	return startSQL(postgres{}, p, all)
}

type postgres struct{}

// program is one of those that came with the server.
func (postgres) program(s *SQLServer, name string) string {
	return filepath.Join(filepath.Dir(s.path), name)
}

func (e postgres) initialize(s *SQLServer) error {
	if err := s.write("password", s.admin); err != nil {
		return err
	}
	err := s.outcome(s.command(e.program(s, "initdb"), "--pgdata", s.file("data"), "--username", "postgres",
		"--pwfile", s.file("password"), "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"))
	if err != nil || !s.options.tls {
		return err
	}
	return s.write("data/pg_hba.conf", `local all all scram-sha-256
hostssl all all 127.0.0.1/32 scram-sha-256
`)
}

func (postgres) arguments(s *SQLServer, port int) []string {
	s.Socket = s.dir
	arguments := []string{
		"-D", s.file("data"), "-p", strconv.Itoa(port), "-k", s.Socket, "-c", "listen_addresses=127.0.0.1",
		"-c", "max_connections=200", "-c", "shared_buffers=32MB", "-c", "unix_socket_permissions=0777",
	}
	if !s.options.durable {
		// Commits still reach the system, and so outlive a Kill.
		arguments = append(arguments, "-c", "fsync=off", "-c", "full_page_writes=off")
	}
	if s.options.tls {
		arguments = append(arguments, "-c", "ssl=on", "-c", "ssl_cert_file="+s.file("server.crt"), "-c", "ssl_key_file="+s.file("server.key"))
	}
	return arguments
}

func (postgres) setUp(s *SQLServer) string {
	return fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", s.User, s.Password)
}

func (e postgres) client(s *SQLServer, database string) *exec.Cmd {
	if database == "" {
		database = "postgres"
	}
	_, port, _ := net.SplitHostPort(s.Address)
	command := s.command(e.program(s, "psql"), "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--field-separator", "\t",
		"--set", "ON_ERROR_STOP=1", "--host", s.Socket, "--port", port, "--username", "postgres", "--dbname", database)
	command.Env = append(command.Env, "PGPASSWORD="+s.admin)
	return command
}

func (postgres) create(s *SQLServer, database string) string {
	return fmt.Sprintf("CREATE DATABASE %s OWNER %s", database, s.User)
}

func (postgres) drop(database string) string {
	return fmt.Sprintf("DROP DATABASE IF EXISTS %s WITH (FORCE)", database)
}

func (postgres) url(s *SQLServer, database string) *url.URL {
	u := &url.URL{Scheme: "postgresql", User: url.UserPassword(s.User, s.Password), Host: s.Address, Path: "/" + database}
	if s.options.tls {
		u.RawQuery = query("sslmode", "verify-full", "sslrootcert", s.CAFile)
	}
	return u
}

func (postgres) socketURL(s *SQLServer, database string) *url.URL {
	_, port, _ := net.SplitHostPort(s.Address)
	return &url.URL{
		Scheme: "postgresql", User: url.UserPassword(s.User, s.Password), Path: "/" + database,
		RawQuery: query("host", s.Socket, "port", port),
	}
}
