package store

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestParseDSN(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, c := range []struct {
		url  string
		path string // "" is in memory
	}{
		{"sqlite:///rel.db", dir + "/rel.db"},
		{"sqlite:///sub/../rel.db", dir + "/rel.db"},
		{"sqlite:////abs/x.db", "/abs/x.db"},
		{"SQLite:////abs/x.db", "/abs/x.db"},
		{"sqlite+pysqlite:////abs/x.db", "/abs/x.db"},
		{"sqlite:////abs/a%20b #1.db", "/abs/a%20b #1.db"}, // literal, as in SQLAlchemy
		{"sqlite:////abs/x.db?check_same_thread=false&timeout=20", "/abs/x.db"},
		{"/abs/x.db", "/abs/x.db"},
		{"./x.db", dir + "/x.db"},
		{"../x.db", filepath.Dir(dir) + "/x.db"},
		{"sqlite://", ""},
		{"sqlite:///", ""},
		{"sqlite:///:memory:", ""},
	} {
		dsn, err := ParseDSN(c.url)
		if err != nil || dsn.kind != kindSQLite || dsn.path != c.path {
			t.Errorf("%q: %+v, %v; want path %q", c.url, dsn, err, c.path)
			continue
		}
		// Its own text leads to the same database.
		if again, err := ParseDSN(dsn.String()); err != nil || again != dsn || again.Key() != dsn.Key() {
			t.Errorf("%q: read again from %q: %+v, %v", c.url, dsn, again, err)
		}
	}
}

func TestParseDSNRefuses(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{"", "is empty"},
		{"sqlite://rel.db", "sqlite:///rel.db"},
		{"sqlite://user:hunter2@/x.db", "two slashes"},
		{"sqlite:////abs/", "directory"},
		{"/abs/", "directory"},
		{"sqlite:////abs/x.db?mode=ro", `"mode"`},
		{"sqlite:////abs/x.db?x://u:hunter2@h/db", "…"}, // the "?" was meant otherwise
		{"sqlite:////abs/x.db?%zz", "malformed"},
		{"sqlite:////abs/x.db\n", "control character"},
		{"auth.db", "neither a URL"},
		{":memory:", "neither a URL"},
		{"sqlite+pysqlcipher://:hunter2@/x.db", "found sqlite+pysqlcipher://"},
		{"oracle://u:hunter2@h/db", "found oracle://"},
		{"postgresq://u:hunter2@h/db", "found postgresq://"},
		{"mssql+pyodbc://u:hunter2@h/db", "found mssql+pyodbc://"},
		{"u:hunter2@h://db", "of no known kind"},
		{"u:hunter2@h/db", "neither a URL"},
	} {
		dsn, err := ParseDSN(c.url)
		if err == nil {
			t.Errorf("%q: %+v, want an error", c.url, dsn)
			continue
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v; want %q in it", c.url, err, c.want)
		}
		// S41: the password of a database never reaches a log.
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the error repeats the password: %v", c.url, err)
		}
	}
}

func TestDSNKeyTellsDatabasesApart(t *testing.T) {
	seen := map[string]string{}
	for _, url := range []string{
		"sqlite://", "/a.db", "/b.db", "postgresql://h/db", "mysql://h/db", "postgresql://u@h/db", "postgresql://h:1/db",
		"postgresql://h/db2", "postgresql://h2/db", "postgresql://h/db?sslmode=require", "postgresql:///db?host=/h", "postgresql:///h",
		// A changed password needs new connections.
		"postgresql://u:p@h/db", "postgresql://u:q@h/db",
	} {
		dsn, err := ParseDSN(url)
		if err != nil {
			t.Fatal(err)
		}
		key := dsn.Key()
		if other, ok := seen[key]; ok || len(key) != 64 {
			t.Errorf("%s has key %q, like %s", url, key, other)
		}
		seen[key] = url
	}
	for _, c := range [][2]string{
		{"postgres://u:p%40@h/db", "postgresql+psycopg2://u:p@@h/db"},
		{"mariadb://h/db?charset=utf8mb4&ssl=1", "mysql+pymysql://h/db?ssl=1&charset=utf8mb4"},
	} {
		if parse(t, c[0]).Key() != parse(t, c[1]).Key() {
			t.Errorf("%s and %s are one database and have two keys", c[0], c[1])
		}
	}
}
