package store

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/datahq/auth-gateway/providers"
)

// asOrdinaryUser runs fn with the file permissions of somebody who is not
// root: root may write everything.
func asOrdinaryUser(t *testing.T, fn func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if os.Geteuid() == 0 {
			runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
			// The call has no error; the check below is that the refusals happen.
			_ = syscall.Setfsuid(65534)
		}
		fn()
	}()
	<-done
}

// publicDir is a directory that anybody may enter and write.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "store-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestReadOnlyFiles(t *testing.T) {
	dir := publicDir(t)
	readOnly, writable, closed := dir+"/readonly.db", dir+"/writable.db", dir+"/closed/auth.db"
	for _, path := range []string{readOnly, writable, closed} {
		s, err := Open(t.Context(), parse(t, path), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for path, mode := range map[string]os.FileMode{
		readOnly: 0o444, writable: 0o666, closed: 0o666, dir + "/closed": 0o555,
	} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = os.Chmod(dir+"/closed", 0o755) })
	asOrdinaryUser(t, func() {
		for path, want := range map[string]string{
			writable:               "",
			dir + "/new.db":        "",
			dir + "/sub/new.db":    "",
			readOnly:               "is not writable",
			closed:                 dir + "/closed must be writable",
			dir + "/closed/new.db": dir + "/closed is not writable",
			dir + "/closed/x/y.db": dir + "/closed/x is missing and cannot be made",
		} {
			dsn := parse(t, path)
			err := dsn.CheckWritable()
			if want == "" {
				if err != nil {
					t.Errorf("%s: %v", path, err)
				}
				continue
			}
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: %v; want %q and the name of the file", path, err, want)
			}
			// Opened all the same, it says "cannot tell" at the first write at the latest.
			s, err := Open(t.Context(), dsn, nil)
			if err == nil {
				err = signIn(t, s, "u1")
				s.Close()
			}
			if !errors.Is(err, providers.ErrUnavailable) {
				t.Errorf("%s: %v, want ErrUnavailable", path, err)
			}
		}
	})
}

// Not even root can write these.
func TestReadOnlyFileSystem(t *testing.T) {
	for path, want := range map[string]string{
		"/proc/auth.db":       "directory /proc is not writable",
		"/proc/auth/sub/x.db": "directory /proc/auth/sub is missing and cannot be made",
	} {
		if err := parse(t, path).CheckWritable(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", path, err, want)
		}
	}
}

// TestHelperLock is no test: it says whether another process has the shared
// lock of an open database, https://sqlite.org/src/file/src/os_unix.c.
func TestHelperLock(t *testing.T) {
	path := helperPath()
	if path == "" {
		return
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	const sharedFirst, sharedSize = 0x40000002, 510
	lock := syscall.Flock_t{Type: syscall.F_WRLCK, Start: sharedFirst, Len: sharedSize}
	if err := syscall.FcntlFlock(file.Fd(), syscall.F_GETLK, &lock); err != nil {
		t.Fatal(err)
	}
	answer(lock.Type != syscall.F_UNLCK)
}

// A reload checks the file that the running Store has open. Had the check
// opened and closed the file itself, this process would have lost its locks:
// close(2) of any descriptor drops them all. The next program to close the
// database would think itself the last, and delete the log beneath us.
func TestCheckWritableKeepsTheLocksOfAnOpenStore(t *testing.T) {
	path := tempFile(t)
	s := openTest(t, path, options{})
	if err := parse(t, path).CheckWritable(); err != nil {
		t.Fatalf("a database in use: %v", err)
	}
	if err := openTest(t, path, options{}).Close(); err != nil { // nor may another Store
		t.Fatal(err)
	}
	if inProcess(t, "TestHelperLock", path) != "true" {
		t.Error("the lock of the open Store is gone")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
