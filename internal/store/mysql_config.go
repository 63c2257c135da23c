package store

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	driverMySQL "github.com/go-sql-driver/mysql"
)

// mysqlArguments are the arguments of Python's drivers that are taken here,
// with the values they may have in lower case; nil is any.
var mysqlArguments = map[string][]string{
	"charset":     {"utf8mb4", "utf8", "utf8mb3"}, // what is sent is UTF-8
	"use_unicode": {"0", "1", "true", "false"},
	"autocommit":  {"0", "1", "true", "false"},

	"connect_timeout": numbers, "connection_timeout": numbers, "read_timeout": numbers, "write_timeout": numbers,

	"ssl_ca": nil, "ssl_cert": nil, "ssl_key": nil,
	"ssl":                 {"0", "1", "true", "false"},
	"ssl_disabled":        {"0", "1", "true", "false"},
	"ssl_check_hostname":  {"0", "1", "true", "false"},
	"ssl_verify_cert":     {"0", "1", "true", "false"},
	"ssl_verify_identity": {"0", "1", "true", "false"},
	"ssl_mode":            {"disabled", "preferred", "required", "verify_ca", "verify_identity"},
}

// numbers stands for any number of seconds.
var numbers = []string{"number of seconds"}

// checkMySQLArguments refuses what would have no effect (S39), and what can be
// told to be wrong without asking anybody.
func checkMySQLArguments(values url.Values) error {
	for name := range values {
		allowed, known := mysqlArguments[name]
		value := strings.ToLower(values.Get(name))
		switch {
		case !known:
			return fmt.Errorf("database URL has an argument that MySQL databases do not take here: %q", argumentForError(name))
		case slices.Equal(allowed, numbers):
			if _, err := strconv.ParseUint(value, 10, 31); err != nil {
				return fmt.Errorf("database URL has an argument %q that is no number of seconds", name)
			}
		case allowed != nil && !slices.Contains(allowed, value):
			return fmt.Errorf("database URL has an argument %q with a value that is not taken here; expected %s", name, strings.Join(allowed, ", "))
		}
	}
	if (values.Get("ssl_cert") == "") != (values.Get("ssl_key") == "") {
		return errors.New(`database URL has one of "ssl_cert" and "ssl_key"; expected both or none`)
	}
	return nil
}

// mysqlConfig makes the driver's configuration.
func mysqlConfig(dsn DSN) (*driverMySQL.Config, error) {
	values, err := url.ParseQuery(dsn.params)
	if err != nil {
		return nil, fmt.Errorf("%w: malformed arguments", errConfig)
	}
	seconds := func(standard time.Duration, names ...string) time.Duration {
		for _, name := range names {
			if n, err := strconv.Atoi(values.Get(name)); err == nil && n > 0 {
				return time.Duration(n) * time.Second
			}
		}
		return standard
	}
	config := driverMySQL.NewConfig()
	config.User, config.Passwd, config.DBName = dsn.user, dsn.password, dsn.database
	host, port := dsn.host, dsn.port
	if host == "" {
		host = "127.0.0.1"
	}
	if port == "" {
		port = "3306"
	}
	config.Net, config.Addr = "tcp", net.JoinHostPort(host, port)
	if dsn.socket != "" {
		config.Net, config.Addr = "unix", dsn.socket
	}
	config.Timeout = seconds(connectTimeout, "connect_timeout", "connection_timeout")
	config.ReadTimeout = seconds(mysqlReadTimeout, "read_timeout")
	config.WriteTimeout = seconds(mysqlReadTimeout, "write_timeout")
	config.DialFunc = newDialer(defaultSilence).DialContext
	config.ParseTime = true
	config.Loc = time.UTC
	config.Collation = "utf8mb4_bin"
	// One round trip for a statement instead of three. It is safe since what is
	// sent is UTF-8 throughout.
	config.InterpolateParams = true
	config.ConnectionAttributes = "program_name:auth-gateway"
	config.Logger = &driverMySQL.NopLogger{}
	if config.TLS, config.AllowFallbackToPlaintext, err = mysqlTLS(values, host, config.Net == "unix"); err != nil {
		return nil, fmt.Errorf("%w: %w", errConfig, err)
	}
	return config, nil
}

// mysqlTLS says how a connection is secured. Without a word of it in the URL it
// is encrypted if the server can do so, as with MySQL's own client; with a
// certificate of an authority the server's must be signed by it and have its
// name.
func mysqlTLS(values url.Values, host string, local bool) (config *tls.Config, optional bool, err error) {
	says := func(name string, answers ...string) bool {
		return slices.Contains(answers, strings.ToLower(values.Get(name)))
	}
	mode := strings.ToLower(values.Get("ssl_mode"))
	switch {
	case mode != "":
	case says("ssl", "0", "false"), says("ssl_disabled", "1", "true"):
		mode = "disabled"
	case says("ssl_verify_cert", "0", "false"):
		mode = "required"
	case says("ssl_check_hostname", "0", "false"), says("ssl_verify_identity", "0", "false"):
		mode = "verify_ca"
	case values.Get("ssl_ca") != "", values.Get("ssl_cert") != "", says("ssl", "1", "true"), says("ssl_disabled", "0", "false"),
		says("ssl_verify_cert", "1", "true"), says("ssl_verify_identity", "1", "true"), says("ssl_check_hostname", "1", "true"):
		mode = "verify_identity"
	case local:
		mode = "disabled"
	default:
		mode = "preferred"
	}
	if mode == "disabled" {
		return nil, false, nil
	}
	config = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if file := values.Get("ssl_ca"); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, false, fmt.Errorf("reading ssl_ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, false, fmt.Errorf("reading ssl_ca: %s holds no certificate", file)
		}
	}
	if file := values.Get("ssl_cert"); file != "" {
		pair, err := tls.LoadX509KeyPair(file, values.Get("ssl_key"))
		if err != nil {
			return nil, false, fmt.Errorf("reading ssl_cert and ssl_key: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	config.InsecureSkipVerify = mode != "verify_identity"
	if mode == "verify_ca" {
		config.VerifyConnection = verifyChain(config.RootCAs)
	}
	return config, mode == "preferred", nil
}

// verifyChain is what crypto/tls does but for the name.
func verifyChain(roots *x509.CertPool) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
		for _, certificate := range state.PeerCertificates[1:] {
			options.Intermediates.AddCert(certificate)
		}
		_, err := state.PeerCertificates[0].Verify(options)
		return err
	}
}
