package idp

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// S25: an answer's status is told, and nothing that it says.
func TestStatusError(t *testing.T) {
	const text = "<script>alert(1)</script>"
	tests := []struct {
		name    string
		status  int
		header  map[string]string
		body    string
		limited bool
	}{
		{"not found", 404, nil, text, false},
		{"server error", 500, map[string]string{"Retry-After": "60"}, text, false},
		{"too many requests", 429, nil, text, true},
		{"forbidden", 403, nil, text, false},
		{"forbidden, requests left", 403, map[string]string{"X-RateLimit-Remaining": "4999"}, text, false},
		{"forbidden, none left", 403, map[string]string{"X-RateLimit-Remaining": "0"}, text, true},
		{"forbidden until later", 403, map[string]string{"Retry-After": "60"}, text, true},
		{"forbidden, as the message says", 403, nil, "You have exceeded a secondary rate limit. " + text, true},
		{"forbidden, as the link says", 403, nil, `{"documentation_url": "https://docs.github.com/rest/about-secondary-Rate-Limits"}`, true},
		{"unauthorized, none left", 401, map[string]string{"X-RateLimit-Remaining": "0"}, text, false},
	}
	client := NewHTTPClient()
	defer client.CloseIdleConnections()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for name, value := range test.header {
					w.Header().Set(name, value)
				}
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			}))
			defer server.Close()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Do(r)
			if err == nil {
				resp.Body.Close()
			}
			var status *StatusError
			if !errors.As(err, &status) || status.Status != test.status || status.RateLimited != test.limited {
				t.Fatalf("error %v, want a StatusError of %d, rate-limited: %v", err, test.status, test.limited)
			}
			if strings.Contains(err.Error(), "script") {
				t.Errorf("the answer is in the error: %v", err)
			}
		})
	}
}

// The token endpoint is asked for JSON, without which GitHub answers with a
// form; keys and metadata have types of their own.
func TestAccept(t *testing.T) {
	var accepts []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		accepts = append(accepts, r.Header.Get("Accept"))
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "{}")
	}))
	defer server.Close()
	client := NewHTTPClient()
	defer client.CloseIdleConnections()
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		for _, accept := range []string{"", "application/vnd.github+json"} {
			r, err := http.NewRequestWithContext(t.Context(), method, server.URL, strings.NewReader("body"))
			if err != nil {
				t.Fatal(err)
			}
			if accept != "" {
				r.Header.Set("Accept", accept)
			}
			resp, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if r.Header.Get("Accept") != accept {
				t.Error("the caller's request was changed, which a RoundTripper must not do")
			}
		}
	}
	const want = "application/json|application/vnd.github+json||application/vnd.github+json"
	if got := strings.Join(accepts, "|"); got != want {
		t.Errorf("asked for %q, want %q", got, want)
	}
}
