package routes

import (
	"testing"

	"github.com/datahq/auth-gateway/internal/wire"
)

// Ruling 23: the session cookie is for one host. A matcher that may be met by
// requests for it is not foreign.
func TestIsOwn(t *testing.T) {
	for _, test := range []struct {
		external, host string
		want           bool
	}{
		{"https://app.example.com", "app.example.com", true},
		{"https://app.example.com:8443", "App.Example.com", true},
		{"https://app.example.com", "*.example.com", true},
		{"https://app.example.com", "{env.HOST}", true},
		{"https://app.example.com", "example.com", false},
		{"https://app.example.com", "*.com", false},
		{"https://app.example.com", "*.example.org", false},
		{"https://app.example.com", "localhost", false},
		{"http://localhost:8080", "127.0.0.1", true},
		{"http://localhost:8080", "[::1]", true},
		{"http://localhost:8080", "app.example.com", false},
	} {
		site, err := wire.NewSite(test.external, "")
		if err != nil {
			t.Fatal(err)
		}
		w := walker{gateway: Gateway{Site: site}}
		if got := w.isOwn(test.host); got != test.want {
			t.Errorf("%s at %s: %t", test.host, test.external, got)
		}
	}
}
