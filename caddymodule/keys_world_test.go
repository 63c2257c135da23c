package caddymodule_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// storedKey is the only key of a kind, "signing" or "session", in a gateway's
// storage.
func storedKey(t *testing.T, g *gatewaytest.Gateway, kind string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(g.State, "data", "caddy", "auth", "keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]json.RawMessage
	var keys []struct{ Key string }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(file[kind], &keys); err != nil || len(keys) != 1 {
		t.Fatalf("%d %s keys, %v", len(keys), kind, err)
	}
	return []byte(keys[0].Key)
}

// pemLines are the lines between those that begin and end a PEM.
func pemLines(text []byte) (lines []string) {
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "-----") {
			lines = append(lines, line)
		}
	}
	return lines
}

// twins prepares two gateways that are one for their users: one address, one
// database and, if config names no other, one storage.
func twins(t *testing.T, config gatewaytest.Config) (a, b *gatewaytest.Gateway) {
	t.Helper()
	dir := t.TempDir()
	config.Auth += "\ndatabase sqlite:///" + filepath.Join(dir, "auth.db")
	if config.Global == "" {
		config.Global = "storage file_system " + filepath.Join(dir, "storage")
	}
	a, b = gatewaytest.New(t, config), gatewaytest.New(t, config)
	b.URL = a.URL
	return a, b
}

// balanced is a client of which each request goes to one of the gateways, as a
// load balancer sends it.
func balanced(t *testing.T, gateways ...*gatewaytest.Gateway) *http.Client {
	t.Helper()
	var turn atomic.Int64
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		g := gateways[int(turn.Add(1))%len(gateways)]
		return new(net.Dialer).DialContext(ctx, network, g.Address)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

// ask is one request; token may be "".
func ask(client *http.Client, address, token string) (status int, body string, err error) {
	request, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return 0, "", err
	}
	if token != "" {
		request.Header.Set("Auth-Token", token)
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if so() {
			return
		}
	}
	t.Fatal("it never came to be: " + what)
}

const (
	storageSite  = "auth_api\nhandle /storage/* {\nrequire_permission storage read\nrespond ok\n}\nhandle {\nrequire_login\nrespond ok\n}"
	storageSite2 = "auth_api\nrequire_login\nrespond ok"
)
