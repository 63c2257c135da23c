package caddymodule_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// bareUpstream reads requests without understanding them, so that it sees each
// target as it came, and answers with given bytes.
type bareUpstream struct {
	net.Listener
	mu     sync.Mutex
	answer string
	heads  []string
}

const emptyAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

func newBareUpstream(t *testing.T) *bareUpstream {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u := &bareUpstream{Listener: listener, answer: emptyAnswer}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go u.serve(connection)
		}
	}()
	return u
}

// serve answers one request. Bodies are not for this upstream.
func (u *bareUpstream) serve(connection net.Conn) {
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(20 * time.Second))
	reader := bufio.NewReader(connection)
	var head strings.Builder
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			return
		}
		if line == "\r\n" {
			break
		}
		head.WriteString(line)
	}
	u.mu.Lock()
	u.heads = append(u.heads, head.String())
	answer := u.answer
	u.mu.Unlock()
	_, _ = io.WriteString(connection, answer)
}

// take returns the heads of the requests since the last call.
func (u *bareUpstream) take() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	heads := u.heads
	u.heads = nil
	return heads
}

func (u *bareUpstream) answers(text string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.answer = text
}

func (u *bareUpstream) address() string { return u.Addr().String() }

// rawHTTP2 sends one request without a body as HTTP/2 frames, so that nothing
// mends its fields: names and values in turn, pseudo-header fields first. It
// returns the status, or 0 if the stream was reset.
func rawHTTP2(t *testing.T, g *gatewaytest.Gateway, fields ...string) (status string, answer []hpack.HeaderField) {
	t.Helper()
	connection, err := net.Dial("tcp", g.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(20 * time.Second))
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for i := 0; i+1 < len(fields); i += 2 {
		_ = encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	_, _ = io.WriteString(connection, http2.ClientPreface)
	framer := http2.NewFramer(connection, connection)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	_ = framer.WriteSettings()
	_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true})
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			if len(answer) > 0 || err == io.EOF || strings.Contains(err.Error(), "reset") {
				return status, answer
			}
			t.Fatalf("%v after %q", err, fields)
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				_ = framer.WriteSettingsAck()
			}
		case *http2.MetaHeadersFrame:
			answer = append(answer, frame.Fields...)
			if value := frame.PseudoValue("status"); value != "" {
				status = value
			}
			if frame.StreamEnded() {
				return status, answer
			}
		case *http2.DataFrame:
			if frame.StreamEnded() {
				return status, answer
			}
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return status, answer
		}
	}
}

// hostHead is the beginning of a request with its Host line.
func hostHead(g *gatewaytest.Gateway, method, target, version string) []string {
	return []string{fmt.Sprintf("%s %s %s", method, target, version), "Host: " + strings.TrimPrefix(g.URL, "http://")}
}

// values are those of a header in a head, by its exact name but for its case.
func valuesOf(head, name string) (values []string) {
	for _, line := range strings.Split(head, "\r\n")[1:] {
		key, value, _ := strings.Cut(line, ":")
		if strings.EqualFold(key, name) {
			values = append(values, strings.TrimSpace(value))
		}
	}
	return values
}
