package store

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// inProcess runs a function of this file's kind in a process of its own, with
// the path of a database, and returns its answer.
func inProcess(t *testing.T, helper, path string) string {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary, "-test.run=^"+helper+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), "AUTH_STORE_HELPER_PATH="+path)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", helper, err, out)
	}
	for line := range strings.Lines(string(out)) {
		if answer, ok := strings.CutPrefix(line, "answer: "); ok {
			return strings.TrimSpace(answer)
		}
	}
	t.Errorf("%s gave no answer:\n%s", helper, out)
	return ""
}

// helperPath returns what inProcess was given; "" in the tests' own process,
// where helpers do nothing.
func helperPath() string { return os.Getenv("AUTH_STORE_HELPER_PATH") }

func answer(a any) { fmt.Printf("\nanswer: %v\n", a) }

// TestHelperSignIn is no test: it signs the same person in as every other
// process.
func TestHelperSignIn(t *testing.T) {
	path := helperPath()
	if path == "" {
		return
	}
	s := openTest(t, path, options{})
	user, _, err := s.FindOrCreateUser(t.Context(), "google", google("1"), fmt.Sprintf("u%d", os.Getpid()), true, "")
	if err != nil {
		t.Fatal(err)
	}
	answer(user.ID)
}

// S29, several gateways on one file: started at once on a new one, they
// migrate it once, and the same person becomes one account.
func TestProcessesShareANewFile(t *testing.T) {
	path := tempFile(t)
	answers := make([]string, 4)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = inProcess(t, "TestHelperSignIn", path) })
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
