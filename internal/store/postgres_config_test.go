package store

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/providers"
)

// What the driver makes of a URL.
func TestPostgresConfig(t *testing.T) {
	for _, name := range []string{"PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGAPPNAME", "PGSSLMODE", "PGSERVICE", "PGPASSFILE"} {
		t.Setenv(name, "")
		os.Unsetenv(name)
	}
	for _, c := range []struct{ url, want string }{
		{"postgresql://u:p%40x@h:5433/db?sslmode=disable", "u p@x h 5433 db 5s auth-gateway tls:false"},
		{"postgresql+psycopg2://u:it's \\ all'@h/db?sslmode=disable", `u it's \ all' h 5432 db 5s auth-gateway tls:false`},
		{"postgres://u@h/db?sslmode=require&connect_timeout=3&application_name=it%27s+me", "u  h 5432 db 3s it's me tls:true"},
		{"postgresql://u@h/db?sslmode=disable&fallback_application_name=mine&connect_timeout=0", "u  h 5432 db 5s mine tls:false"},
		{"postgresql://u:p@/db?host=/run/my sockets&port=5433", "u p /run/my sockets 5433 db 5s auth-gateway tls:false"},
		{"postgresql://[::1]/db?user=u&sslmode=disable&gssencmode=prefer&keepalives=0", "u  ::1 5432 db 5s auth-gateway tls:false"},
		{"postgresql://u@h/d'b?sslmode=disable", "u  h 5432 d'b 5s auth-gateway tls:false"},
	} {
		config, err := postgresConfig(parse(t, c.url))
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
			continue
		}
		got := fmt.Sprintf("%s %s %s %d %s %s %s tls:%v", config.User, config.Password, config.Host, config.Port, config.Database,
			config.ConnectTimeout, config.RuntimeParams["application_name"], config.TLSConfig != nil)
		if got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.url, got, c.want)
		}
		for name := range config.RuntimeParams {
			if name != "application_name" {
				t.Errorf("%s: the server would be asked for %q", c.url, name)
			}
		}
	}

	// As libpq does, where the URL says nothing.
	t.Setenv("PGHOST", "elsewhere")
	t.Setenv("PGPASSWORD", "hunter2")
	config, err := postgresConfig(parse(t, "postgresql://u@/db"))
	if err != nil || config.Host != "elsewhere" || config.Password != "hunter2" || config.ConnectTimeout != 5*time.Second {
		t.Errorf("from the environment: %s %v", config.Host, err)
	}
}

// What cannot lead to a database is told so, for good, and without the password.
func TestUnusableArguments(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{"postgresql://u:hunter2@h/db?sslmode=verify-full&sslrootcert=/nowhere/ca.pem", "/nowhere/ca.pem"},
		{"postgresql://u:hunter2@h/db?sslcert=/nowhere/c.pem&sslkey=/nowhere/k.pem&sslpassword=hunter2", "/nowhere/k.pem"},
		{"postgresql://u:hunter2@h/db?require_auth=dance&password=hunter2", "require_auth"},
		{"mysql://u:hunter2@h/db?ssl_ca=/nowhere/ca.pem", "/nowhere/ca.pem"},
		{"mysql://u:hunter2@h/db?ssl_cert=/nowhere/c.pem&ssl_key=/nowhere/k.pem", "/nowhere/c.pem"},
	} {
		s, err := Open(t.Context(), parse(t, c.url), nil)
		if err == nil {
			s.Close()
			t.Errorf("%s: it was opened", c.url)
			continue
		}
		if errors.Is(err, providers.ErrUnavailable) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q, and not that it may help to try again", c.url, err, c.want)
		}
		if strings.Contains(err.Error(), "hunter2") { // S41
			t.Errorf("%s: the error shows the password: %v", c.url, err)
		}
	}
}
