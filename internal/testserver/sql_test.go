package testserver

import (
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// runAs runs SQL as a client with that URL would, and gives what was printed.
func runAs(t *testing.T, s *SQLServer, databaseURL, statements string) (string, error) {
	t.Helper()
	var command *exec.Cmd
	if e, is := s.engine.(postgres); is {
		command = s.command(e.program(s, "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", databaseURL)
	} else {
		u, err := url.Parse(databaseURL)
		if err != nil {
			t.Fatal(err)
		}
		password, _ := u.User.Password()
		arguments := []string{
			"--no-defaults", "--batch", "--skip-column-names",
			"--user=" + u.User.Username(), "--password=" + password, "--database=" + strings.TrimPrefix(u.Path, "/"),
		}
		if socket := u.Query().Get("unix_socket"); socket != "" {
			arguments = append(arguments, "--socket="+socket)
		} else {
			arguments = append(arguments, "--protocol=tcp", "--host="+u.Hostname(), "--port="+u.Port())
		}
		if ca := u.Query().Get("ssl_ca"); ca != "" {
			arguments = append(arguments, "--ssl-ca="+ca, "--ssl-verify-server-cert")
		} else {
			arguments = append(arguments, "--skip-ssl")
		}
		command = s.command(s.engine.(mariadb).mariadb, arguments...)
	}
	command.Stdin = strings.NewReader(statements)
	output, err := command.CombinedOutput()
	return strings.TrimSpace(string(output)), err
}

func wantRows(t *testing.T, s *SQLServer, databaseURL, statements, want string) {
	t.Helper()
	if got, err := runAs(t, s, databaseURL, statements); err != nil || got != want {
		t.Errorf("%s at %s: %q, %v; want %q", statements, databaseURL, got, err, want)
	}
}

func wantFailure(t *testing.T, s *SQLServer, databaseURL, statements string) {
	t.Helper()
	if got, err := runAs(t, s, databaseURL, statements); err == nil {
		t.Errorf("%s at %s: %q; want a failure", statements, databaseURL, got)
	}
}

func TestSharedSQL(t *testing.T) {
	for name, shared := range map[string]func(testing.TB) *SQLServer{"postgres": SharedPostgres, "mariadb": SharedMariaDB} {
		t.Run(name, func(t *testing.T) {
			s := shared(t)
			if s != shared(t) {
				t.Error("there are two shared servers")
			}
			other := s.NewDatabase(t)
			var first string
			t.Run("one", func(t *testing.T) {
				first = s.NewDatabase(t)
				wantRows(t, s, first, "CREATE TABLE x (a int); INSERT INTO x VALUES (1); SELECT a FROM x", "1")
				wantRows(t, s, s.SocketURL(first), "SELECT a FROM x", "1")
				if got := s.SQL(t, first, "SELECT a, 'ü' FROM x UNION SELECT 2, 'b' ORDER BY 1"); got != "1\tü\n2\tb" {
					t.Errorf("SQL: %q", got)
				}
				wantFailure(t, s, other, "SELECT a FROM x")
				wantFailure(t, s, strings.Replace(first, "p%40ss", "x", 1), "SELECT 1")
				wantFailure(t, s, strings.Replace(first, s.User+":", "root:", 1), "SELECT 1")
			})
			wantFailure(t, s, first, "SELECT 1") // dropped
			defer func() {
				if recover() == nil {
					t.Error("a shared server was killed")
				}
			}()
			s.Kill()
		})
	}
}

func TestSQLFaults(t *testing.T) {
	for name, start := range map[string]func(testing.TB, ...Option) *SQLServer{"postgres": Postgres, "mariadb": MariaDB} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			database := s.NewDatabase(t)
			wantRows(t, s, database, "CREATE TABLE x (a int); INSERT INTO x VALUES (1); SELECT a FROM x", "1")

			answer := make(chan string)
			s.Stop()
			go func() {
				got, _ := runAs(t, s, database, "SELECT a FROM x")
				answer <- got
			}()
			select {
			case got := <-answer:
				t.Errorf("a stopped server answered %q", got)
				go func() { answer <- got }()
			case <-time.After(200 * time.Millisecond):
			}
			s.Continue()
			if got := <-answer; got != "1" {
				t.Errorf("after Continue: %q", got)
			}

			s.Kill()
			wantFailure(t, s, database, "SELECT 1")
			s.Restart()
			wantRows(t, s, database, "SELECT a FROM x", "1")
			s.Shutdown()
			wantFailure(t, s, database, "SELECT 1")
			s.Restart()
			s.Restart() // of a running one
			wantRows(t, s, database, "SELECT a FROM x", "1")
		})
	}
}
