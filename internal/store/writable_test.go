package store

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/providers"
)

// tree lists what is below a directory.
func tree(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			names = append(names, path+" "+info.Mode().String())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func writeFile(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

func TestCheckWritableRefuses(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir+"/file", "", 0o600)
	writeFile(t, dir+"/text.db", strings.Repeat("This is not a database. ", 50), 0o600)
	if err := os.Symlink("/dev/null", dir+"/null.db"); err != nil {
		t.Fatal(err)
	}
	before := tree(t, dir)
	for path, want := range map[string]string{
		dir:                  "is a directory",
		dir + "/null.db":     "not a regular file",
		dir + "/text.db":     "not an SQLite database",
		dir + "/file/x.db":   "not a directory",
		dir + "/file/y/x.db": "not a directory",
	} {
		err := parse(t, path).CheckWritable()
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v; want %q and the name of the file", path, err, want)
		}
		if s, err := Open(t.Context(), parse(t, path), nil); !errors.Is(err, providers.ErrUnavailable) {
			t.Errorf("opening %s all the same: %v, want ErrUnavailable", path, err)
			if err == nil {
				s.Close()
			}
		}
	}
	if err := (DSN{}).CheckWritable(); err == nil {
		t.Error("no database is writable")
	}
	if after := tree(t, dir); !slices.Equal(before, after) {
		t.Errorf("left behind:\n%s\nbefore:\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
	}
}

func TestCheckWritableAcceptsAndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir+"/empty.db", "", 0o644)
	old := openRaw(t, dir+"/old.db")
	rawExec(t, old, "CREATE TABLE users (id)")
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	wal := openTest(t, dir+"/ours.db", options{})
	if err := wal.Close(); err != nil {
		t.Fatal(err)
	}
	before := tree(t, dir)
	for _, path := range []string{dir + "/new.db", dir + "/a/b/new.db", dir + "/empty.db", dir + "/old.db", dir + "/ours.db"} {
		if err := parse(t, path).CheckWritable(); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := parse(t, "sqlite://").CheckWritable(); err != nil {
		t.Errorf("in memory: %v", err)
	}
	if after := tree(t, dir); !slices.Equal(before, after) {
		t.Errorf("left behind:\n%s\nbefore:\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
	}
	if info, err := os.Stat(dir + "/empty.db"); err != nil || info.Size() != 0 {
		t.Errorf("the empty file has become %v, %v", info, err)
	}
}

func TestOpenMakesPrivateFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "auth.db")
	s := openTest(t, path, options{})
	if _, _, err := s.FindOrCreateUser(t.Context(), "google", google("1"), "u1", true, ""); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{
		path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600,
		filepath.Dir(path): 0o700 | os.ModeDir, filepath.Dir(filepath.Dir(path)): 0o700 | os.ModeDir,
	} {
		info, err := os.Stat(name)
		if err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v; want mode %v", name, info.Mode(), err, want)
		}
	}
	if names, err := os.ReadDir(filepath.Dir(path)); err != nil || len(names) != 3 {
		t.Errorf("the directory has %v, %v", names, err)
	}
}

func TestMakeFileKeepsWhatIsThere(t *testing.T) {
	path := tempFile(t)
	writeFile(t, path, "something", 0o644)
	if err := makeFile(path); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "something" {
		t.Errorf("now %q, %v", content, err)
	}
}
