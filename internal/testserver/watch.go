package testserver

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// watch starts a shell that outlives the test binary and then ends the process
// group named in the folder's file pid and removes the folder, whatever ended
// the binary. It waits a little, as the servers are still dying.
func watch(dir string) (io.Closer, error) {
	const script = `read -r _; [ -d "$1" ] || exit 0
	[ -f "$1/pid" ] && kill -s KILL -- "-$(cat "$1/pid")"
	for _ in 1 2 3 4 5 6 7 8 9 10; do rm -rf "$1" && exit; sleep 1; done`
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("starting the watcher of a server: %w", err)
	}
	defer reader.Close()
	command := exec.Command("/bin/sh", "-c", script, "sh", dir)
	command.Stdin = reader
	command.Dir = "/"
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		writer.Close()
		return nil, fmt.Errorf("starting the watcher of a server: %w", err)
	}
	return &watcher{writer, command}, nil
}

type watcher struct {
	io.Closer
	command *exec.Cmd
}

// Close lets the watcher go, after the folder was removed.
func (w *watcher) Close() error {
	return errors.Join(w.Closer.Close(), w.command.Wait())
}
