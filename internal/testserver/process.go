package testserver

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// patience is how long anything may take on a busy machine.
const patience = 60 * time.Second

// process is a server's process, which may be started several times, and its
// folder.
type process struct {
	path       string
	args       []string
	dir        string
	credential *syscall.Credential
	// interrupt asks for an orderly end.
	interrupt syscall.Signal
	// ready tells whether the server answers.
	ready func() error
	// watcher ends the process and removes the folder when its input ends.
	watcher io.Closer

	mu      sync.Mutex
	running *os.Process // nil if it does not run
}

// newProcess makes the folder, which belongs to the user that the process will
// run as, and which nobody else may enter.
func newProcess(path string, as *syscall.Credential) (*process, error) {
	// Not t.TempDir: the path of a Unix socket may have 107 bytes.
	dir, err := os.MkdirTemp("", "testserver")
	if err != nil {
		return nil, fmt.Errorf("making the folder of a server: %w", err)
	}
	p := &process{path: path, dir: dir, credential: as, interrupt: syscall.SIGTERM}
	if p.watcher, err = watch(dir); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	if as != nil {
		if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
			p.remove()
			return nil, fmt.Errorf("giving away the folder of a server: %w", err)
		}
	}
	return p, nil
}

// file is a file in the folder.
func (p *process) file(name string) string { return filepath.Join(p.dir, name) }

// write makes a file in the folder that only the server's user may read.
func (p *process) write(name, text string) error {
	if err := os.WriteFile(p.file(name), []byte(text), 0o600); err != nil {
		return fmt.Errorf("writing a server's %s: %w", name, err)
	}
	if p.credential != nil {
		if err := os.Chown(p.file(name), int(p.credential.Uid), int(p.credential.Gid)); err != nil {
			return fmt.Errorf("giving away a server's %s: %w", name, err)
		}
	}
	return nil
}

// command is a program that runs in the folder, as the server's user and with
// nothing of our environment but PATH.
func (p *process) command(path string, args ...string) *exec.Cmd {
	command := exec.Command(path, args...)
	command.Dir = p.dir
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "HOME=" + p.dir, "TMPDIR=" + p.dir}
	// Not Pdeathsig: it means the thread that started the process, and a
	// goroutine that ends while it is locked to that thread ends both.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: p.credential}
	return command
}

// start runs the process, and waits until it is ready. If it fails, it has
// ended.
func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running != nil && !p.ended() {
		return errors.New("the server runs already")
	}
	log, err := os.Create(p.file("log"))
	if err != nil {
		return fmt.Errorf("making the log of a server: %w", err)
	}
	defer log.Close()
	command := p.command(p.path, p.args...)
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", p.path, err)
	}
	p.running = command.Process
	if err := p.write("pid", strconv.Itoa(p.running.Pid)); err != nil {
		p.end()
		return err
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		err := p.ready()
		if err == nil {
			return nil
		}
		if p.ended() {
			return fmt.Errorf("%s ended at once:\n%s", filepath.Base(p.path), p.log())
		}
		if time.Now().After(deadline) {
			p.end()
			return fmt.Errorf("%s does not answer: %w\n%s", filepath.Base(p.path), err, p.log())
		}
	}
}

// startAnywhere starts the process on a free port, for which configure sets it
// up. Another process may take that port first; then it tries another.
func (p *process) startAnywhere(configure func(port int) error) error {
	for attempt := 1; ; attempt++ {
		port, err := freePort()
		if err != nil {
			return err
		}
		if err := configure(port); err != nil {
			return err
		}
		if err = p.start(); err == nil || attempt == 10 || !portTaken(err) {
			return err
		}
	}
}

func portTaken(err error) bool {
	return strings.Contains(strings.ToLower(err.Error()), "already in use")
}

// restart starts the process again, with the same port and data.
func (p *process) restart() error {
	p.shutdown()
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		err := p.start()
		// PostgreSQL: "pre-existing shared memory block is still in use".
		if err == nil || time.Now().After(deadline) || !portTaken(err) && !strings.Contains(err.Error(), "still in use") {
			return err
		}
	}
}

// ended says whether the process has ended, and takes notice of it.
func (p *process) ended() bool {
	if p.running == nil {
		return true
	}
	var status syscall.WaitStatus
	pid, err := syscall.Wait4(p.running.Pid, &status, syscall.WNOHANG, nil)
	if err == syscall.EINTR || err == nil && pid == 0 {
		return false
	}
	p.running = nil
	os.Remove(p.file("pid"))
	return true
}

// freeze stops the process and its children (SIGSTOP), and gives their numbers.
func (p *process) freeze() []int {
	if p.ended() {
		return nil
	}
	pid := p.running.Pid
	halt := func(pid int) {
		_ = syscall.Kill(pid, syscall.SIGSTOP)
		for deadline := time.Now().Add(patience); !stopped(pid) && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
	}
	halt(pid) // first, so that there are no more children
	family := children(pid)
	for _, child := range family {
		halt(child)
	}
	return append([]int{pid}, family...)
}

// stop freezes the process and its children.
func (p *process) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.freeze()
}

// cont ends what stop began.
func (p *process) cont() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.thaw()
}

func (p *process) thaw() {
	if p.ended() {
		return
	}
	for _, pid := range append(children(p.running.Pid), p.running.Pid) {
		_ = syscall.Kill(pid, syscall.SIGCONT)
	}
}

// kill ends the process and its children without a warning.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end()
}

func (p *process) end() {
	family := p.freeze()
	for _, pid := range family {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		over := p.ended()
		for _, pid := range family {
			over = over && gone(pid)
		}
		if over {
			return
		}
	}
}

// shutdown asks the process to end, and makes it if it does not.
func (p *process) shutdown() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended() {
		return
	}
	p.thaw()
	_ = p.running.Signal(p.interrupt)
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if p.ended() {
			return
		}
	}
	p.end()
}

// remove ends the process and removes everything it wrote.
func (p *process) remove() {
	p.kill()
	os.RemoveAll(p.dir)
	p.watcher.Close()
}

// log is the end of what the process wrote.
func (p *process) log() string {
	text, err := os.ReadFile(p.file("log"))
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-4000):])
}
