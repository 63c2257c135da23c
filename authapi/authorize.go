package authapi

import (
	"errors"
	"net/http"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/providers"
)

// authorize answers what the user may do in a service, and with a permission
// token that says so (contract 1.2).
func (a *API) authorize(d dialect) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p, err := readParameters(r)
		if err != nil {
			a.problemJSON(w, r, tooLarge)
			return
		}
		decision, err := a.may(r, p, d)
		if err != nil {
			a.cannotTell(w, r, err)
			return
		}
		if decision != nil {
			// A signature costs a millisecond of a core.
			if err := a.limit(r, limitAuthorize, decision.User.ID); err != nil {
				a.cannotTell(w, r, err)
				return
			}
		}
		answer, err := a.authorized(decision)
		if err != nil {
			a.Logger.Error("minting a permission token", zap.String("request_id", a.RequestID(r)), zap.Error(err))
			a.problemJSON(w, r, unavailable)
			return
		}
		a.writeJSON(w, r, answer)
	}
}

// authorized is the answer of authorize for a decision, nil where no token is
// due.
func (a *API) authorized(d *authz.Decision) (object, error) {
	nothing := object{"permissions": object{}}
	if d == nil {
		return nothing, nil
	}
	token, err := a.Authz.Mint(d)
	if errors.Is(err, authz.ErrInvalid) {
		// Such a name, or so many permissions, go into no token: that is no outage.
		return nothing, nil
	}
	if err != nil {
		return nil, err
	}
	permissions := d.Permissions
	if permissions == nil {
		permissions = providers.Permissions{}
	}
	return object{"permissions": permissions, "service": d.Service, "token": token, "userid": d.User.ID}, nil
}

// may returns the decision for the one service that is named, and nil where no
// token is due: no live user (S7), no service, or a repeated one (ruling 10).
func (a *API) may(r *http.Request, p parameters, d dialect) (*authz.Decision, error) {
	services := p.all("service")
	if len(services) != 1 {
		return nil, nil
	}
	c, found := a.credential(r, p, d)
	if !found {
		return nil, nil
	}
	// Asking for nobody's service first keeps permission tokens out: they would
	// renew themselves for ever (S4).
	who, err := a.decide(r, c, "")
	if err != nil || who == nil || services[0] == "" {
		return who, err
	}
	return a.decide(r, c, services[0])
}
