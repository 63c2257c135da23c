package requestlog

import (
	"net/http"
	"testing"
)

// S41: a header that says who somebody is, in any spelling that an upstream may
// read so, and one with another address that has a secret, keep Caddy from
// logging a request. What else browsers and proxies send does not.
func TestHeadersTell(t *testing.T) {
	for _, c := range []struct {
		name, value string
		want        bool
	}{
		{"Auth-Token", "short", true},
		{"Auth_token", "short", true},
		{"Auth.token", "short", true},
		{"auth-token", "short", true},
		{"AUTH_TOKEN", "short", true},
		{"X-Auth-Email", "ada@example.com", true},
		{"X-Auth-Token", "short", true},
		{"X-Auth-User-Id", "1", true},
		{"X_auth_email", "x", true},
		{"X.auth_email", "x", true},
		{"x-auth-anything", "x", true},
		{"Referer", "https://app.example.com/?jwt=short", true},
		{"X-Forwarded-Uri", "/?jwt=short", true},
		{"X-Forwarded-Uri", "/?a=%3Fcode%3Dshort", true},
		{"X-Original-Url", "/?state=short", true},
		{"X-Original-URL", "/?jwt=short", true},
		{"X_original_url", "/?jwt=short", true},
		{"X-Rewrite-Url", "/resolve?email=short", true},
		{"X-Original-Path", "/u/ada@example.com", true},
		{"X-Forwarded-Prefix", "/eyJhbGciOiJub25lIn0", true},
		{"Request-Uri", "/?jwt=short", true},
		{"Url", "/?jwt=short", true},

		{"Referer", "https://app.example.com/?a=1", false},
		{"X-Forwarded-Uri", "/a?b=c", false},
		{"X-Original-Url", "/", false},
		{"Auth-Tokens", "x", false},
		{"X-Author", "x", false},
		{"Authorization", "Basic YTpi", false}, // Caddy redacts it
		{"Cookie", "jwt=short", false},         // and this
		{"Accept", "*/*", false},
		{"Cache-Control", "no-cache", false},
		{"User-Agent", "a/1 (+https://a.example/?code=1)", false},
		{"Te", "jwt=short", false},
		{"", "jwt=short", false},
	} {
		if got := headersTell(http.Header{c.name: {c.value}, "Accept-Encoding": {"gzip"}}); got != c.want {
			t.Errorf("%s: %s: %t", c.name, c.value, got)
		}
		if got := redactHeader(http.Header{c.name: {c.value}})[c.name][0]; c.want && got == c.value {
			t.Errorf("%s: %s stays in our own line", c.name, c.value)
		}
	}
	if !headersTell(http.Header{"Referer": {"https://a.example/", "https://b.example/"}}) {
		t.Error("two Referers are taken for one")
	}
	if !headersTell(http.Header{"X-Original-Url": {"/", "/?jwt=short"}}) {
		t.Error("only the first value is looked at")
	}
	if headersTell(http.Header{"Auth-Token": nil}) {
		t.Error("no value at all is taken for one")
	}
}
