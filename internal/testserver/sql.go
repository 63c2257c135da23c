package testserver

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net/url"
	"os/exec"
	"strings"
	"testing"
)

// SQLServer is a PostgreSQL or a MariaDB. What does something to it fails the
// test in which it was started if that does not work, and belongs into that
// test's goroutine.
type SQLServer struct {
	// Address is its TCP address, "127.0.0.1:<port>".
	Address string
	// Socket is its Unix socket: for PostgreSQL the folder that has it, for
	// MariaDB the socket itself.
	Socket string
	// User is who owns the databases. It is no superuser.
	User string
	// Password is the user's, random and with characters that need encoding in a
	// URL.
	Password string
	// CAFile is a PEM file with the certificate of who signed the server's, with
	// TLS.
	CAFile string

	*faults
	engine  engine
	options options
	admin   string // password of the superuser
}

// engine is what differs between the servers.
type engine interface {
	// initialize makes the files of an empty server.
	initialize(s *SQLServer) error
	// arguments start the server on a port.
	arguments(s *SQLServer, port int) []string
	// setUp makes the user and lets nobody in without a password.
	setUp(s *SQLServer) string
	// client reads SQL as superuser, "" for no particular database, and prints
	// rows whose fields are parted by tabs.
	client(s *SQLServer, database string) *exec.Cmd
	// create and drop are SQL.
	create(s *SQLServer, database string) string
	drop(database string) string
	// url and socketURL are a database's.
	url(s *SQLServer, database string) *url.URL
	socketURL(s *SQLServer, database string) *url.URL
}

func startSQL(e engine, p *process, all []Option) (*SQLServer, error) {
	s := &SQLServer{
		User: "gateway", Password: "p@ss/" + rand.Text(), admin: rand.Text(),
		faults: &faults{process: p}, engine: e, options: collect(all),
	}
	p.ready = func() error {
		_, err := s.run("", "SELECT 1")
		return err
	}
	if err := s.begin(); err != nil {
		p.remove()
		return nil, err
	}
	return s, nil
}

func (s *SQLServer) begin() (err error) {
	if s.options.tls {
		if s.CAFile, err = s.makeCertificate(); err != nil {
			return err
		}
	}
	if err := s.engine.initialize(s); err != nil {
		return err
	}
	err = s.startAnywhere(func(port int) error {
		s.Address = fmt.Sprintf("127.0.0.1:%d", port)
		s.args = append(s.engine.arguments(s, port), s.options.config...)
		return nil
	})
	if err != nil {
		return err
	}
	if _, err := s.run("", s.engine.setUp(s)); err != nil {
		return fmt.Errorf("setting up: %w", err)
	}
	return nil
}

// NewDatabase makes an empty database and gives its URL in SQLAlchemy's form,
// "postgresql://user:password@127.0.0.1:<port>/<database>" or "mysql://...".
// With TLS the URL asks for a verified certificate, in the words of the
// database's Python driver ("?sslmode=verify-full&sslrootcert=...",
// "?ssl_ca=..."). The database is dropped when the test ends.
func (s *SQLServer) NewDatabase(t testing.TB) (databaseURL string) {
	t.Helper()
	database := "test_" + strings.ToLower(rand.Text()[:12])
	if _, err := s.run("", s.engine.create(s, database)); err != nil {
		t.Fatalf("making a database: %v", err)
	}
	t.Cleanup(func() {
		if !s.shared {
			return // it ends with the test
		}
		if _, err := s.run("", s.engine.drop(database)); err != nil {
			t.Errorf("dropping a database: %v", err)
		}
	})
	return s.engine.url(s, database).String()
}

// SocketURL is a URL from NewDatabase by way of the Unix socket.
func (s *SQLServer) SocketURL(databaseURL string) string {
	return s.engine.socketURL(s, databaseOf(databaseURL)).String()
}

// SQL runs statements, separated by semicolons, as superuser in the database of
// a URL from NewDatabase, or in none of these if it is "". The answer is one
// line for each row, its fields parted by tabs, without a line end at the end.
// A failure fails the test.
func (s *SQLServer) SQL(t testing.TB, databaseURL, statements string) string {
	t.Helper()
	answer, err := s.run(databaseOf(databaseURL), statements)
	if err != nil {
		t.Fatalf("running SQL: %v", err)
	}
	return answer
}

func (s *SQLServer) run(database, statements string) (string, error) {
	command := s.engine.client(s, database)
	var output, complaint bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(statements), &output, &complaint
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("%w: %s", err, complaint.String())
	}
	return strings.TrimRight(output.String(), "\n"), nil
}

func databaseOf(databaseURL string) string {
	if u, err := url.Parse(databaseURL); err == nil {
		return strings.TrimPrefix(u.Path, "/")
	}
	return ""
}

// Through is a database's or a Redis's URL with another address, such as that
// of a proxy.
func Through(serverURL, address string) string {
	u, err := url.Parse(serverURL)
	if err != nil {
		panic("testserver: not a URL: " + serverURL)
	}
	u.Host = address
	return u.String()
}

// arguments that hold the values of a query, for TLS.
func query(pairs ...string) string {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return values.Encode()
}

func (p *process) outcome(command *exec.Cmd) error {
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", command.Path, err, output)
	}
	return nil
}
