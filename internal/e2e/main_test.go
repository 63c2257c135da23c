//go:build e2e

package e2e

import (
	"encoding/json"
	"os/exec"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

func TestMain(m *testing.M) { gatewaytest.Main(m) }

// deadline is how long something that happens by itself may take on a busy
// machine.
const deadline = 60 * time.Second

// install is what to do about a missing component.
const install = `run "make test-deps" (as root on Debian or Ubuntu, it installs what the tests need)`

// program finds a program. A test without it fails: it would prove nothing.
func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%v; %s", err, install)
	}
	return path
}

// eventually polls until a condition holds.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(deadline); !condition(); time.Sleep(25 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %s for %s", deadline, what)
		}
	}
}

// parseJSON reads an object.
func parseJSON(t testing.TB, text string) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		t.Fatalf("not a JSON object: %v\n%s", err, text)
	}
	return object
}
