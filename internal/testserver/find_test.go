package testserver

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	root := t.TempDir()
	for _, path := range []string{"9/bin/server", "16/bin/server", "15/bin/server", "path/server", "path/other"} {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", filepath.Join(root, "path"))
	folders := filepath.Join(root, "[0-9]*/bin")
	for program, want := range map[string]string{"server": "16/bin/server", "other": "path/other"} {
		if got, err := find(program, folders, "some-package"); err != nil || got != filepath.Join(root, want) {
			t.Errorf("%s: %s, %v; want %s", program, got, err, want)
		}
	}
	// What is missing is named, with its remedy.
	_, err := find("third", folders, "some-package")
	if err == nil || !strings.Contains(err.Error(), "third is not installed") || !strings.Contains(err.Error(), "apt-get install some-package") {
		t.Errorf("a missing program: %v", err)
	}
}
