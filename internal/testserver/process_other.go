//go:build unix && !linux

package testserver

import (
	"os/exec"
	"syscall"
)

const diesWithUs = false

// There is no signal at the parent's death here. The watcher, which removes the
// folder, ends the process too.
func attributes(as *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: as}
}

func launch(command *exec.Cmd) (release func(), err error) { return func() {}, command.Start() }

func gone(pid int) bool { return syscall.Kill(pid, 0) == syscall.ESRCH }

func stopped(int) bool { return true }

func children(int) []int { return nil }
