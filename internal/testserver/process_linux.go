package testserver

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// stat is the state of a process ("R", "S", "T", "Z", ...) and its parent. It
// is "" and 0 if there is no such process.
func stat(pid int) (state string, parent int) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0
	}
	// The name, in parentheses, may hold anything.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 2 {
		return "", 0
	}
	parent, _ = strconv.Atoi(string(fields[1]))
	return string(fields[0]), parent
}

// gone says whether a process has ended, reaped or not.
func gone(pid int) bool {
	state, _ := stat(pid)
	return state == "" || state == "Z" || state == "X"
}

// stopped says whether a process no longer runs because of a SIGSTOP.
func stopped(pid int) bool {
	state, _ := stat(pid)
	return state == "T" || gone(pid)
}

// children are the processes that a process has started. PostgreSQL has one for
// each connection, in a process group of its own.
func children(pid int) []int {
	all, _ := filepath.Glob("/proc/[0-9]*")
	var found []int
	for _, path := range all {
		child, err := strconv.Atoi(filepath.Base(path))
		if err != nil {
			continue
		}
		if _, parent := stat(child); parent == pid {
			found = append(found, child)
		}
	}
	return found
}
