package testserver

import (
	"net"
	"net/url"
	"strings"
	"testing"
	"time"
)

// askURL sends a command as a client with that URL would.
func askURL(t *testing.T, redisURL string, command ...string) (any, error) {
	t.Helper()
	u, err := url.Parse(redisURL)
	if err != nil {
		t.Fatal(err)
	}
	var commands [][]string
	if password, is := u.User.Password(); is {
		auth := []string{"AUTH", password}
		if u.User.Username() != "" {
			auth = []string{"AUTH", u.User.Username(), password}
		}
		commands = append(commands, auth)
	}
	network, address := "tcp", u.Host
	if u.Scheme == "unix" {
		network, address = "unix", u.Path
	} else {
		commands = append(commands, []string{"SELECT", strings.TrimPrefix(u.Path, "/")})
	}
	return ask(network, address, append(commands, command)...)
}

func wantAnswer(t *testing.T, redisURL string, want any, command ...string) {
	t.Helper()
	if got, err := askURL(t, redisURL, command...); err != nil || got != want {
		t.Errorf("%v at %s: %v, %v; want %v", command, redisURL, got, err, want)
	}
}

func wantRefused(t *testing.T, redisURL, want string, command ...string) {
	t.Helper()
	if got, err := askURL(t, redisURL, command...); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v at %s: %v, %v; want %s", command, redisURL, got, err, want)
	}
}

func TestSharedRedis(t *testing.T) {
	s := SharedRedis(t)
	if s != SharedRedis(t) {
		t.Error("there are two shared servers")
	}
	var first string
	t.Run("one", func(t *testing.T) {
		first = s.NewURL(t)
		wantAnswer(t, first, "OK", "SET", "k", "v")
		if got := s.DoIn(t, first, "GET", "k"); got != "v" {
			t.Errorf("DoIn: %v", got)
		}
		wantAnswer(t, s.NewURL(t), nil, "GET", "k")
	})
	wantAnswer(t, first, nil, "GET", "k") // emptied
	defer func() {
		if recover() == nil {
			t.Error("a shared server was killed")
		}
	}()
	s.Kill()
}

func TestRedisFaults(t *testing.T) {
	s := Redis(t, Durable())
	wantAnswer(t, s.URL(), "OK", "SET", "k", "v")
	wantAnswer(t, s.SocketURL(), "v", "GET", "k")

	s.Stop()
	connection, err := net.Dial("tcp", s.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if _, err := connection.Write([]byte("PING\r\n")); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 7)
	_ = connection.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if n, err := connection.Read(answer); err == nil {
		t.Errorf("a stopped server answered %q", answer[:n])
	}
	s.Continue()
	_ = connection.SetReadDeadline(time.Now().Add(patience))
	if n, err := connection.Read(answer); string(answer[:n]) != "+PONG\r\n" {
		t.Errorf("after Continue: %q, %v", answer[:n], err)
	}

	s.Kill()
	wantRefused(t, s.URL(), "connection refused", "PING")
	s.Restart()
	wantAnswer(t, s.URL(), "v", "GET", "k")
	s.Shutdown()
	wantRefused(t, s.URL(), "connection refused", "PING")
	s.Restart()
	s.Stop()
	s.Restart() // of a stopped one
	wantAnswer(t, s.URL(), "v", "GET", "k")

	s.SetMaxMemory(1, "noeviction")
	wantRefused(t, s.URL(), "OOM", "SET", "k2", "v")
	s.SetMaxMemory(0, "noeviction")
	wantAnswer(t, s.URL(), "OK", "SET", "k2", "v")
	s.Forbid("set", "@dangerous")
	wantRefused(t, s.URL(), "NOPERM", "SET", "k2", "v")
	s.Allow("@all")
	wantAnswer(t, s.URL(), "OK", "SET", "k2", "v")
	s.Flush()
	wantAnswer(t, s.URL(), int64(0), "EXISTS", "k", "k2")
	if !strings.Contains(s.Log(), "Ready to accept connections") {
		t.Errorf("log: %s", s.Log())
	}
}

func TestRedisUsers(t *testing.T) {
	s := Redis(t, Password("p@ss/word"), Setting("maxclients 50"))
	wantAnswer(t, s.URL(), "PONG", "PING")
	wantAnswer(t, s.SocketURL(), "PONG", "PING")
	wantRefused(t, "redis://"+s.Address+"/0", "NOAUTH", "PING")
	if got := s.Do(t, "CONFIG", "GET", "maxclients"); got.([]any)[1] != "50" {
		t.Errorf("maxclients: %v", got)
	}

	s = Redis(t, User("gateway", "secret", "~auth:* +get +select"))
	wantAnswer(t, s.URL(), nil, "GET", "auth:x")
	wantRefused(t, s.URL(), "NOPERM", "GET", "x")
	wantRefused(t, s.URL(), "NOPERM", "SET", "auth:x", "y")
	wantRefused(t, "redis://"+s.Address+"/0", "NOAUTH", "PING")
}
