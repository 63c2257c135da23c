package store

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// postgresArguments are the arguments of libpq that the driver takes as they
// are, with those that only the driver has, for servers behind a pooler.
var postgresArguments = []string{
	"application_name", "channel_binding", "connect_timeout", "max_protocol_version", "min_protocol_version",
	"options", "passfile", "require_auth", "service", "servicefile", "sslcert", "sslkey", "sslmode", "sslnegotiation",
	"sslpassword", "sslrootcert", "sslsni", "target_session_attrs",
	"default_query_exec_mode", "description_cache_capacity", "statement_cache_capacity",
}

// postgresMapped are the arguments that say what is done anyway, or that are
// turned into something else, with the values they may have; nil is any number.
var postgresMapped = map[string][]string{
	"client_encoding":           {"utf8", "UTF8", "utf-8", "UTF-8", "unicode", "auto"},
	"gssencmode":                {"disable", "prefer"},
	"keepalives":                {"0", "1"},
	"keepalives_idle":           nil,
	"keepalives_interval":       nil,
	"keepalives_count":          nil,
	"tcp_user_timeout":          nil,
	"fallback_application_name": {},
}

// checkPostgresArguments refuses what would have no effect (S39), and what can
// be told to be wrong without asking anybody.
func checkPostgresArguments(values url.Values) error {
	for name := range values {
		value := values.Get(name)
		allowed, mapped := postgresMapped[name]
		switch {
		case mapped && allowed == nil, name == "connect_timeout":
			if _, err := strconv.ParseUint(value, 10, 31); err != nil {
				return fmt.Errorf("database URL has an argument %q that is no number", name)
			}
		case mapped && len(allowed) > 0 && !slices.Contains(allowed, value):
			return fmt.Errorf("database URL has an argument %q with a value that is not taken here; expected %s", name, strings.Join(allowed, ", "))
		case name == "sslmode" && !slices.Contains([]string{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}, value):
			return errors.New(`database URL has an unknown "sslmode"; expected disable, allow, prefer, require, verify-ca or verify-full`)
		case name == "target_session_attrs" && !slices.Contains([]string{"any", "read-write", "primary"}, value):
			return errors.New(`database URL has an unusable "target_session_attrs"; expected any, read-write or primary`)
		case !mapped && !slices.Contains(postgresArguments, name):
			return fmt.Errorf("database URL has an argument that PostgreSQL databases do not take here: %q; settings of the server go into options=-cname=value", argumentForError(name))
		}
	}
	return nil
}

// postgresConfig makes the driver's configuration. What the URL does not say
// comes from where libpq looks: PGHOST and its kin, ~/.pgpass, the usual socket.
func postgresConfig(dsn DSN) (*pgx.ConnConfig, error) {
	values, err := url.ParseQuery(dsn.params)
	if err != nil {
		return nil, fmt.Errorf("%w: malformed arguments", errConfig)
	}
	if values.Get("application_name") == "" {
		values.Set("application_name", "auth-gateway")
		if name := values.Get("fallback_application_name"); name != "" {
			values.Set("application_name", name)
		}
	}
	number := func(name string, unit time.Duration, set *time.Duration) {
		if n, err := strconv.Atoi(values.Get(name)); err == nil && n > 0 {
			*set = time.Duration(n) * unit
		}
	}
	silence := defaultSilence
	number("tcp_user_timeout", time.Millisecond, &silence)
	dialer := newDialer(silence)
	number("keepalives_idle", time.Second, &dialer.KeepAliveConfig.Idle)
	number("keepalives_interval", time.Second, &dialer.KeepAliveConfig.Interval)
	if n, err := strconv.Atoi(values.Get("keepalives_count")); err == nil && n > 0 {
		dialer.KeepAliveConfig.Count = n
	}
	if values.Get("keepalives") == "0" {
		dialer.KeepAliveConfig.Enable = false
		dialer.KeepAlive = -1
	}
	for name := range postgresMapped {
		values.Del(name)
	}
	for name, value := range map[string]string{"user": dsn.user, "host": dsn.host + dsn.socket, "port": dsn.port, "dbname": dsn.database} {
		if value != "" {
			values.Set(name, value)
		}
	}
	var text strings.Builder
	quoter := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	for name := range values {
		fmt.Fprintf(&text, "%s='%s' ", name, quoter.Replace(values.Get(name)))
	}
	config, err := pgx.ParseConfig(text.String())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errConfig, postgresParseError(err))
	}
	// Not by way of the text, which errors show.
	if dsn.password != "" {
		config.Password = dsn.password
	}
	if config.ConnectTimeout <= 0 {
		config.ConnectTimeout = connectTimeout
	}
	config.DialFunc = dialer.DialContext
	return config, nil
}

// postgresParseError is the reason alone: the driver's error shows all that was
// given to it.
func postgresParseError(err error) error {
	var parse *pgconn.ParseConfigError
	if errors.As(err, &parse) {
		if reason := errors.Unwrap(parse); reason != nil {
			return reason
		}
		return errors.New("its arguments do not fit together")
	}
	return err
}
