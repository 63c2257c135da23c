package testserver

import (
	"fmt"
	"net/url"
	"os/exec"
	"strconv"
	"testing"
)

// MariaDB starts a MariaDB for this test.
func MariaDB(t testing.TB, all ...Option) *SQLServer {
	t.Helper()
	s, err := startMariaDB(all)
	if err != nil {
		t.Fatalf("MariaDB: %v", err)
	}
	s.own(t)
	return s
}

func startMariaDB(all []Option) (*SQLServer, error) {
	const debianPackage = "mariadb-server"
	path, err := find("mariadbd", "/usr/sbin", debianPackage)
	if err != nil {
		return nil, err
	}
	var e mariadb
	if e.install, err = find("mariadb-install-db", "/usr/bin", debianPackage); err != nil {
		return nil, err
	}
	if e.mariadb, err = find("mariadb", "/usr/bin", debianPackage); err != nil {
		return nil, err
	}
	// Not with --user: who changes his user outlives us.
	as, err := unprivileged("mysql")
	if err != nil {
		return nil, err
	}
	p, err := newProcess(path, as)
	if err != nil {
		return nil, err
	}
	return startSQL(e, p, all)
}

// mariadb has the paths of two programs.
type mariadb struct{ install, mariadb string }

func (e mariadb) initialize(s *SQLServer) error {
	s.Socket = s.file("mariadb.sock")
	return s.outcome(s.command(e.install, "--no-defaults", "--datadir="+s.file("data"), "--innodb-log-file-size=8M",
		"--innodb-flush-method=nosync", "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"))
}

func (mariadb) arguments(s *SQLServer, port int) []string {
	arguments := []string{
		"--no-defaults", "--datadir=" + s.file("data"), "--socket=" + s.Socket, "--pid-file=" + s.file("mariadb.pid"),
		"--bind-address=127.0.0.1", "--port=" + strconv.Itoa(port), "--skip-name-resolve",
		"--max-connections=200", "--innodb-log-file-size=8M", "--innodb-buffer-pool-size=32M",
		"--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci", // as Debian's
	}
	if !s.options.durable {
		// Commits still reach the system, and so outlive a Kill.
		arguments = append(arguments, "--innodb-flush-log-at-trx-commit=2", "--innodb-flush-method=nosync", "--innodb-doublewrite=0")
	}
	if s.options.tls {
		arguments = append(arguments, "--require-secure-transport=ON", "--ssl-cert="+s.file("server.crt"), "--ssl-key="+s.file("server.key"))
	}
	return arguments
}

func (mariadb) setUp(s *SQLServer) string {
	return fmt.Sprintf(`DELETE FROM mysql.global_priv WHERE User = '' OR Host <> 'localhost';
FLUSH PRIVILEGES;
CREATE USER %s@'%%' IDENTIFIED BY '%s'`, s.User, s.Password)
}

func (e mariadb) client(s *SQLServer, database string) *exec.Cmd {
	// Root needs no password at the socket, which only root and the server can
	// reach.
	return s.command(e.mariadb, "--no-defaults", "--batch", "--raw", "--skip-column-names", "--default-character-set=utf8mb4",
		"--socket="+s.Socket, "--user=root", "--database="+database)
}

func (mariadb) create(s *SQLServer, database string) string {
	return fmt.Sprintf("CREATE DATABASE %[1]s; GRANT ALL ON %[1]s.* TO %[2]s@'%%'", database, s.User)
}

func (mariadb) drop(database string) string { return "DROP DATABASE IF EXISTS " + database }

func (mariadb) url(s *SQLServer, database string) *url.URL {
	u := &url.URL{Scheme: "mysql", User: url.UserPassword(s.User, s.Password), Host: s.Address, Path: "/" + database}
	if s.options.tls {
		u.RawQuery = query("ssl_ca", s.CAFile)
	}
	return u
}

func (mariadb) socketURL(s *SQLServer, database string) *url.URL {
	return &url.URL{
		Scheme: "mysql", User: url.UserPassword(s.User, s.Password), Path: "/" + database,
		RawQuery: query("unix_socket", s.Socket),
	}
}
