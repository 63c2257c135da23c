package store

import (
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/testserver"
)

// All forms of DATABASE_URL that lead to a server.
func TestWaysToServers(t *testing.T) {
	for name, server := range sharedServers(t) {
		t.Run(name, func(t *testing.T) {
			url := server.NewDatabase(t)
			_, rest, _ := strings.Cut(url, "://")
			schemes := map[string][]string{
				"PostgreSQL": {"postgres", "postgresql", "postgresql+psycopg2", "postgresql+pg8000"},
				"MariaDB":    {"mysql", "mariadb", "mysql+pymysql", "mysql+mysqldb"},
			}[name]
			arguments := map[string]string{
				"PostgreSQL": "?sslmode=prefer&application_name=it%27s+me&connect_timeout=3&keepalives_idle=10&tcp_user_timeout=9000&options=-cTimeZone%3DAsia%2FTokyo&client_encoding=utf8",
				"MariaDB":    "?charset=utf8mb4&connect_timeout=3&read_timeout=20&ssl_mode=PREFERRED&use_unicode=1",
			}[name]
			var urls []string
			for _, scheme := range schemes {
				urls = append(urls, scheme+"://"+rest, scheme+"://"+rest+arguments)
			}
			for _, url := range append(urls, server.SocketURL(url)) {
				s := openTest(t, url, options{})
				if err := s.Ping(t.Context()); err != nil {
					t.Errorf("%s: %v", url, err)
				}
				if name == "PostgreSQL" && strings.Contains(url, "Tokyo") {
					if got := dump(t, pool(t, s), "SELECT current_setting('TimeZone') || ' ' || current_setting('application_name')"); got[0] != "Asia/Tokyo it's me" {
						t.Errorf("%s: %v", url, got)
					}
				}
			}
		})
	}
}

func TestServersWithTLS(t *testing.T) {
	onServers(t, func(t *testing.T, server *testserver.SQLServer, url string) {
		s := openTest(t, url, options{})
		if err := signIn(t, s, "u1"); err != nil {
			t.Error(err)
		}
		base, _, _ := strings.Cut(url, "?")
		var open, closed []string
		if strings.HasPrefix(url, "mysql") {
			open = []string{"", "?ssl_mode=REQUIRED", "?ssl_verify_cert=false&ssl_ca=" + server.CAFile, "?ssl_check_hostname=false&ssl_ca=" + server.CAFile, "?ssl=1&ssl_ca=" + server.CAFile}
			closed = []string{"?ssl_mode=DISABLED", "?ssl=true", "?ssl_check_hostname=false", "?ssl_ca=/nowhere", "?ssl_ca=" + t.TempDir()}
		} else {
			open = []string{"", "?sslmode=require", "?sslmode=prefer", "?sslmode=verify-ca&sslrootcert=" + server.CAFile}
			closed = []string{"?sslmode=disable", "?sslmode=verify-full&sslrootcert=/nowhere", "?sslmode=verify-full&sslrootcert=system"}
		}
		for _, arguments := range open {
			if err := openTest(t, base+arguments, options{}).Ping(t.Context()); err != nil {
				t.Errorf("%s: %v", arguments, err)
			}
		}
		for _, arguments := range closed {
			s, err := Open(t.Context(), parse(t, base+arguments), nil)
			if err == nil {
				s.Close()
				t.Errorf("%s: it was opened", arguments)
			} else if strings.Contains(err.Error(), server.Password) { // S41
				t.Errorf("%s: %v", arguments, err)
			}
		}
	}, testserver.TLS())
}
