package testserver

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"strings"
	"testing"
)

func TestRedisTLS(t *testing.T) {
	s := Redis(t, TLS())
	if !strings.HasPrefix(s.URL(), "rediss://127.0.0.1:") {
		t.Errorf("URL %s", s.URL())
	}
	authority, err := os.ReadFile(s.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	for _, name := range []string{"127.0.0.1", "::1", "localhost"} {
		connection, err := tls.Dial("tcp", s.Address, &tls.Config{RootCAs: roots, ServerName: name})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := connection.Write([]byte("PING\r\n")); err != nil {
			t.Error(err)
		}
		answer := make([]byte, 7)
		if n, err := connection.Read(answer); string(answer[:n]) != "+PONG\r\n" {
			t.Errorf("%q, %v", answer[:n], err)
		}
		connection.Close()
	}
	if got, err := ask("tcp", s.Address, []string{"PING"}); err == nil {
		t.Errorf("without TLS: %v", got)
	}
	if got := s.Do(t, "PING"); got != "PONG" { // at the socket
		t.Errorf("Do: %v", got)
	}
}

func TestSQLTLS(t *testing.T) {
	for name, c := range map[string]struct {
		start                func(testing.TB, ...Option) *SQLServer
		encrypted, yes       string
		without, withoutWith string
	}{
		"postgres": {Postgres, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", "t", "sslmode=verify-full", "sslmode=disable"},
		"mariadb":  {MariaDB, "SELECT VARIABLE_VALUE <> '' FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'Ssl_cipher'", "1", "ssl_ca=", "x="},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.start(t, TLS())
			database := s.NewDatabase(t)
			wantRows(t, s, database, c.encrypted, c.yes)
			wantRows(t, s, s.SocketURL(database), "SELECT 1", "1")
			wantFailure(t, s, strings.Replace(database, c.without, c.withoutWith, 1), "SELECT 1")

			// A certificate of somebody else.
			other, err := newProcess("", s.credential)
			if err != nil {
				t.Fatal(err)
			}
			defer other.remove()
			file, err := other.makeCertificate()
			if err != nil {
				t.Fatal(err)
			}
			u := strings.Replace(database, query("x", s.CAFile)[2:], query("x", file)[2:], 1)
			if u == database {
				t.Fatal("the URL does not name the authority")
			}
			wantFailure(t, s, u, "SELECT 1")
		})
	}
}
