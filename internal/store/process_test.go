package store

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// inProcess runs one of helperTasks in a process of its own and returns its
// answer.
func inProcess(t *testing.T, task, path string) string {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary, "-test.run=^TestHelperProcess$", "-test.count=1")
	cmd.Env = append(os.Environ(), "AUTH_STORE_TASK="+task, "AUTH_STORE_PATH="+path)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("process %s: %v\n%s", task, err, out)
	}
	for line := range strings.Lines(string(out)) {
		if answer, ok := strings.CutPrefix(line, "answer: "); ok {
			return strings.TrimSpace(answer)
		}
	}
	t.Errorf("process %s gave no answer:\n%s", task, out)
	return ""
}

// lockedForOthers reports whether another process is kept from writing.
func lockedForOthers(t *testing.T, path string) bool {
	t.Helper()
	return inProcess(t, "lock", path) == "locked"
}

// TestHelperProcess is no test but the other process of some.
func TestHelperProcess(t *testing.T) {
	path := os.Getenv("AUTH_STORE_PATH")
	switch os.Getenv("AUTH_STORE_TASK") {
	case "lock":
		_, err := openRaw(t, path).Exec("BEGIN IMMEDIATE")
		switch {
		case err == nil:
			fmt.Println("\nanswer: free")
		case sqliteCode(err) == sqliteBusy:
			fmt.Println("\nanswer: locked")
		default:
			t.Fatal(err)
		}
	case "sign in":
		s := openTest(t, path, options{})
		user, _, err := s.FindOrCreateUser(t.Context(), "google", google("1"), fmt.Sprintf("u%d", os.Getpid()), true)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("\nanswer:", user.ID)
	}
}

// S29, several gateways on one file: started at once on a new one, they
// migrate it once, and the same person becomes one account.
func TestProcessesShareANewFile(t *testing.T) {
	path := tempFile(t)
	answers := make([]string, 4)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = inProcess(t, "sign in", path) })
	}
	all.Wait()
	for i, id := range answers {
		if id == "" || id != answers[0] {
			t.Errorf("process %d reached account %q, process 0 %q", i, id, answers[0])
		}
	}
	if got := dump(t, openRaw(t, path), "SELECT id FROM users"); len(got) != 1 {
		t.Errorf("users: %v", got)
	}
}
