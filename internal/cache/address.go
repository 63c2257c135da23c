package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
)

// Address says where a Redis is and how to get in. Make one with ParseURL; the
// zero value is no Redis.
type Address struct {
	kind string // one of the schemes below; "" in the zero value
	tls  bool

	servers        string // host:port, and more of them behind commas; or a socket's path
	user, password string
	master         string // its name, with Sentinels
	database       int

	arguments
}

// The kinds of Redis, by their scheme without TLS.
const (
	oneRedis      = "redis"
	socketRedis   = "unix"
	sentinelRedis = "redis+sentinel"
	clusterRedis  = "redis+cluster"
)

const (
	redisPort    = "6379"
	sentinelPort = "26379"
)

// ParseURL reads a Redis URL:
//
//	redis://user:p%40ss@host:6379/0            one server
//	rediss://host:6379                         one server, with TLS
//	unix://user:p%40ss@/run/redis.sock?db=0    one server, at its socket
//	redis+sentinel://user:p%40ss@host:26379,host2:26379/mymaster/0
//	redis+cluster://user:p%40ss@host:6379,host2:6379
//
// The first three are those of all Redis clients; user, password, port and number
// of the database may be missing. Behind Sentinels and in a cluster user and
// password are the data servers'; some servers are enough to find the others;
// rediss+sentinel:// and rediss+cluster:// use TLS everywhere; and
// redis://host?cluster=true is a cluster too.
//
// Arguments, of which go-redis's URLs have most: db, client_name, pool_size,
// min_idle_conns, max_idle_conns, conn_max_idle_time, conn_max_lifetime,
// dial_timeout, read_timeout, write_timeout and pool_timeout (such as 250ms, or a
// number of seconds; at most 5 s), skip_verify=true (the server's certificate
// counts whoever signed it), ssl_ca_certs (the path of a PEM file with who may
// sign it), cluster, sentinel_username and sentinel_password. There are no
// retries and no reads from replicas, which know too late what was withdrawn.
//
// No error repeats the URL, which may hold a password.
func ParseURL(text string) (Address, error) {
	if text == "" {
		return Address{}, errors.New("the Redis URL is empty; expected one like redis://localhost:6379/0")
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		return Address{}, errors.New("the Redis URL holds a control character, perhaps a line break at its end")
	}
	scheme, rest, isURL := strings.Cut(text, "://")
	if !isURL {
		return Address{}, errors.New("the Redis URL has no scheme; expected one like redis://localhost:6379/0")
	}
	a, err := ofScheme(strings.ToLower(scheme))
	if err != nil {
		return Address{}, err
	}
	rest, query, _ := strings.Cut(rest, "?")
	if strings.Contains(rest+query, "#") {
		return Address{}, errors.New("the Redis URL holds a #; expected %23 in its place")
	}
	authority, path, _ := strings.Cut(rest, "/")
	if strings.Contains(path+query, "@") {
		return Address{}, errors.New("the Redis URL has an @ behind a slash or question mark; expected what is special in user and password percent-encoded: %2F and %3F")
	}
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		if err := a.readUser(authority[:at]); err != nil {
			return Address{}, err
		}
		authority = authority[at+1:]
	}
	if err := a.readArguments(query); err != nil {
		return Address{}, err
	}
	if err := a.readPath(path); err != nil {
		return Address{}, err
	}
	if err := a.readServers(authority); err != nil {
		return Address{}, err
	}
	return a, a.check()
}

func ofScheme(scheme string) (Address, error) {
	switch kind := strings.Replace(scheme, "rediss", "redis", 1); kind {
	case oneRedis, sentinelRedis, clusterRedis, socketRedis:
		return Address{kind: kind, tls: strings.HasPrefix(scheme, "rediss")}, nil
	}
	return Address{}, errors.New("the Redis URL has an unknown scheme; expected redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://")
}

func (a *Address) readUser(text string) error {
	user, password, _ := strings.Cut(text, ":")
	var errUser, errPassword error
	a.user, errUser = url.PathUnescape(user)
	a.password, errPassword = url.PathUnescape(password)
	if errUser != nil || errPassword != nil {
		return errors.New("the Redis URL has a malformed user or password; expected what is special in them percent-encoded: %25 for a percent sign")
	}
	return nil
}

// readPath reads what stands behind the servers.
func (a *Address) readPath(path string) error {
	if a.kind == socketRedis {
		a.servers = "/" + path
		return nil
	}
	parts := strings.Split(strings.TrimSuffix(path, "/"), "/")
	if a.kind == sentinelRedis {
		a.master, parts = parts[0], parts[1:]
	}
	if len(parts) == 0 || len(parts) == 1 && parts[0] == "" {
		return nil
	}
	database, err := strconv.Atoi(parts[0])
	if len(parts) > 1 || err != nil || database < 0 {
		return errors.New("the Redis URL has a path that is no number of a database; expected one like redis://localhost:6379/0")
	}
	a.database = database
	return nil
}

func (a *Address) readServers(text string) error {
	if a.kind == socketRedis {
		if text != "" {
			return errors.New("the Redis URL has a host before the path of a socket; expected three slashes, as in unix:///run/redis.sock")
		}
		return nil
	}
	defaultPort := redisPort
	if a.kind == sentinelRedis {
		defaultPort = sentinelPort
	}
	all := strings.Split(text, ",")
	for i, server := range all {
		if !strings.Contains(server, ":") || strings.HasSuffix(server, "]") {
			server += ":" + defaultPort
		}
		host, port, err := net.SplitHostPort(server)
		number, errPort := strconv.ParseUint(port, 10, 16)
		if err != nil || errPort != nil || number == 0 || host == "" && len(all) > 1 {
			// Not repeated: "user:password" without a host looks like it.
			return errors.New("the Redis URL has a server that is no host:port with a port from 1 to 65535")
		}
		if host == "" {
			host = "localhost"
		}
		all[i] = net.JoinHostPort(host, port)
	}
	if len(all) > 1 && a.kind == oneRedis {
		return errors.New("the Redis URL names several servers; expected one, or redis+sentinel:// or redis+cluster://")
	}
	a.servers = strings.Join(all, ",")
	return nil
}

// check refuses what does not go together.
func (a *Address) check() error {
	if a.cluster {
		if a.kind != oneRedis && a.kind != clusterRedis {
			return errors.New("the Redis URL has the argument cluster; expected it with redis:// and rediss:// only")
		}
		a.kind = clusterRedis
	}
	switch {
	case a.kind == sentinelRedis && a.master == "":
		return errors.New("the Redis URL lacks the name of the master; expected one like redis+sentinel://localhost:26379/mymaster/0")
	case a.kind == clusterRedis && a.database != 0:
		return errors.New("the Redis URL has the number of a database; a cluster has only 0")
	case a.kind == socketRedis && strings.HasSuffix(a.servers, "/"):
		return errors.New("the Redis URL has no path of a socket; expected one like unix:///run/redis.sock")
	case !a.tls && (a.skipVerify || a.caFile != ""):
		return errors.New("the Redis URL has an argument about certificates without TLS; expected rediss://")
	case a.kind != sentinelRedis && (a.sentinelUser != "" || a.sentinelPassword != ""):
		return errors.New("the Redis URL has an argument about Sentinels; expected it with redis+sentinel:// only")
	}
	if a.caFile != "" {
		abs, err := filepath.Abs(a.caFile)
		if err != nil {
			return fmt.Errorf("resolving the file with certificates for Redis: %w", err)
		}
		a.caFile = abs
	}
	return nil
}

// String returns a URL of the Redis, for logs and messages: without user,
// password and arguments.
func (a Address) String() string {
	scheme := a.kind
	if a.tls {
		scheme = strings.Replace(scheme, "redis", "rediss", 1)
	}
	switch a.kind {
	case "":
		return "no Redis"
	case socketRedis:
		return fmt.Sprintf("unix://%s?db=%d", a.servers, a.database)
	case sentinelRedis:
		return fmt.Sprintf("%s://%s/%s/%d", scheme, a.servers, a.master, a.database)
	case clusterRedis:
		return scheme + "://" + a.servers
	}
	return fmt.Sprintf("%s://%s/%d", scheme, a.servers, a.database)
}

// GoString is String: no way of printing shows the password.
func (a Address) GoString() string { return a.String() }

// Key returns a name that equal addresses, with the same way in, share, in 64
// hexadecimal digits: for pools that live on across reloads. The password is in
// it, as a hash, since a changed one must make a new pool; it is not to be
// shown.
func (a Address) Key() string {
	// Conversion drops the methods that would hide the secrets.
	type plain Address
	sum := sha256.Sum256(fmt.Appendf(nil, "%#v", plain(a)))
	return hex.EncodeToString(sum[:])
}
