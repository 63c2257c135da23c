package store

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// server says where a database is that is not a file, and how to get in. The
// fields are "" where the URL does not say.
type server struct {
	user, password string
	host, port     string
	// socket is PostgreSQL's directory with the socket, or MySQL's socket
	// itself, instead of host and, but for PostgreSQL, port.
	socket   string
	database string
	// params are all other arguments, such as sslmode, as url.Values.Encode
	// writes them.
	params string
}

// serverURL is a URL behind the "://", as SQLAlchemy 1.3 takes it apart: a
// password ends at the last "@" and may hold anything, a user has no colon and
// no slash, and what follows must fit to the end.
var serverURL = regexp.MustCompile(`^(?:([^:/]*)(?::(.*))?@)?(?:\[([^/\]]+)\]|([^/:@?\[\]]*))(?::([^/?]*))?(?:/([^?]*))?(?:\?(.*))?$`)

func parseServer(kind, rest string) (DSN, error) {
	match := serverURL.FindStringSubmatch(rest)
	if match == nil {
		return DSN{}, fmt.Errorf("database URL is malformed; expected %s://user:password@host:port/database, with what is special in user and password percent-encoded", kind)
	}
	d := DSN{kind: kind, server: server{
		user: unquote(match[1]), password: unquote(match[2]),
		host: match[3] + match[4], port: match[5], database: match[6],
	}}
	if err := d.readArguments(match[7]); err != nil {
		return DSN{}, err
	}
	if d.port != "" {
		// Not repeated: it is a password if "user:password/…" lacks its host.
		if port, err := strconv.ParseUint(d.port, 10, 16); err != nil || port == 0 {
			return DSN{}, errors.New("database URL has a port that is no number from 1 to 65535")
		}
	}
	return d, nil
}

// readArguments reads what stands behind the question mark. As SQLAlchemy hands
// the arguments to the driver, those that say what the URL says too go over it.
func (d *DSN) readArguments(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("database URL has a malformed part after the question mark")
	}
	fields := map[string]*string{"user": &d.user, "password": &d.password, "host": &d.host, "port": &d.port}
	if d.kind == kindPostgres {
		fields["dbname"], fields["database"] = &d.database, &d.database
	} else {
		fields["unix_socket"] = &d.socket
		fields["passwd"], fields["db"], fields["database"] = &d.password, &d.database, &d.database
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		all := values[name]
		if len(all) > 1 {
			return fmt.Errorf("database URL has the argument %q several times; expected one server and one value", argumentForError(name))
		}
		field := fields[name]
		switch {
		case all[0] == "": // SQLAlchemy leaves it out
			delete(values, name)
		case field != nil:
			*field = all[0]
			delete(values, name)
		}
	}
	// libpq: a host that starts with a slash is the directory of the socket.
	if d.kind == kindPostgres && strings.HasPrefix(d.host, "/") {
		d.host, d.socket = "", d.host
	}
	if strings.Contains(d.host, ",") {
		return errors.New("database URL names several servers; expected one")
	}
	d.params = values.Encode()
	if d.kind == kindPostgres {
		return checkPostgresArguments(values)
	}
	return checkMySQLArguments(values)
}

// unquote decodes percent-encoding as Python does: what is none stays, and a
// "+" is one.
func unquote(text string) string {
	var decoded strings.Builder
	for text != "" {
		if text[0] == '%' && len(text) >= 3 {
			if b, err := strconv.ParseUint(text[1:3], 16, 8); err == nil {
				decoded.WriteByte(byte(b))
				text = text[3:]
				continue
			}
		}
		decoded.WriteByte(text[0])
		text = text[1:]
	}
	return decoded.String()
}
