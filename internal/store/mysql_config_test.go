package store

import (
	"fmt"
	"testing"
	"time"
)

// What the driver makes of a URL.
func TestMySQLConfig(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{"mysql://u:p%40x@h:3307/db", "u p@x tcp h:3307 db 5s 30s"},
		{"mysql+pymysql://u:p@/db?unix_socket=/run/mysqld/mysqld.sock&charset=utf8mb4", "u p unix /run/mysqld/mysqld.sock db 5s 30s"},
		{"mariadb://u@[::1]/d%20b?connect_timeout=3&read_timeout=7", "u  tcp [::1]:3306 d%20b 3s 7s"},
		{"mysql+mysqlconnector:///db?connection_timeout=2", "  tcp 127.0.0.1:3306 db 2s 30s"},
	} {
		config, err := mysqlConfig(parse(t, c.url))
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
			continue
		}
		got := fmt.Sprintf("%s %s %s %s %s %s %s", config.User, config.Passwd, config.Net, config.Addr, config.DBName, config.Timeout, config.ReadTimeout)
		if got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.url, got, c.want)
		}
		if !config.ParseTime || config.Loc != time.UTC || config.ClientFoundRows || config.MultiStatements || config.AllowCleartextPasswords || config.AllowAllFiles {
			t.Errorf("%s: settings that the queries, or safety, rest on: %+v", c.url, config)
		}
	}
}

// How a connection is secured: what asks for a certificate gets one that is
// verified, and its name, unless the URL says so.
func TestMySQLTLS(t *testing.T) {
	for arguments, want := range map[string]string{
		"":                                     "encrypted, plain if need be",
		"ssl_mode=PREFERRED":                   "encrypted, plain if need be",
		"ssl_mode=required":                    "encrypted",
		"ssl_mode=VERIFY_CA":                   "authority verified",
		"ssl_mode=VERIFY_IDENTITY":             "verified",
		"ssl_mode=DISABLED&ssl=true":           "plain",
		"ssl=true":                             "verified",
		"ssl=1&ssl_check_hostname=false":       "authority verified",
		"ssl=0":                                "plain",
		"ssl_disabled=True":                    "plain",
		"ssl_verify_cert=true":                 "verified",
		"ssl_verify_cert=false":                "encrypted",
		"ssl_verify_identity=true":             "verified",
		"ssl_verify_identity=false":            "authority verified",
		"unix_socket=/run/s":                   "plain",
		"unix_socket=/run/s&ssl_mode=required": "encrypted",
	} {
		config, err := mysqlConfig(parse(t, "mysql://h/db?"+arguments))
		if err != nil {
			t.Errorf("%s: %v", arguments, err)
			continue
		}
		got := "verified"
		switch {
		case config.TLS == nil:
			got = "plain"
		case config.TLS.VerifyConnection != nil:
			got = "authority verified"
		case config.AllowFallbackToPlaintext:
			got = "encrypted, plain if need be"
		case config.TLS.InsecureSkipVerify:
			got = "encrypted"
		}
		if got != want || config.TLS != nil && config.TLS.ServerName != "h" {
			t.Errorf("%q: %s, want %s", arguments, got, want)
		}
	}
}
