package caddymodule_test

import (
	"os"
	"syscall"
	"testing"
	"unsafe"
)

// S39: the disk is full, or has become read-only: no byte can be written any
// more, and everything can be read. A limit on the size of files says the same
// to a process without asking for a disk of its own.
func TestFailClosedDiskFull(t *testing.T) {
	t.Parallel()
	o := newOutage(t, "")
	unlimited := limitFileSize(t, o.PID(), syscall.Rlimit{Cur: 0})
	o.wantNothingWritten(t)
	o.wantReadable(t)
	o.wantAlone(t)
	wantLogged(t, o.Gateway, "disk is full", "disk I/O error", "database or disk is full")
	limitFileSize(t, o.PID(), unlimited)
	o.wantRecovered(t)
}

// limitFileSize changes how large another process may make files, and returns
// how large that was. The hard limit stays.
func limitFileSize(t *testing.T, pid int, limit syscall.Rlimit) (before syscall.Rlimit) {
	t.Helper()
	prlimit := func(limit, before *syscall.Rlimit) {
		_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), syscall.RLIMIT_FSIZE,
			uintptr(unsafe.Pointer(limit)), uintptr(unsafe.Pointer(before)), 0, 0)
		if errno != 0 {
			t.Fatalf("prlimit: %v", errno)
		}
	}
	prlimit(nil, &before)
	limit.Max = before.Max
	prlimit(&limit, nil)
	return before
}

// S39: another program holds the file so that nobody can even read it, as a
// check of the file system, a virus scanner or a crashed backup may: SQLite's
// locks on the shared index (https://sqlite.org/walformat.html, section 2.3),
// all eight.
func TestFailClosedDatabaseHeld(t *testing.T) {
	t.Parallel()
	o := newOutage(t, "")
	file, err := os.OpenFile(databaseFile(o.Gateway)+"-shm", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lock := func(kind int16) {
		eventually(t, "the locks", func() bool {
			return syscall.FcntlFlock(file.Fd(), syscall.F_SETLK, &syscall.Flock_t{Type: kind, Start: 120, Len: 8}) == nil
		})
	}
	lock(syscall.F_WRLCK)
	o.wantClosed(t)
	wantLogged(t, o.Gateway, "database is locked", "locking protocol", "SQLITE_BUSY")
	lock(syscall.F_UNLCK)
	o.wantRecovered(t)
}
