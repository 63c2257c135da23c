package testserver

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// find looks for a program in the folders of a glob, those with the highest
// version first, and in PATH. (/usr/bin/psql of Debian is a slow wrapper.)
// scripts/test-deps looks in the same places.
func find(program, folders, debianPackage string) (string, error) {
	found, _ := filepath.Glob(filepath.Join(folders, program))
	slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
	for _, path := range found {
		if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	if path, err := exec.LookPath(program); err == nil {
		return filepath.Abs(path)
	}
	return "", fmt.Errorf("%s is not installed; run scripts/test-deps, or as root: apt-get install %s", program, debianPackage)
}

// version is the last part of a path that is a number, or 0.
func version(path string) (last int) {
	for part := range strings.SplitSeq(path, "/") {
		if n, err := strconv.Atoi(part); err == nil {
			last = n
		}
	}
	return last
}

// unprivileged is who runs a server when root runs the tests: the first of
// these users that there is. It is nil for everybody else.
func unprivileged(names ...string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range append(names, "nobody") {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(found.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(found.Gid, 10, 32)
		if errUID == nil && errGID == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, fmt.Errorf("finding an unprivileged user: there is none of %v, nobody", names)
}
