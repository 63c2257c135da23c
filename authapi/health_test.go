package authapi

import (
	"context"
	"net/http"
	"testing"
)

func healthy(checks map[string]HealthCheck) func(*Config) {
	return func(c *Config) {
		c.Health = func(context.Context) map[string]HealthCheck { return checks }
	}
}

func TestReady(t *testing.T) {
	ok, degraded := HealthCheck{Status: HealthOK}, HealthCheck{Status: HealthDegraded, Reason: "Redis does not answer."}
	gone := HealthCheck{Status: HealthNotReady, Reason: "The database does not answer."}
	for name, test := range map[string]struct {
		checks map[string]HealthCheck
		status int
		body   string
	}{
		"no parts":      {nil, http.StatusOK, `{"status":"ok"}`},
		"all well":      {map[string]HealthCheck{"database": ok, "cache": ok}, http.StatusOK, `{"status":"ok","checks":{"cache":{"status":"ok"},"database":{"status":"ok"}}}`},
		"no cache":      {map[string]HealthCheck{"database": ok, "cache": degraded}, http.StatusOK, `{"status":"degraded","checks":{"cache":{"status":"degraded","reason":"Redis does not answer."},"database":{"status":"ok"}}}`},
		"no database":   {map[string]HealthCheck{"database": gone, "cache": ok}, http.StatusServiceUnavailable, `{"status":"not_ready","checks":{"cache":{"status":"ok"},"database":{"status":"not_ready","reason":"The database does not answer."}}}`},
		"neither works": {map[string]HealthCheck{"database": gone, "cache": degraded}, http.StatusServiceUnavailable, `{"status":"not_ready","checks":{"cache":{"status":"degraded","reason":"Redis does not answer."},"database":{"status":"not_ready","reason":"The database does not answer."}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			w := build(t, healthy(test.checks)).get("/auth/health/ready")
			if w.Code != test.status || w.Body.String() != test.body {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if got := w.Header().Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control %q", got)
			}
		})
	}
}

// A dead database is no reason to restart the process.
func TestLiveAsksNobody(t *testing.T) {
	h := build(t, func(c *Config) {
		c.Health = func(context.Context) map[string]HealthCheck {
			t.Error("live asked")
			return nil
		}
	})
	w := h.get("/auth/health/live")
	want(t, w, http.StatusOK, "")
	wantBody(t, w, `{"status":"ok"}`)
}

// Load balancers ask by address. The answer is the same for every name (S16).
func TestHealthUnderAnyHost(t *testing.T) {
	h := build(t, healthy(nil))
	for _, path := range []string{"/auth/health/live", "/auth/health/ready"} {
		w := h.do(request(http.MethodGet, "http://10.0.0.7:8080"+path))
		want(t, w, http.StatusOK, "")
		wantBody(t, w, `{"status":"ok"}`)
	}
}
