package authapi

import (
	"net/http"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/providers"
)

// authorize answers what the user may do in a service, and with a permission
// token that says so (contract 1.2).
func (a *API) authorize(w http.ResponseWriter, r *http.Request) {
	p, err := readParameters(r)
	if err != nil {
		a.problemJSON(w, r, tooLarge)
		return
	}
	d, err := a.may(r, p)
	if err != nil {
		a.cannotTell(w, r, err)
		return
	}
	if d == nil {
		a.writeJSON(w, r, object{"permissions": object{}})
		return
	}
	token, err := a.Authz.Mint(d)
	if err != nil {
		a.Logger.Error("minting a permission token", zap.String("request_id", a.RequestID(r)), zap.Error(err))
		a.problemJSON(w, r, unavailable)
		return
	}
	permissions := d.Permissions
	if permissions == nil {
		permissions = providers.Permissions{}
	}
	a.writeJSON(w, r, object{"permissions": permissions, "service": d.Service, "token": token, "userid": d.User.ID})
}

// may returns the decision for the one service that is named, and nil where no
// token is due: no live user (S7), no service, or a repeated one (ruling 10).
func (a *API) may(r *http.Request, p parameters) (*authz.Decision, error) {
	services := p.all("service")
	if len(services) != 1 {
		return nil, nil
	}
	c, found := a.credential(r, p)
	if !found {
		return nil, nil
	}
	// Asking for nobody's service first keeps permission tokens out: they would
	// renew themselves for ever (S4).
	d, err := a.decide(r.Context(), c, "")
	if err != nil || d == nil || services[0] == "" {
		return d, err
	}
	return a.decide(r.Context(), c, services[0])
}
