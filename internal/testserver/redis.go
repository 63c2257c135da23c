package testserver

import (
	"crypto/rand"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// redisDatabases is how many databases a Redis has.
const redisDatabases = 1024

// RedisServer is a Redis. What does something to it fails the test in which it
// was started if that does not work, and belongs into that test's goroutine.
type RedisServer struct {
	// Address is its TCP address, "127.0.0.1:<port>".
	Address string
	// Socket is the path of its Unix socket.
	Socket string
	// CAFile is a PEM file with the certificate of who signed the server's, with
	// TLS.
	CAFile string

	*faults
	options  options
	admin    string        // password of the user "admin"
	database *atomic.Int32 // the last one given out
}

// Redis starts a Redis for this test. It keeps nothing over a Restart but with
// Durable.
func Redis(t testing.TB, all ...Option) *RedisServer {
	t.Helper()
	s, err := startRedis(collect(all))
	if err != nil {
		t.Fatalf("Redis: %v", err)
	}
	s.own(t)
	return s
}

func startRedis(o options) (*RedisServer, error) {
	path, err := find("redis-server", "/usr/bin", "redis-server")
	if err != nil {
		return nil, err
	}
	as, err := unprivileged("redis")
	if err != nil {
		return nil, err
	}
	p, err := newProcess(path, as)
	if err != nil {
		return nil, err
	}
	s := &RedisServer{Socket: p.file("redis.sock"), faults: &faults{process: p}, options: o, admin: o.admin, database: new(atomic.Int32)}
	if s.admin == "" {
		s.admin = rand.Text()
	}
	p.args = []string{p.file("redis.conf")}
	if o.sentinel {
		p.args = append(p.args, "--sentinel")
	}
	p.ready = func() error {
		// While it reads its data, it answers with an error.
		_, err := s.send([]string{"PING"})
		return err
	}
	if o.tls {
		if s.CAFile, err = p.makeCertificate(); err != nil {
			p.remove()
			return nil, err
		}
	}
	err = p.startAnywhere(func(port int) error {
		s.Address = fmt.Sprintf("127.0.0.1:%d", port)
		text := s.config(port)
		if o.cluster {
			bus, err := freePort()
			if err != nil {
				return err
			}
			text += fmt.Sprintf("cluster-enabled yes\ncluster-node-timeout 1000\ncluster-port %d\n", bus)
		}
		return p.write("redis.conf", text)
	})
	if err != nil {
		p.remove()
		return nil, err
	}
	return s, nil
}

// config is the text of redis.conf.
func (s *RedisServer) config(port int) string {
	lines := []string{
		"bind 127.0.0.1",
		"unixsocket " + s.Socket,
		"dir " + s.dir,
		"databases " + strconv.Itoa(redisDatabases),
		`save ""`,
		"repl-diskless-sync-delay 0",
		// How we get in, whatever the test asked for.
		"user admin on >" + s.admin + " ~* &* +@all",
	}
	if s.options.tls {
		lines = append(lines,
			"port 0", fmt.Sprintf("tls-port %d", port), "tls-auth-clients no",
			"tls-cert-file "+s.file("server.crt"), "tls-key-file "+s.file("server.key"), "tls-ca-cert-file "+s.CAFile)
	} else {
		lines = append(lines, fmt.Sprintf("port %d", port))
	}
	if s.options.durable {
		lines = append(lines, "appendonly yes", "appendfsync always")
	}
	switch {
	case s.options.user != "":
		rules := s.options.rules
		if rules == "" {
			rules = "~* &* +@all"
		}
		lines = append(lines, "user default off", fmt.Sprintf("user %s on >%s %s", s.options.user, s.options.password, rules))
	case s.options.password != "":
		lines = append(lines, "requirepass "+s.options.password)
	}
	return strings.Join(append(lines, s.options.config...), "\n") + "\n"
}

// URL is its address with what one needs to get in,
// "redis://[user]:password@127.0.0.1:<port>/0", or "rediss://..." with TLS.
func (s *RedisServer) URL() string { return s.url(0) }

func (s *RedisServer) url(database int) string {
	u := url.URL{Scheme: "redis", Host: s.Address, Path: fmt.Sprintf("/%d", database)}
	if s.options.tls {
		u.Scheme = "rediss"
	}
	if s.options.password != "" {
		u.User = url.UserPassword(s.options.user, s.options.password)
	}
	return u.String()
}

// SocketURL is its Unix socket with what one needs to get in,
// "unix://[user]:password@/path/redis.sock".
func (s *RedisServer) SocketURL() string {
	u := url.URL{Scheme: "unix", Path: s.Socket}
	if s.options.password != "" {
		u.User = url.UserPassword(s.options.user, s.options.password)
	}
	return u.String()
}

// NewURL is a URL with a database of this Redis that no other test has, empty
// now and emptied when the test ends. Messages (PUBLISH) know no databases: who
// listens for some on a shared Redis wants a prefix of his own too.
func (s *RedisServer) NewURL(t testing.TB) string {
	t.Helper()
	database := int(s.database.Add(1))
	if database >= redisDatabases {
		t.Fatalf("Redis: more than %d databases", redisDatabases)
	}
	t.Cleanup(func() {
		if !s.shared {
			return // it ends with the test
		}
		if _, err := s.send([]string{"SELECT", strconv.Itoa(database)}, []string{"FLUSHDB"}); err != nil {
			t.Errorf("Redis: emptying a database: %v", err)
		}
	})
	return s.url(database)
}

// Do sends a command, as a user who may do everything, to database 0 (for
// another one see DoIn). The answer is a string, an int64, nil or an []any of
// these. An error that Redis answers fails the test.
func (s *RedisServer) Do(t testing.TB, command ...string) any {
	t.Helper()
	return s.do(t, "", command)
}

// DoIn is Do for the database of a URL from NewURL.
func (s *RedisServer) DoIn(t testing.TB, redisURL string, command ...string) any {
	t.Helper()
	u, err := url.Parse(redisURL)
	if err != nil {
		t.Fatalf("Redis: not a URL: %v", err)
	}
	return s.do(t, strings.TrimPrefix(u.Path, "/"), command)
}

func (s *RedisServer) do(t testing.TB, database string, command []string) any {
	t.Helper()
	commands := [][]string{command}
	if database != "" && database != "0" { // a sentinel has none to select
		commands = [][]string{{"SELECT", database}, command}
	}
	answer, err := s.send(commands...)
	if err != nil {
		t.Fatalf("Redis: %s: %v", command[0], err)
	}
	return answer
}

// send sends commands, and gives the last answer.
func (s *RedisServer) send(commands ...[]string) (any, error) {
	return ask("unix", s.Socket, append([][]string{{"AUTH", "admin", s.admin}}, commands...)...)
}

// Flush deletes everything.
func (s *RedisServer) Flush() {
	s.alone()
	s.t.Helper()
	s.Do(s.t, "FLUSHALL")
}

// SetMaxMemory limits the memory to some bytes, 0 for none. The policy is
// Redis's maxmemory-policy: "noeviction" answers writes with an error,
// "allkeys-lru" forgets. A Restart ends it.
func (s *RedisServer) SetMaxMemory(bytes int, policy string) {
	s.alone()
	s.t.Helper()
	s.Do(s.t, "CONFIG", "SET", "maxmemory", strconv.Itoa(bytes), "maxmemory-policy", policy)
}

// Forbid makes Redis refuse commands to the user of URL. They are named as in
// ACL rules, such as "set" or "@write". Allow ends it, and so does Restart.
func (s *RedisServer) Forbid(commands ...string) { s.permit("-", commands) }

// Allow ends what Forbid began.
func (s *RedisServer) Allow(commands ...string) { s.permit("+", commands) }

func (s *RedisServer) permit(sign string, commands []string) {
	s.alone()
	s.t.Helper()
	name := s.options.user
	if name == "" {
		name = "default"
	}
	rules := []string{"ACL", "SETUSER", name}
	for _, command := range commands {
		rules = append(rules, sign+command)
	}
	s.Do(s.t, rules...)
}
