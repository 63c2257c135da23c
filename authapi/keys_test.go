package authapi

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Contract 1.2 and S34: public, but for no longer than a rotation can wait.
func TestKeys(t *testing.T) {
	for path, contentType := range map[string]string{
		"/auth/public-key": "text/html; charset=utf-8",
		"/auth/jwks.json":  "application/json",
	} {
		h := build(t)
		w := h.get(path)
		want(t, w, http.StatusOK, "")
		header := w.Header()
		if header.Get("Content-Type") != contentType || header.Get("Cache-Control") != "public, max-age=300" || header.Get("ETag") == "" {
			t.Errorf("%s: headers %v", path, header)
		}
		if header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: headers %v", path, header)
		}
		again := h.get(path, "If-None-Match: "+header.Get("ETag"))
		if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%s: %d with the ETag", path, again.Code)
		}
		// A cache must not hand an answer without CORS headers to a page that needs
		// them.
		if !slices.Equal(header["Vary"], []string{"Origin"}) {
			t.Errorf("%s: Vary %v", path, header["Vary"])
		}
		cross := h.get(path, "Origin: https://frontend.example.com")
		if cross.Header().Get("Access-Control-Allow-Origin") != "https://frontend.example.com" || len(cross.Header()["Vary"]) != 1 {
			t.Errorf("%s: cross-origin headers %v", path, cross.Header())
		}
	}
}

func TestPublicKeyIsThePEM(t *testing.T) {
	w := build(t).get("/auth/public-key")
	if w.Body.String() != "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n" {
		t.Errorf("got %q", w.Body)
	}
	w = build(t, func(c *Config) { c.Keys = fakeKeys{} }).get("/auth/public-key")
	want(t, w, http.StatusServiceUnavailable, "")
}

// changingKeys are keys that will change.
type changingKeys struct {
	fakeKeys
	until time.Time
}

func (k changingKeys) Until() time.Time { return k.until }

// S43: nobody keeps a key for longer than it is the one. A service that starts
// behind a cache just after an exchange would keep the old key for good.
func TestKeysAreKeptUntilTheyChange(t *testing.T) {
	for _, test := range []struct {
		in       time.Duration // 0 for unknown
		min, max int
	}{{0, 300, 300}, {time.Hour, 300, 300}, {time.Minute, 1, 60}, {-time.Minute, 0, 0}} {
		keys := changingKeys{fakeKeys: fakeKeys{"pem", "{}"}}
		if test.in != 0 {
			keys.until = time.Now().Add(test.in)
		}
		for _, path := range []string{"/auth/public-key", "/auth/jwks.json"} {
			w := build(t, func(c *Config) { c.Keys = keys }).get(path)
			age, err := strconv.Atoi(strings.TrimPrefix(w.Header().Get("Cache-Control"), "public, max-age="))
			if err != nil || age < test.min || age > test.max {
				t.Errorf("%s, %s before: %q", path, test.in, w.Header().Get("Cache-Control"))
			}
		}
	}
}

func TestETagFollowsTheKey(t *testing.T) {
	one := build(t).get("/auth/public-key").Header().Get("ETag")
	other := build(t, func(c *Config) { c.Keys = fakeKeys{pem: "other"} }).get("/auth/public-key").Header().Get("ETag")
	if one == other {
		t.Errorf("both are %s", one)
	}
}

func TestStyleSheet(t *testing.T) {
	w := build(t).get("/auth/style.css")
	want(t, w, http.StatusOK, "")
	wantBody(t, w, "color-scheme: light dark", "!url(", "!@import")
	if w.Header().Get("Content-Type") != "text/css; charset=utf-8" || w.Header().Get("ETag") == "" {
		t.Errorf("headers %v", w.Header())
	}
}
