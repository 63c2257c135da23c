package idp

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// S26: what the client lets through.
func TestHTTPClient(t *testing.T) {
	const limit = 1 << 20
	reply := func(status int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	tests := []struct {
		name    string
		method  string
		handler http.HandlerFunc
		want    string // in the error
	}{
		{"JSON", "GET", reply(200, "application/json; charset=utf-8", "{}"), ""},
		{"a key set", "GET", reply(200, "application/jwk-set+json", "{}"), ""},
		{"a text", "GET", reply(200, "text/plain", "{}"), "Content-Type"},
		{"a script", "GET", reply(200, "text/javascript", "{}"), "Content-Type"},
		{"a JWT", "GET", reply(200, "application/jwt", "x.y.z"), "Content-Type"},
		{"no type", "GET", reply(200, "", "{}"), "Content-Type"},
		{"exactly 1 MiB", "GET", reply(200, "application/json", strings.Repeat(" ", limit)), ""},
		{"a byte more", "GET", reply(200, "application/json", strings.Repeat(" ", limit+1)), "more than"},
		{"packed", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, strings.Repeat(" ", limit+1))
			_ = z.Close()
		}, "more than"},
		{"201", "GET", reply(201, "application/json", "{}"), "status 201"},
		{"204", "GET", reply(204, "", ""), "status 204"},
		{"301", "GET", reply(301, "application/json", "{}"), "status 301"},
		{"307 of a form", "POST", reply(307, "application/json", "{}"), "status 307"},
		{"400 of a question", "GET", reply(400, "application/json", "{}"), "status 400"},
		{"400 of a form", "POST", reply(400, "application/json", "{}"), ""},
		{"400 of a form as a page", "POST", reply(400, "text/html", ""), "Content-Type"},
		{"429 of a form", "POST", reply(429, "application/json", "{}"), "status 429"},
		{"500 of a form", "POST", reply(500, "application/json", "{}"), "status 500"},
	}
	client := NewHTTPClient()
	defer client.CloseIdleConnections()
	if client.Timeout != 10*time.Second {
		t.Errorf("time-out %s, want 10 s", client.Timeout)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			elsewhere := false
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				elsewhere = elsewhere || r.URL.Path == "/elsewhere"
				test.handler(w, r)
			}))
			defer server.Close()
			r, err := http.NewRequestWithContext(t.Context(), test.method, server.URL, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Do(r)
			if err == nil {
				defer resp.Body.Close()
			}
			switch {
			case test.want == "" && err != nil:
				t.Errorf("error %v, want none", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("error %v, want one with %q", err, test.want)
			}
			if elsewhere {
				t.Error("the redirect was followed")
			}
		})
	}
}
