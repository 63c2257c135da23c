package store

import (
	"fmt"
	"strings"
	"testing"
)

// Contract 1.3, DATABASE_URL: what SQLAlchemy 1.3 makes of each form.
func TestParseDSNOfServers(t *testing.T) {
	for _, c := range []struct {
		url  string
		want DSN
		text string
	}{
		{
			"postgresql://auth:secret@db.example:5433/users",
			DSN{kind: kindPostgres, server: server{user: "auth", password: "secret", host: "db.example", port: "5433", database: "users"}},
			"postgresql://db.example:5433/users",
		},
		{ // removed in SQLAlchemy 1.4, and what hosting services still give
			"postgres://auth:secret@db.example/users",
			DSN{kind: kindPostgres, server: server{user: "auth", password: "secret", host: "db.example", database: "users"}},
			"postgresql://db.example/users",
		},
		{
			"postgresql+psycopg2://u:p%40x@h:5433/db?sslmode=require",
			DSN{kind: kindPostgres, server: server{user: "u", password: "p@x", host: "h", port: "5433", database: "db", params: "sslmode=require"}},
			"postgresql://h:5433/db",
		},
		{"postgresql+pg8000://h/db", DSN{kind: kindPostgres, server: server{host: "h", database: "db"}}, "postgresql://h/db"},
		{"PostgreSQL+Psycopg2://h/db", DSN{kind: kindPostgres, server: server{host: "h", database: "db"}}, "postgresql://h/db"},
		{"postgresql:///db", DSN{kind: kindPostgres, server: server{database: "db"}}, "postgresql:///db"},
		{"postgresql://", DSN{kind: kindPostgres}, "postgresql:///"},
		{"postgresql:///", DSN{kind: kindPostgres}, "postgresql:///"},
		{"postgresql://h", DSN{kind: kindPostgres, server: server{host: "h"}}, "postgresql://h/"},
		{"postgresql://u@h/db", DSN{kind: kindPostgres, server: server{user: "u", host: "h", database: "db"}}, "postgresql://h/db"},
		{"postgresql://u:@h/db", DSN{kind: kindPostgres, server: server{user: "u", host: "h", database: "db"}}, "postgresql://h/db"},
		{"postgresql://:p@h/db", DSN{kind: kindPostgres, server: server{password: "p", host: "h", database: "db"}}, "postgresql://h/db"},
		{"postgresql://u@:5433/db", DSN{kind: kindPostgres, server: server{user: "u", port: "5433", database: "db"}}, "postgresql://:5433/db"},
		{"postgresql://h:/db", DSN{kind: kindPostgres, server: server{host: "h", database: "db"}}, "postgresql://h/db"},
		{
			"postgresql://u:p@/db?host=/var/run/postgresql",
			DSN{kind: kindPostgres, server: server{user: "u", password: "p", socket: "/var/run/postgresql", database: "db"}},
			"postgresql://[/var/run/postgresql]/db",
		},
		{
			"postgresql:///?host=/tmp&port=5433&user=u&password=secret&dbname=db&application_name=a+b&connect_timeout=&sslmode=verify-full",
			DSN{kind: kindPostgres, server: server{
				user: "u", password: "secret", socket: "/tmp", port: "5433", database: "db", params: "application_name=a+b&sslmode=verify-full",
			}},
			"postgresql://[/tmp]/db",
		},
		{ // the arguments reach the driver last
			"postgresql://u:p@h:1/db?host=h2&port=2",
			DSN{kind: kindPostgres, server: server{user: "u", password: "p", host: "h2", port: "2", database: "db"}},
			"postgresql://h2:2/db",
		},
		{"postgresql://[::1]:5433/db", DSN{kind: kindPostgres, server: server{host: "::1", port: "5433", database: "db"}}, "postgresql://[::1]:5433/db"},
		{"postgresql://u@[fe80::1]/db", DSN{kind: kindPostgres, server: server{user: "u", host: "fe80::1", database: "db"}}, "postgresql://[fe80::1]/db"},
		// Percent-decoding is Python's: of user and password only, "+" stays, and
		// so does what is no escape.
		{
			"postgresql://a%3Ab:c%2Fd%3f+%zz%@h/d%20b",
			DSN{kind: kindPostgres, server: server{user: "a:b", password: "c/d?+%zz%", host: "h", database: "d%20b"}},
			"postgresql://h/d%20b",
		},
		{"postgresql://u:p%C3%A9@h/db", DSN{kind: kindPostgres, server: server{user: "u", password: "pé", host: "h", database: "db"}}, "postgresql://h/db"},
		// SQLAlchemy 1.3 takes a password up to the last "@", so nobody had to
		// encode one.
		{
			"postgresql://u:p@ss:w/o?rd@h:5433/db",
			DSN{kind: kindPostgres, server: server{user: "u", password: "p@ss:w/o?rd", host: "h", port: "5433", database: "db"}},
			"postgresql://h:5433/db",
		},
		{"postgresql://h/a@b", DSN{kind: kindPostgres, server: server{host: "h", database: "a@b"}}, "postgresql://h/a@b"},
		{
			"mysql://u:p%40x@h:3307/db",
			DSN{kind: kindMySQL, server: server{user: "u", password: "p@x", host: "h", port: "3307", database: "db"}},
			"mysql://h:3307/db",
		},
		{
			"mysql+pymysql://u:p@/db?unix_socket=/run/mysqld/mysqld.sock&charset=utf8mb4",
			DSN{kind: kindMySQL, server: server{user: "u", password: "p", socket: "/run/mysqld/mysqld.sock", database: "db", params: "charset=utf8mb4"}},
			"mysql://[/run/mysqld/mysqld.sock]/db",
		},
		{"mysql+mysqldb://h/?db=d&passwd=secret", DSN{kind: kindMySQL, server: server{host: "h", password: "secret", database: "d"}}, "mysql://h/d"},
		{"mariadb+mysqlconnector://h/db", DSN{kind: kindMySQL, server: server{host: "h", database: "db"}}, "mysql://h/db"},
	} {
		got, err := ParseDSN(c.url)
		if err != nil || got != c.want {
			t.Errorf("%s\n got %s %+v, %v\nwant %s %+v", c.url, got.kind, got.server, err, c.want.kind, c.want.server)
			continue
		}
		// S41: no way of printing shows the password.
		if got.String() != c.text {
			t.Errorf("%s is shown as %s, want %s", c.url, got, c.text)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			if text := fmt.Sprintf(verb, got); text != c.text {
				t.Errorf("%s: %s shows %s", c.url, verb, text)
			}
		}
		// Whether it can be written, only its server knows.
		if err := got.CheckWritable(); err != nil || !got.Exists() {
			t.Errorf("%s: CheckWritable: %v, Exists: %v", c.url, err, got.Exists())
		}
	}
	if s, err := Open(t.Context(), DSN{}, nil); err == nil || DSN.CheckWritable(DSN{}) == nil {
		t.Errorf("the zero DSN was opened: %v", s)
	}
}

func TestParseDSNRefusesServers(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{"postgresql://u:hunter2@h:port/db", "number from 1 to 65535"},
		{"postgresql://u:hunter2@h:0/db", "number from 1 to 65535"},
		{"postgresql://u:hunter2@h:65536/db", "number from 1 to 65535"},
		{"postgresql://u:hunter2/db", "number from 1 to 65535"}, // the host is missing, and the password looks like a port
		{"postgresql://u:x@h/db?port=hunter2", "number from 1 to 65535"},
		{"postgresql://u:hunter2@h1:5432,h2:5432/db", "number from 1 to 65535"},
		{"postgresql://u:hunter2@h1,h2/db", "several servers"},
		{"postgresql://u:hunter2@/db?host=h1:1&host=h2:2", `"host" several times`},
		{"postgresql://u:hunter2@h/db?sslmode=require&sslmode=disable", `"sslmode" several times`},
		{"postgresql://h/db?password=x&hunter2=y", "…"}, // a "&" within a password
		{"postgresql://u:hunter2@h/db?%zz", "malformed part"},
		{"postgresql://u:hunter2@h/db?a=1;b=2", "malformed part"},
		{"postgresql://[::1/db", "malformed"},
		{"postgresql://u:hunter2@h/db\n", "control character"},
		{"mysql://u:hunter2@h:hunter2/db", "number from 1 to 65535"},
		// S39: what would have no effect is refused.
		{"postgresql://u:hunter2@h/db?sslmod=require", `"sslmod"`},
		{"postgresql://u:hunter2@h/db?sslmode=verify", "verify-full"},
		{"postgresql://u:hunter2@h/db?connect_timeout=soon", `"connect_timeout"`},
		{"postgresql://u:hunter2@h/db?search_path=x", "options=-c"},
		{"postgresql://u:hunter2@h/db?gssencmode=require", `"gssencmode"`},
		{"postgresql://u:hunter2@h/db?target_session_attrs=standby", `"target_session_attrs"`},
		{"postgresql://u:hunter2@h/db?client_encoding=latin1", `"client_encoding"`},
		{"postgresql://u:hunter2@h/db?charset=utf8mb4", `"charset"`},
		{"mysql://u:hunter2@h/db?sslmode=require", `"sslmode"`},
		{"mysql://u:hunter2@h/db?charset=latin1", `"charset"`},
		{"mysql://u:hunter2@h/db?ssl_mode=sometimes", `"ssl_mode"`},
		{"mysql://u:hunter2@h/db?ssl_cert=/c.pem", `"ssl_key"`},
		{"mysql://u:hunter2@h/db?ssl_cipher=x", `"ssl_cipher"`},
		{"mysql://u:hunter2@h/db?read_default_file=/x", `"read_default_file"`},
		{"mysql://u:hunter2@h/db?connect_timeout=-1", `"connect_timeout"`},
	} {
		dsn, err := ParseDSN(c.url)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, %v; want %q", c.url, dsn, err, c.want)
		} else if strings.Contains(err.Error(), "hunter2") { // S41
			t.Errorf("%q: the error repeats the password: %v", c.url, err)
		}
	}
}
