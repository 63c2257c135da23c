package authapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/datahq/auth-gateway/internal/wire"
)

// What a part of the gateway, and the gateway as a whole, can be.
const (
	// HealthOK: everything works.
	HealthOK = "ok"
	// HealthDegraded: something is missing, and requests are served without it.
	HealthDegraded = "degraded"
	// HealthNotReady: signed-in requests cannot be served.
	HealthNotReady = "not_ready"
)

// HealthCheck is the state of one part.
type HealthCheck struct {
	// Status is one of the Health constants.
	Status string `json:"status"`
	// Reason says for a person what is wrong, without addresses and causes, which
	// are in the log: anybody may ask (S44). "" if nothing is.
	Reason string `json:"reason,omitempty"`
}

// healthAnswer is what the health endpoints answer.
type healthAnswer struct {
	Status string                 `json:"status"`
	Checks map[string]HealthCheck `json:"checks,omitempty"`
}

// live says that the process serves requests.
func (a *API) live(w http.ResponseWriter, r *http.Request) {
	a.writeHealth(w, r, http.StatusOK, healthAnswer{Status: HealthOK})
}

// ready says whether requests can be served: 200 if so, with or without
// everything, else 503. The worst of the parts is the whole.
func (a *API) ready(w http.ResponseWriter, r *http.Request) {
	answer := healthAnswer{Status: HealthOK, Checks: a.health(r.Context())}
	status := http.StatusOK
	for _, check := range answer.Checks {
		switch check.Status {
		case HealthNotReady:
			answer.Status, status = HealthNotReady, http.StatusServiceUnavailable
		case HealthDegraded:
			if answer.Status == HealthOK {
				answer.Status = HealthDegraded
			}
		}
	}
	a.writeHealth(w, r, status, answer)
}

func (a *API) writeHealth(w http.ResponseWriter, r *http.Request, status int, answer healthAnswer) {
	text, err := json.Marshal(answer)
	if err != nil { // strings alone
		a.problemJSON(w, r, wire.Problem{Status: http.StatusInternalServerError, Code: wire.CodeInternal})
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

func (a *API) health(ctx context.Context) map[string]HealthCheck {
	if a.Health == nil {
		return nil
	}
	return a.Health(ctx)
}
