//go:build e2e

package authapi

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
)

// Contract 2b: what the applications do with the library, in a JavaScript
// engine.
func TestConductorLibInNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatalf(`%v; run "make test-deps" (as root on Debian or Ubuntu, it installs what the tests need)`, err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + listener.Addr().String()
	h := conducted(t, func(c *Config) { c.Site = site(t, base) })
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: h.Conductor()}}
	server.Start()
	defer server.Close()
	output, err := exec.CommandContext(t.Context(), node, "testdata/conductor.mjs", base).CombinedOutput()
	if err != nil || !strings.Contains(string(output), "all told") {
		t.Errorf("%v\n%s", err, output)
	}
}
