package testserver

import (
	"fmt"
	"io"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// asVictim in the environment makes the test binary one that starts servers,
// prints their folders and waits for its death.
const asVictim = "TESTSERVER_TEST_VICTIM"

// No server leaves a goroutine behind.
func TestMain(m *testing.M) {
	if os.Getenv(asVictim) == "" {
		goleak.VerifyTestMain(m)
		return
	}
	redis, err := sharedRedis()
	if err != nil {
		panic(err)
	}
	postgres, err := sharedPostgres()
	if err != nil {
		panic(err)
	}
	mariaDB, err := sharedMariaDB()
	if err != nil {
		panic(err)
	}
	for _, p := range []*process{redis.process, postgres.process, mariaDB.process} {
		fmt.Println(p.dir, p.running.Pid)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}
