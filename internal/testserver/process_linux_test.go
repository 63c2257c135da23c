package testserver

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"
)

// A server outlives the thread whose goroutine asked for it.
func TestThreadEnds(t *testing.T) {
	var server *RedisServer
	var task string
	passing(func() {
		task = fmt.Sprintf("/proc/self/task/%d", syscall.Gettid())
		var err error
		if server, err = startRedis(options{}); err != nil {
			t.Error(err)
		}
	})
	if server == nil {
		return
	}
	server.own(t)
	eventually(t, "the thread ends", func() bool {
		_, err := os.Stat(task)
		return os.IsNotExist(err)
	})
	wantAnswer(t, server.URL(), "PONG", "PING")
}

// passing runs fn on a thread that ends with it.
func passing(fn func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if syscall.Gettid() == os.Getpid() {
			passing(fn) // the first thread never ends
			return
		}
		fn()
	}()
	<-done
}
