//go:build unix && !linux

package testserver

import "syscall"

func gone(pid int) bool { return syscall.Kill(pid, 0) == syscall.ESRCH }

func stopped(int) bool { return true }

func children(int) []int { return nil }
