package caddymodule_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// Whoever asks for the health by address, as load balancers do, is answered,
// and learns no more than that (S44).
func TestHealthEndpoints(t *testing.T) {
	g := gatewaytest.Start(t, observedConfig)
	for path, want := range map[string]string{
		"/auth/health/live":  `{"status":"ok"}`,
		"/auth/health/ready": `{"status":"ok","checks":{"database":{"status":"ok"}}}`,
	} {
		answer := call(t, g, path)
		if answer.Status != http.StatusOK || answer.Body != want {
			t.Errorf("%s: %d %s", path, answer.Status, answer.Body)
		}
	}
	post := gatewaytest.NewBrowser(t).Do(http.MethodPost, g.URL+"/auth/health/ready", strings.NewReader(""), nil)
	if post.Status != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", post.Status)
	}
}
