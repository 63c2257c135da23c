package testserver

import (
	"errors"
	"io"
	"net"
	"time"
)

// link is one connection: the client's half, and the server's, which is nil
// until it is there.
type link struct {
	client, server net.Conn
	// lost says that a black hole took something of it.
	lost bool
}

// serve connects to the server and passes everything on, both ways.
func (p *Proxy) serve(l *link) {
	server, err := net.DialTimeout(p.network, p.target, patience)
	p.mu.Lock()
	if err != nil {
		// As the server would: nobody is there.
		l.reset()
		p.mu.Unlock()
		return
	}
	l.server = server
	p.mu.Unlock() // if l was ended meanwhile, reading its client says so

	done := make(chan struct{})
	go func() {
		defer close(done)
		p.pass(l, l.client, server)
	}()
	p.pass(l, server, l.client)
	<-done
}

// pass copies one way until it ends.
func (p *Proxy) pass(l *link, from, to net.Conn) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && p.linger(l) {
			if _, err := to.Write(buffer[:n]); err != nil {
				_ = from.SetReadDeadline(time.Now()) // ends the other way, too
				return
			}
		}
		if err == nil {
			continue
		}
		if errors.Is(err, io.EOF) {
			if p.linger(l) {
				closeWrite(to)
			}
			return
		}
		// A reset, or ours. The other side learns of it in the same form.
		p.mu.Lock()
		l.reset()
		p.mu.Unlock()
		return
	}
}

// linger waits as long as the fault says, and tells whether to pass something
// on then.
func (p *Proxy) linger(l *link) bool {
	for {
		now, changed := p.state()
		switch {
		case now.kind == blackHole:
			p.mu.Lock()
			l.lost = true
			p.mu.Unlock()
			return false
		case now.kind == frozen:
			<-changed
		case now.latency > 0:
			timer := time.NewTimer(now.latency)
			select {
			case <-timer.C:
				return true
			case <-changed:
				timer.Stop()
			}
		default:
			return true
		}
	}
}

func closeWrite(connection net.Conn) {
	if half, ok := connection.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

// close and reset end both halves. They are called with the proxy's lock held.
func (l *link) close() {
	l.client.Close()
	if l.server != nil {
		l.server.Close()
	}
}

func (l *link) reset() {
	for _, half := range []net.Conn{l.client, l.server} {
		if tcp, ok := half.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
	}
	l.close()
}
