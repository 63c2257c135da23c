package wire

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"
	"time"
)

// Ruling 26 and RFC 9457.
func TestProblemWriteJSON(t *testing.T) {
	tests := []struct {
		name    string
		problem Problem
		body    string
		headers map[string]string
	}{
		{
			"not signed in",
			Problem{
				Status: 401, Code: CodeNotSignedIn, Detail: "Sign in to see this.", RequestID: "r1", Challenge: true,
				LoginURL: "https://app.example.com/auth/login?next=%2Fa", Next: "/secret", Account: "secret",
			},
			`{"type":"about:blank","title":"Unauthorized","status":401,"code":"not_signed_in","detail":"Sign in to see this.","request_id":"r1","login_url":"https://app.example.com/auth/login?next=%2Fa"}`,
			map[string]string{"Www-Authenticate": `Bearer realm="auth"`},
		},
		{
			"a dead credential",
			Problem{Status: 401, Code: CodeSessionEnded, Challenge: true, InvalidToken: true},
			`{"type":"about:blank","title":"Unauthorized","status":401,"code":"session_ended","detail":""}`,
			map[string]string{"Www-Authenticate": `Bearer realm="auth", error="invalid_token"`},
		},
		{
			"not permitted",
			Problem{Status: 403, Code: CodePermissionMissing, Service: "storage", Missing: []string{"read", "write"}},
			`{"type":"about:blank","title":"Forbidden","status":403,"code":"permission_missing","detail":"","service":"storage","missing":["read","write"]}`,
			nil,
		},
		{
			"later",
			Problem{Status: 503, Code: CodeUnavailable, RetryAfter: 5 * time.Second},
			`{"type":"about:blank","title":"Service Unavailable","status":503,"code":"unavailable","detail":""}`,
			map[string]string{"Retry-After": "5"},
		},
		{
			"very soon",
			Problem{Status: 429, Code: CodeRateLimited, RetryAfter: time.Millisecond},
			`{"type":"about:blank","title":"Too Many Requests","status":429,"code":"rate_limited","detail":""}`,
			map[string]string{"Retry-After": "1"},
		},
		{
			"invalid token without a challenge",
			Problem{Status: 400, Code: CodeAmbiguousCredentials, InvalidToken: true},
			`{"type":"about:blank","title":"Bad Request","status":400,"code":"ambiguous_credentials","detail":""}`,
			nil,
		},
		{
			"markup",
			Problem{Status: 400, Code: CodeBadNext, Detail: `<script>"&\` + "\n\xff"},
			`{"type":"about:blank","title":"Bad Request","status":400,"code":"bad_next","detail":"\u003cscript\u003e\"\u0026\\\n\ufffd"}`,
			nil,
		},
	}
	for _, tt := range tests {
		w := httptest.NewRecorder()
		tt.problem.WriteJSON(w)
		if w.Code != tt.problem.Status || w.Body.String() != tt.body {
			t.Errorf("%s:\n got %d %s\nwant %s", tt.name, w.Code, w.Body, tt.body)
		}
		if !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s: no JSON", tt.name)
		}
		want := map[string]string{ // S34, S35
			"Cache-Control":           "no-store",
			"X-Content-Type-Options":  "nosniff",
			"Content-Type":            "application/problem+json",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
			"Content-Length":          strconv.Itoa(len(tt.body)),
		}
		maps.Copy(want, tt.headers)
		got := make(map[string]string)
		for name := range w.Header() {
			got[name] = w.Header().Get(name)
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: headers\n got %v\nwant %v", tt.name, got, want)
		}
	}
}

// A challenge replaces what an earlier handler set: two readers must not see
// two.
func TestProblemHeadersAreSetOnce(t *testing.T) {
	h := http.Header{"Www-Authenticate": {"Basic"}, "Cache-Control": {"public"}}
	p := Problem{Status: 401, Challenge: true}
	p.Headers(h)
	p.Headers(h)
	if !slices.Equal(h["Www-Authenticate"], []string{`Bearer realm="auth"`}) || !slices.Equal(h["Cache-Control"], []string{"no-store"}) {
		t.Errorf("headers are %v", h)
	}
}
