package authapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/zap"
)

// S39, S44: a guest's page that panics costs its own request: a 500 without a
// stack, without what the page had prepared, and with one line in the log.
func TestPanicInAPage(t *testing.T) {
	h := build(t, func(c *Config) {
		c.Logins = []Login{{Name: "dev", Pages: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Set-Cookie", cookieName+"=x")
			w.Header().Set("Location", "/elsewhere")
			w.Header().Set("Content-Length", "5")
			switch r.URL.Path {
			case "/late":
				_, _ = w.Write([]byte("it be"))
			case "/abort":
				panic(http.ErrAbortHandler)
			}
			panic("what the page holds")
		})}}
	})
	w := h.do(browse("/auth/login/dev/x"))
	want(t, w, http.StatusInternalServerError, "")
	for _, name := range []string{"Set-Cookie", "Content-Length"} {
		if got := w.Header().Get(name); got != "" && name == "Set-Cookie" || got == "5" {
			t.Errorf("%s is %q", name, got)
		}
	}
	for _, bad := range []string{"what the page holds", "goroutine", ".go:"} {
		if strings.Contains(w.Body.String(), bad) {
			t.Errorf("the answer has %q:\n%s", bad, w.Body)
		}
	}
	lines := h.logs.FilterLevelExact(zap.ErrorLevel).All()
	if len(lines) != 1 || !strings.Contains(lines[0].ContextMap()["stack"].(string), "panic_test.go") {
		t.Errorf("the log: %v", lines)
	}
	// An answer that has begun cannot be made good, and is cut off; one that is to
	// be cut off is.
	for _, path := range []string{"/auth/login/dev/late", "/auth/login/dev/abort"} {
		func() {
			defer func() {
				if p := recover(); p != http.ErrAbortHandler {
					t.Errorf("%s: %v", path, p)
				}
			}()
			h.do(browse(path))
			t.Errorf("%s: it was answered", path)
		}()
	}
	if got := h.logs.FilterLevelExact(zap.ErrorLevel).Len(); got != 2 {
		t.Errorf("%d lines in the log, want one more, for the late one", got)
	}
	// What is not ours to write stays usable.
	if err := http.NewResponseController(&watched{ResponseWriter: httptest.NewRecorder()}).Flush(); err != nil {
		t.Errorf("flushing: %v", err)
	}
}
