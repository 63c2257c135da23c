package store

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// DSN says which database to open. Make one with ParseDSN.
type DSN struct {
	driver string // "sqlite"; "" in the zero value, which nothing opens
	path   string // absolute; "" is a database in memory
}

// ParseDSN reads a database URL in the forms of SQLAlchemy, which are those of
// DATABASE_URL (contract 1.3), and plain paths:
//
//	sqlite:///rel.db            a file, relative to the working directory
//	sqlite:////abs.db           a file
//	/abs.db ./rel.db ../rel.db  a file
//	sqlite:///:memory: sqlite://  a database in memory, gone with its Store
//
// As in SQLAlchemy the path is literal, without percent-encoding, and ends at
// a "?"; arguments there that only concern the original's driver are passed
// over. No error repeats a URL that may hold a password.
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
	scheme = strings.ToLower(scheme)
	if scheme != "sqlite" && scheme != "sqlite+pysqlite" {
		return DSN{}, fmt.Errorf("this version opens SQLite databases only, by a URL like sqlite:////var/lib/auth/auth.db; found %s://", schemeForError(scheme))
	}
	location, query, _ := strings.Cut(rest, "?")
	if err := checkArguments(query); err != nil {
		return DSN{}, err
	}
	switch {
	case location == "", location == "/", location == "/:memory:":
		return DSN{driver: "sqlite"}, nil
	case location[0] != '/':
		return DSN{}, fmt.Errorf("database URL %q has two slashes and a path; a relative path has three (sqlite:///%s), an absolute one four", scheme+"://"+location, location)
	}
	return fileDSN(location[1:])
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
	return DSN{driver: "sqlite", path: abs}, nil
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
			return fmt.Errorf("database URL has an argument that SQLite databases do not take here: %q", name)
		}
	}
	return nil
}

// schemeForError returns a scheme if it is one: "user:secret@host" before a
// stray "://" is not to be repeated.
func schemeForError(scheme string) string {
	for _, r := range scheme {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '+' {
			return "…"
		}
	}
	return scheme
}

// String returns the URL without anything secret, for logs and messages.
func (d DSN) String() string {
	switch {
	case d.driver == "":
		return "no database"
	case d.path == "":
		return d.driver + ":///:memory:"
	default:
		return d.driver + ":///" + d.path
	}
}

// Key returns a name that equal databases share, in 64 hexadecimal digits and
// without anything secret: for pools that live on across reloads. All
// databases in memory share one.
func (d DSN) Key() string {
	sum := sha256.Sum256([]byte(d.driver + "\x00" + d.path))
	return hex.EncodeToString(sum[:])
}
