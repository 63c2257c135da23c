package authapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/internal/wire"
	"github.com/datahq/auth-gateway/providers"
)

// dialect is what differs between the API of the DataHQ auth service and that of
// os-conductor, its ancestor (contract 1.2).
type dialect struct {
	// jwtOnly: the token is the parameter "jwt"; header and cookie do not count.
	jwtOnly bool
	// keepCase: a chosen username is shown as it was typed (ruling 14).
	keepCase bool
	// profile is a user as clients know him. An error means that it cannot be told.
	profile func(ctx context.Context, u providers.User) (object, error)
}

// token is the token of an API call: the Auth-Token header if it is not empty,
// else the parameter "jwt". given tells an empty one from none. The error is
// wire.ErrAmbiguous.
func (d dialect) token(r *http.Request, p parameters) (token string, given bool, err error) {
	if !d.jwtOnly {
		token, err := wire.AuthToken(r)
		if err != nil || token != "" {
			return token, true, err
		}
	}
	if values := p.all("jwt"); len(values) > 0 {
		return values[0], true, nil
	}
	return "", false, nil
}

// credential finds what an API call shows of itself: its token, or else the
// session cookie on requests of the site's own pages alone (ruling 4). Two tokens
// are none: two readers could see two people.
func (a *API) credential(r *http.Request, p parameters, d dialect) (c authz.Credential, found bool) {
	token, _, err := d.token(r, p)
	switch {
	case err != nil:
		return authz.Credential{}, false
	case token != "":
		return authz.APIToken(token), true
	case d.jwtOnly || !a.Site.SameOrigin(r):
		return authz.Credential{}, false
	}
	cookie, found := a.Site.SessionCookie(r)
	return authz.Cookie(cookie), found
}

// noToken is what clients in JavaScript send when they have none (contract 2a).
// One server sends it for each of its visitors, so it is no token that is tried.
const noToken = "undefined"

// decide asks authz. A credential that is none, or no longer one, is nobody;
// whoever shows too many false ones gets a limitError (S37).
func (a *API) decide(r *http.Request, c authz.Credential, service string) (*authz.Decision, error) {
	d, err := a.Authz.Decide(r.Context(), c, service)
	switch {
	case c.Kind == authz.APICredential && c.Value == noToken:
		return nil, nil
	case errors.Is(err, authz.ErrInvalid), errors.Is(err, authz.ErrUnknown):
		return nil, a.limit(r, limitBadToken, "")
	case isDead(err):
		return nil, nil
	}
	return d, err
}

// isDead reports whether an error of authz says that a credential is certainly
// none.
func isDead(err error) bool {
	return errors.Is(err, authz.ErrInvalid) || errors.Is(err, authz.ErrEnded) || errors.Is(err, authz.ErrDisabled)
}
