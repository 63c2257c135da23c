package store

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// alchemy is SQLAlchemy 1.3.24's own expression for database URLs
// (sqlalchemy/engine/url.py), in Go's syntax.
var alchemy = regexp.MustCompile(`^(?P<name>[\w\+]+)://(?:(?P<username>[^:/]*)(?::(?P<password>.*))?@)?(?:(?:\[(?P<ipv6host>[^/]+)\]|(?P<ipv4host>[^/:]+))?(?::(?P<port>[^/]*))?)?(?:/(?P<database>.*))?$`)

// Contract 1.3, S41: any text is a database or an error, and neither shows the
// password; one way to write a database is one pool; and of a server's URL that
// SQLAlchemy reads as well we read the same.
func FuzzParseDSN(f *testing.F) {
	for _, text := range []string{
		"", "sqlite://", "sqlite:///:memory:", "sqlite:///rel.db", "sqlite:////abs/x.db?timeout=20", "/abs/x.db", "./x", "../x/", "sqlite+pysqlite:////a b%20c#d",
		"postgresql://u:p%40x@h:5433/db?sslmode=require", "postgres://u:p@ss:w/o?rd@h:5433/db", "postgresql:///db?host=/var/run/postgresql", "postgresql://[::1]:5433/db",
		"mysql+pymysql://u:p@/db?unix_socket=/run/m.sock&charset=utf8mb4", "mariadb://h/?db=d&passwd=secret", "postgresql://u:p@h1,h2/db", "postgresql://h/db?a=1&a=2", "oracle://u:p@h/db", "u:p@h://db",
		"postgresql://a%3Ab:c%2Fd%3f+%zz%@h/d%20b", "postgresql://:p@:1/", "postgresql://h/a@b", "mysql://u:p@h:p/db", "postgresql://u:\xff@h/db", "POSTGRESQL+x://h",
	} {
		f.Add(text, "hunter2")
	}
	f.Fuzz(func(t *testing.T, text, password string) {
		dsn, err := ParseDSN(text)
		if err == nil {
			checkDSN(t, text, dsn)
			checkAlchemy(t, text, dsn)
		}
		// A password that we know, in every place for one.
		if len(password) < 4 {
			return
		}
		secret := "zZ9" + url.QueryEscape(password) + "9Zz"
		for _, form := range []string{
			"postgresql://u:" + secret + "@" + text, "postgresql://u:" + secret + "@h" + text, "mysql://h/db?passwd=" + secret + "&" + text, "postgresql://u:" + secret + text,
			"postgresql://u:" + secret + "/" + text, text + "://u:" + secret + "@h/db", "sqlite://u:" + secret + "@" + text, "u:" + secret + "@" + text, text + "?password=" + secret,
			"postgresql://h/db?password=" + secret + "&port=" + text, "postgresql://h:" + secret + "@/" + text,
		} {
			dsn, err := ParseDSN(form)
			shown := fmt.Sprintf("%v %+v %#v %s %q %v", dsn, dsn, dsn, dsn, dsn, err)
			if err == nil {
				if dsn.kind == kindSQLite || strings.Contains(dsn.host+dsn.port+dsn.database+dsn.socket, "zZ9") {
					continue // it is a path or a name there, and no password
				}
			} else if strings.HasPrefix(form, "/") || strings.HasPrefix(form, ".") || strings.HasPrefix(strings.ToLower(form), "sqlite:///") || strings.HasPrefix(strings.ToLower(form), "sqlite+pysqlite:///") {
				continue // a path
			}
			if strings.Contains(shown, "zZ9") || strings.Contains(shown, "9Zz") {
				t.Errorf("%q shows its password: %s", form, shown)
			}
		}
	})
}

func checkDSN(t *testing.T, text string, dsn DSN) {
	t.Helper()
	if len(dsn.Key()) != 64 || dsn.kind == "" {
		t.Errorf("%q: %+v, key %q", text, dsn, dsn.Key())
	}
	if again, err := ParseDSN(text); err != nil || again != dsn || again.Key() != dsn.Key() {
		t.Errorf("%q is read in two ways", text)
	}
	changed := dsn
	changed.password += "x"
	if changed.Key() == dsn.Key() {
		t.Errorf("%q: another password has the same key", text)
	}
	if dsn.kind == kindSQLite {
		if dsn.user+dsn.password+dsn.host+dsn.port+dsn.socket+dsn.database+dsn.params != "" || dsn.path != "" && dsn.path[0] != '/' {
			t.Errorf("%q: %+v", text, dsn)
		}
		if again, err := ParseDSN(dsn.String()); dsn.path != "" && dsn.path != "/" && !strings.Contains(dsn.path, "?") && (err != nil || again != dsn) {
			t.Errorf("%q is shown as %q, which is %+v, %v", text, dsn, again, err)
		}
	}
}

// checkAlchemy compares with SQLAlchemy, where no argument overrules the URL.
func checkAlchemy(t *testing.T, text string, dsn DSN) {
	t.Helper()
	match := alchemy.FindStringSubmatch(text)
	if match == nil || dsn.kind == kindSQLite {
		return
	}
	group := func(name string) string { return match[alchemy.SubexpIndex(name)] }
	database, query, _ := strings.Cut(group("database"), "?")
	if query != "" || strings.ContainsAny(group("ipv4host")+group("ipv6host")+group("port"), "?[]") {
		return
	}
	port := group("port")
	got := []string{dsn.user, dsn.password, dsn.host, dsn.port, dsn.database}
	want := []string{unquote(group("username")), unquote(group("password")), group("ipv4host") + group("ipv6host"), port, database}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%q: got %q, SQLAlchemy %q", text, got, want)
			return
		}
	}
}
