package gatewaytest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// Seen is what an upstream saw of a request.
type Seen struct {
	Method, Path, Query, Host, Body string
	Header, Trailer                 http.Header
}

// Upstream is a service behind the gateway that answers with what it saw, as
// JSON, and remembers it.
type Upstream struct {
	*httptest.Server
	mu   sync.Mutex
	seen []Seen
}

// NewUpstream runs an upstream until the test ends.
func NewUpstream(t testing.TB) *Upstream {
	t.Helper()
	u := new(Upstream)
	u.Server = httptest.NewServer(u)
	t.Cleanup(u.Close)
	return u
}

// Address is what reverse_proxy takes.
func (u *Upstream) Address() string { return strings.TrimPrefix(u.URL, "http://") }

// ServeHTTP implements http.Handler.
func (u *Upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	seen := Seen{
		Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Host: r.Host, Body: string(body),
		Header: r.Header, Trailer: r.Trailer,
	}
	u.mu.Lock()
	u.seen = append(u.seen, seen)
	u.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(seen)
}

// Take returns what has been seen since the last call.
func (u *Upstream) Take() []Seen {
	u.mu.Lock()
	defer u.mu.Unlock()
	seen := u.seen
	u.seen = nil
	return seen
}

// ParseSeen reads an upstream's answer.
func ParseSeen(t testing.TB, body string) Seen {
	t.Helper()
	var seen Seen
	if err := json.Unmarshal([]byte(body), &seen); err != nil {
		t.Fatalf("not an upstream's answer: %v\n%s", err, body)
	}
	return seen
}
