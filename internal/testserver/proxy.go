package testserver

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Proxy passes TCP connections on to a server, and does to them what networks
// do. Its methods may be called from any goroutine; what they set holds for the
// connections that there are and for new ones, until Heal.
type Proxy struct {
	// Address is where it listens, "127.0.0.1:<port>". It stays the same.
	Address string

	network, target string
	working         sync.WaitGroup

	mu          sync.Mutex
	fault       fault
	changed     chan struct{} // closed when the fault changes
	listener    net.Listener  // nil while it refuses
	connections map[*link]struct{}
	accepted    int
	closed      bool
}

// fault is what the proxy does wrong.
type fault struct {
	kind    faultKind
	latency time.Duration
}

type faultKind int

const (
	healthy faultKind = iota
	frozen
	blackHole
	resetting
	refusing
)

// NewProxy starts a proxy before a server, for this test. The target is a
// host:port, or the path of a Unix socket.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	p := &Proxy{network: "tcp", target: target, changed: make(chan struct{}), connections: map[*link]struct{}{}}
	if strings.HasPrefix(target, "/") {
		p.network = "unix"
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for attempt := 1; p.listener == nil; attempt++ {
		port, err := freePort()
		if err == nil {
			p.Address = fmt.Sprintf("127.0.0.1:%d", port)
			err = p.listen(0)
		}
		if err != nil && attempt == 10 {
			t.Fatalf("starting a proxy: %v", err)
		}
	}
	t.Cleanup(p.close)
	return p
}

// Latency delays what passes, each way, by some time: an answer takes twice as
// long.
func (p *Proxy) Latency(each time.Duration) { p.set(fault{latency: each}) }

// Freeze passes nothing on and loses nothing: what is sent arrives after Heal.
// Connections are accepted. That is a network that is cut for a moment.
func (p *Proxy) Freeze() { p.set(fault{kind: frozen}) }

// BlackHole accepts connections and swallows what is sent, either way. A
// connection that lost something in it is reset by Heal.
func (p *Proxy) BlackHole() { p.set(fault{kind: blackHole}) }

// Reset resets (RST) all connections, and new ones as soon as they are
// accepted.
func (p *Proxy) Reset() { p.set(fault{kind: resetting}) }

// Refuse closes all connections and refuses new ones, as if the server had
// ended.
func (p *Proxy) Refuse() { p.set(fault{kind: refusing}) }

// Heal ends all faults.
func (p *Proxy) Heal() { p.set(fault{}) }

// Cut resets the connections that there are, once. New ones are served.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.connections {
		l.reset()
	}
}

// Connections is how many connections there are.
func (p *Proxy) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.connections)
}

// Accepted is how many connections there have been since the start.
func (p *Proxy) Accepted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepted
}

func (p *Proxy) set(f fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.fault = f
	close(p.changed)
	p.changed = make(chan struct{})
	for l := range p.connections {
		switch {
		case f.kind == resetting, l.lost && f.kind != blackHole:
			l.reset()
		case f.kind == refusing:
			l.close()
		}
	}
	if f.kind == refusing {
		if p.listener != nil {
			p.listener.Close()
			p.listener = nil
		}
		return
	}
	if p.listener == nil {
		if err := p.listen(patience); err != nil {
			panic("testserver: a proxy cannot listen again: " + err.Error())
		}
	}
}

// state is the fault, and what is closed when it changes.
func (p *Proxy) state() (fault, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault, p.changed
}

// listen begins to accept, and tries to for a while: somebody may look for a
// free port right now. It is called with the lock held.
func (p *Proxy) listen(within time.Duration) error {
	var listener net.Listener
	var err error
	for deadline := time.Now().Add(within); ; time.Sleep(10 * time.Millisecond) {
		if listener, err = net.Listen("tcp", p.Address); err == nil || time.Now().After(deadline) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	p.listener = listener
	p.working.Add(1)
	go func() {
		defer p.working.Done()
		for {
			client, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				p.accept(client)
			}
		}
	}()
	return nil
}

func (p *Proxy) accept(client net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.accepted++
	l := &link{client: client}
	if p.closed || p.fault.kind == resetting || p.fault.kind == refusing {
		l.reset()
		return
	}
	p.connections[l] = struct{}{}
	p.working.Add(1)
	go func() {
		defer p.working.Done()
		p.serve(l)
		p.mu.Lock()
		defer p.mu.Unlock()
		l.close()
		delete(p.connections, l)
	}()
}

// close ends the proxy and everything in it.
func (p *Proxy) close() {
	p.Refuse()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.working.Wait()
}
