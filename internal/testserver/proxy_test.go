package testserver

import (
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// echo answers everything with itself, until the test ends.
func echo(t *testing.T, network, address string) string {
	t.Helper()
	listener, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	var working sync.WaitGroup
	working.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			working.Go(func() {
				defer connection.Close()
				_, _ = io.Copy(connection, connection)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		working.Wait()
	})
	return listener.Addr().String()
}

func dial(t *testing.T, p *Proxy) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", p.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return connection
}

func send(t *testing.T, connection net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(connection, text); err != nil {
		t.Fatal(err)
	}
}

// wantEcho says what comes back.
func wantEcho(t *testing.T, connection net.Conn, want string) {
	t.Helper()
	_ = connection.SetReadDeadline(time.Now().Add(patience))
	got := make([]byte, len(want))
	if n, err := io.ReadFull(connection, got); string(got) != want {
		t.Errorf("got %q, %v; want %q", got[:n], err, want)
	}
}

func wantSilence(t *testing.T, connection net.Conn) {
	t.Helper()
	_ = connection.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	got := make([]byte, 100)
	if n, err := connection.Read(got); !isTimeout(err) {
		t.Errorf("got %q, %v; want nothing", got[:n], err)
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// wantEnd says how a connection ends, nil for its ordinary end.
func wantEnd(t *testing.T, connection net.Conn, want error) {
	t.Helper()
	_ = connection.SetReadDeadline(time.Now().Add(patience))
	if got, err := io.ReadAll(connection); !errors.Is(err, want) || len(got) > 0 {
		t.Errorf("got %q, %v; want %v", got, err, want)
	}
}

// wantReset says that a new connection is reset, which it may be before Dial has
// noticed that there is one.
func wantReset(t *testing.T, p *Proxy) {
	t.Helper()
	connection, err := net.Dial("tcp", p.Address)
	if err == nil {
		wantEnd(t, connection, syscall.ECONNRESET)
		connection.Close()
	} else if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%v; want a reset", err)
	}
}

func TestProxyPassesOn(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "socket")
	echo(t, "unix", socket)
	for _, target := range []string{echo(t, "tcp", "127.0.0.1:0"), socket} {
		p := NewProxy(t, target)
		var working sync.WaitGroup
		for range 50 {
			connection := dial(t, p)
			working.Go(func() {
				long := string(make([]byte, 1<<20))
				go func() {
					_, _ = io.WriteString(connection, long)
					closeWrite(connection)
				}()
				wantEcho(t, connection, long)
				wantEnd(t, connection, nil)
			})
		}
		working.Wait()
		eventually(t, "all are closed", func() bool { return p.Connections() == 0 })
		if p.Accepted() != 50 {
			t.Errorf("%d connections were accepted", p.Accepted())
		}
	}
}

func TestProxyLatency(t *testing.T) {
	p := NewProxy(t, echo(t, "tcp", "127.0.0.1:0"))
	connection := dial(t, p)
	p.Latency(20 * time.Millisecond)
	for range 2 {
		begin := time.Now()
		send(t, connection, "hello")
		wantEcho(t, connection, "hello")
		if took := time.Since(begin); took < 40*time.Millisecond {
			t.Errorf("the answer took %v", took)
		}
	}
	p.Latency(time.Hour)
	send(t, connection, "late")
	wantSilence(t, connection)
	p.Heal()
	wantEcho(t, connection, "late")
}

func TestProxyFreeze(t *testing.T) {
	p := NewProxy(t, echo(t, "tcp", "127.0.0.1:0"))
	old := dial(t, p)
	send(t, old, "a")
	wantEcho(t, old, "a")
	p.Freeze()
	young := dial(t, p)
	for _, connection := range []net.Conn{old, young} {
		send(t, connection, "b")
		wantSilence(t, connection)
	}
	p.Heal()
	wantEcho(t, old, "b")
	wantEcho(t, young, "b")
}

func TestProxyBlackHole(t *testing.T) {
	p := NewProxy(t, echo(t, "tcp", "127.0.0.1:0"))
	idle, old := dial(t, p), dial(t, p)
	for _, connection := range []net.Conn{idle, old} {
		send(t, connection, "a")
		wantEcho(t, connection, "a")
	}
	p.BlackHole()
	young := dial(t, p)
	for _, connection := range []net.Conn{old, young} {
		send(t, connection, "b")
		wantSilence(t, connection)
	}
	gone := dial(t, p)
	gone.Close() // a loss, too
	p.Heal()
	wantEnd(t, old, syscall.ECONNRESET)
	wantEnd(t, young, syscall.ECONNRESET)
	send(t, idle, "c") // lost nothing
	wantEcho(t, idle, "c")
	next := dial(t, p)
	send(t, next, "d")
	wantEcho(t, next, "d")
	eventually(t, "the closed one is gone", func() bool { return p.Connections() == 2 })
}

func TestProxyReset(t *testing.T) {
	p := NewProxy(t, echo(t, "tcp", "127.0.0.1:0"))
	old := dial(t, p)
	send(t, old, "a")
	wantEcho(t, old, "a")
	p.Reset()
	wantEnd(t, old, syscall.ECONNRESET)
	wantReset(t, p)
	p.Heal()
	next := dial(t, p)
	send(t, next, "b")
	wantEcho(t, next, "b")
	p.Cut()
	wantEnd(t, next, syscall.ECONNRESET)
	next = dial(t, p)
	send(t, next, "c")
	wantEcho(t, next, "c")
}

func TestProxyRefuse(t *testing.T) {
	p := NewProxy(t, echo(t, "tcp", "127.0.0.1:0"))
	old := dial(t, p)
	send(t, old, "a")
	wantEcho(t, old, "a")
	for range 2 {
		p.Refuse()
		wantEnd(t, old, nil)
		if _, err := net.Dial("tcp", p.Address); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%v; want connection refused", err)
		}
		p.Heal()
		old = dial(t, p)
		send(t, old, "b")
		wantEcho(t, old, "b")
	}
}

// A server that is not there looks so through the proxy.
func TestProxyWithoutServer(t *testing.T) {
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	p := NewProxy(t, fmt.Sprintf("127.0.0.1:%d", port))
	wantReset(t, p)
}

func TestThrough(t *testing.T) {
	s := Redis(t, Password("p@ss"))
	p := NewProxy(t, s.Address)
	wantAnswer(t, Through(s.NewURL(t), p.Address), "PONG", "PING")
	if p.Accepted() != 1 {
		t.Errorf("%d connections went through the proxy", p.Accepted())
	}
}
