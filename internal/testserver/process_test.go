package testserver

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// However a test binary dies, its servers die, and leave no files.
func TestDeath(t *testing.T) {
	for _, how := range []string{"killed", "exits"} {
		victim := exec.Command(os.Args[0])
		victim.Env = append(os.Environ(), asVictim+"=1")
		victim.Stderr = os.Stderr
		input, err := victim.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		output, err := victim.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := victim.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = victim.Process.Kill() }() // if the test fails on the way
		var dirs [3]string
		var pids [3]int
		for i := range dirs {
			if _, err := fmt.Fscan(output, &dirs[i], &pids[i]); err != nil {
				t.Fatalf("reading what was started: %v", err)
			}
			if _, err := os.Stat(dirs[i]); err != nil || gone(pids[i]) {
				t.Errorf("server %d does not run in its folder: %v", i, err)
			}
		}
		if how == "killed" {
			err = victim.Process.Kill()
		} else {
			err = input.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		_ = victim.Wait()
		for i := range dirs {
			eventually(t, how+": the server ends", func() bool { return gone(pids[i]) })
			eventually(t, how+": its folder is removed", func() bool {
				_, err := os.Stat(dirs[i])
				return os.IsNotExist(err)
			})
		}
	}
}

// A server that cannot start says why, and is gone.
func TestStartFails(t *testing.T) {
	_, err := startRedis(options{config: []string{"no-such-setting 1"}})
	if err == nil || !strings.Contains(err.Error(), "no-such-setting") {
		t.Errorf("Redis: %v", err)
	}
	_, err = startPostgres([]Option{Setting("--no-such-setting=1")})
	if err == nil || !strings.Contains(err.Error(), "no_such_setting") {
		t.Errorf("PostgreSQL: %v", err)
	}
}

// A port that somebody took after it was found free is replaced.
func TestStartAnywhere(t *testing.T) {
	taken := Redis(t)
	s, err := startRedis(options{})
	if err != nil {
		t.Fatal(err)
	}
	s.own(t)
	s.shutdown()
	attempts := 0
	err = s.startAnywhere(func(port int) error {
		attempts++
		if attempts == 1 {
			_, text, _ := strings.Cut(taken.Address, ":")
			_, _ = fmt.Sscan(text, &port)
		}
		s.Address = fmt.Sprintf("127.0.0.1:%d", port)
		return s.write("redis.conf", s.config(port))
	})
	if err != nil || attempts != 2 {
		t.Errorf("after %d attempts: %v", attempts, err)
	}
	wantAnswer(t, s.URL(), "PONG", "PING")
}

func TestSettings(t *testing.T) {
	if got := Postgres(t, Setting("--max_connections=7")).SQL(t, "", "SHOW max_connections"); got != "7" {
		t.Errorf("PostgreSQL has %s connections", got)
	}
	if got := MariaDB(t, Setting("--max-connections=17")).SQL(t, "", "SELECT @@max_connections"); got != "17" {
		t.Errorf("MariaDB has %s connections", got)
	}
}
