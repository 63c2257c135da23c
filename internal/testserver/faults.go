package testserver

import "testing"

// faults is what one can do to a server that a test has for itself. On a shared
// one it panics.
type faults struct {
	*process
	t      testing.TB
	shared bool
}

// own gives the server to a test.
func (f *faults) own(t testing.TB) {
	f.t = t
	t.Cleanup(func() {
		f.remove()
	})
}

// alone panics if there are other tests to be hurt.
func (f *faults) alone() {
	if f.shared {
		panic("testserver: other tests use this server too; start one of your own")
	}
}

// Stop freezes the server (SIGSTOP): connections are accepted, and get no
// answer.
func (f *faults) Stop() {
	f.alone()
	f.stop()
}

// Continue ends what Stop began.
func (f *faults) Continue() {
	f.alone()
	f.cont()
}

// Kill ends the server at once (SIGKILL), as a crash would. Its port refuses
// connections until Restart.
func (f *faults) Kill() {
	f.alone()
	f.kill()
}

// Shutdown ends the server as an operator does: clients are told so if the
// server is one that tells. Its port refuses connections until Restart.
func (f *faults) Shutdown() {
	f.alone()
	f.shutdown()
}

// Restart starts the server again, on the same port and with the same data, and
// waits until it answers. If it runs, it is shut down first.
func (f *faults) Restart() {
	f.alone()
	f.t.Helper()
	if err := f.restart(); err != nil {
		f.t.Fatalf("restarting: %v", err)
	}
}

// Log is the end of what the server logged since it was started last.
func (f *faults) Log() string { return f.log() }
