package store

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// The kinds of database, and how they are called.
const (
	kindSQLite   = "sqlite"
	kindPostgres = "postgresql"
	kindMySQL    = "mysql"
)

// DSN says which database to open. Make one with ParseDSN.
type DSN struct {
	kind string // "" in the zero value, which nothing opens

	path string // of SQLite: absolute; "" is a database in memory

	server // of the others
}

// ParseDSN reads a database URL in the forms of SQLAlchemy 1.3, which are those
// of DATABASE_URL (contract 1.3), and plain paths:
//
//	sqlite:///rel.db            a file, relative to the working directory
//	sqlite:////abs.db           a file
//	/abs.db ./rel.db ../rel.db  a file
//	sqlite:///:memory: sqlite://  a database in memory, gone with its Store
//	postgresql://user:p%40ss@host:5432/db?sslmode=require
//	postgresql://user@/db?host=/socket/directory
//	mysql://user:p%40ss@host:3306/db?unix_socket=/socket
//
// postgres:// and mariadb:// are other spellings, and a driver may stand behind
// a "+", as in postgresql+psycopg2://; which one it is makes no difference. As
// in SQLAlchemy user and password are percent-decoded, and the path of a file
// is not; both it and the name of a database end at a "?". Arguments that only
// concern SQLite's driver for Python are passed over.
//
// The arguments of a PostgreSQL are libpq's: sslmode, sslrootcert and its kin,
// application_name (default auth-gateway), connect_timeout (in seconds, default
// 5), options, target_session_attrs and so on; what the URL does not say comes
// from where libpq looks, such as PGHOST and ~/.pgpass. Those of a MySQL are
// Python's drivers': charset, ssl_ca, ssl_cert and ssl_key, ssl_mode,
// ssl_check_hostname, connect_timeout, read_timeout and so on; a certificate of
// an authority there means that the server's is verified with its name. An
// argument that is not known, or that would have no effect, is an error.
//
// No error repeats a URL that may hold a password.
func ParseDSN(text string) (DSN, error) {
	if text == "" {
		return DSN{}, errors.New("database URL is empty; expected one like sqlite:////var/lib/auth/auth.db")
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		return DSN{}, errors.New("database URL holds a control character, perhaps a line break at its end")
	}
	scheme, rest, isURL := strings.Cut(text, "://")
	if !isURL {
		return parsePath(text)
	}
	kind, driver, _ := strings.Cut(strings.ToLower(scheme), "+")
	switch kind {
	case "sqlite":
		if driver != "" && driver != "pysqlite" {
			return DSN{}, fmt.Errorf("database URL asks for another SQLite than the ordinary one; expected sqlite://, found %s://", schemeForError(scheme))
		}
		return parseSQLite(rest)
	case "postgresql", "postgres":
		return parseServer(kindPostgres, rest)
	case "mysql", "mariadb":
		return parseServer(kindMySQL, rest)
	default:
		return DSN{}, fmt.Errorf("database URL is of no known kind; expected one like sqlite:////var/lib/auth/auth.db, found %s://", schemeForError(scheme))
	}
}

func parseSQLite(rest string) (DSN, error) {
	location, query, _ := strings.Cut(rest, "?")
	if err := checkArguments(query); err != nil {
		return DSN{}, err
	}
	switch {
	case location == "", location == "/", location == "/:memory:":
		return DSN{kind: kindSQLite}, nil
	case location[0] != '/':
		return DSN{}, errors.New("database URL has two slashes and a path; a relative path has three (sqlite:///rel.db), an absolute one four (sqlite:////abs.db)")
	}
	return fileDSN(location[1:])
}

// Exists reports whether there is such a database already. Of those that are not
// files it is not known, and taken for granted.
func (d DSN) Exists() bool {
	if d.path == "" {
		return true
	}
	_, err := os.Stat(d.path)
	return err == nil
}

// parsePath reads what is no URL. A bare word is no path: it is rather a slip
// than the wish for a file of that name wherever the gateway was started.
func parsePath(text string) (DSN, error) {
	slashed := filepath.ToSlash(text)
	if filepath.IsAbs(text) || strings.HasPrefix(slashed, "./") || strings.HasPrefix(slashed, "../") {
		return fileDSN(text)
	}
	return DSN{}, errors.New("database URL is neither a URL like sqlite:////var/lib/auth/auth.db nor a path that starts with / or ./")
}

func fileDSN(path string) (DSN, error) {
	if path[len(path)-1] == '/' || path[len(path)-1] == filepath.Separator {
		return DSN{}, fmt.Errorf("database file %s: the name of a directory; expected a file", path)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return DSN{}, fmt.Errorf("resolving database file %s: %w", path, err)
	}
	return DSN{kind: kindSQLite, path: abs}, nil
}

// checkArguments refuses what would silently have no effect (S39), but for
// the arguments of Python's sqlite3.connect that mean nothing here.
func checkArguments(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("database URL has a malformed part after the question mark")
	}
	for name := range values {
		if !slices.Contains([]string{"timeout", "check_same_thread", "isolation_level", "detect_types", "cached_statements"}, name) {
			return fmt.Errorf("database URL has an argument that SQLite databases do not take here: %q", argumentForError(name))
		}
	}
	return nil
}

// schemeForError returns a scheme if it is one: "user:secret@host" before a
// stray "://" is not to be repeated.
func schemeForError(scheme string) string {
	for _, r := range scheme {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '+' && r != '_' {
			return "…"
		}
	}
	return scheme
}

// argumentForError returns the name of an argument if it looks like one: behind
// a stray "?" or "&" it may be a piece of a password.
func argumentForError(name string) string {
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '_' {
			return "…"
		}
	}
	return name
}

// IsServer reports whether the database is a server, which gateways on several
// machines can share.
func (d DSN) IsServer() bool { return d.kind == kindPostgres || d.kind == kindMySQL }

// String returns a URL of the database, for logs and messages: without user,
// password and arguments.
func (d DSN) String() string {
	switch {
	case d.kind == "":
		return "no database"
	case d.kind == kindSQLite && d.path == "":
		return kindSQLite + ":///:memory:"
	case d.kind == kindSQLite:
		return kindSQLite + ":///" + d.path
	}
	host := d.host
	switch {
	case d.socket != "":
		host = "[" + d.socket + "]"
	case d.port != "":
		host = net.JoinHostPort(d.host, d.port)
	case strings.Contains(d.host, ":"):
		host = "[" + d.host + "]"
	}
	return d.kind + "://" + host + "/" + d.database
}

// GoString is String: no way of printing shows the password.
func (d DSN) GoString() string { return d.String() }

// Key returns a name that equal databases, opened in the same way, share, in
// 64 hexadecimal digits: for pools that live on across reloads. The password
// is in it, as a hash, since a changed one must make a new pool; it is not to
// be shown. All databases in memory share one.
func (d DSN) Key() string {
	fields := []string{d.kind, d.path, d.user, d.password, d.host, d.port, d.socket, d.database, d.params}
	for i, field := range fields {
		fields[i] = url.QueryEscape(field)
	}
	sum := sha256.Sum256([]byte(strings.Join(fields, "&")))
	return hex.EncodeToString(sum[:])
}
