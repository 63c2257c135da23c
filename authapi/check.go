package authapi

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/internal/wire"
	"github.com/datahq/auth-gateway/providers"
)

// retryLater is when to try again what could not be told.
const retryLater = 5 * time.Second

// unavailable is the answer when it cannot be told who is asking (S39).
var unavailable = wire.Problem{
	Status: http.StatusServiceUnavailable, Code: wire.CodeUnavailable,
	Detail: "The gateway cannot tell at the moment. Try again shortly.", RetryAfter: retryLater,
}

// check tells who is signed in, or where to sign in (contract 1.2).
func (a *API) check(w http.ResponseWriter, r *http.Request) {
	p, err := readParameters(r)
	if err != nil {
		a.problemJSON(w, r, tooLarge)
		return
	}
	d, err := a.whoIs(r, p)
	switch {
	case err != nil:
		a.cannotTell(w, r, err)
	case d != nil:
		a.writeJSON(w, r, object{"authenticated": true, "profile": profile(d.User)})
	default:
		next := ""
		if values := wire.QueryValues(r.URL.RawQuery, "next"); len(values) > 0 {
			next = values[0]
		}
		a.writeJSON(w, r, object{"authenticated": false, "providers": a.loginURLs(next)})
	}
}

// loginURLs are where to sign in, by provider. next is carried as it came, good
// or bad: it is judged when somebody goes there (ruling 20).
func (a *API) loginURLs(next string) object {
	urls := make(object, len(a.Config.Logins))
	for _, login := range a.Config.Logins {
		address := a.Site.URL("/login/"+login.Name) + "?"
		if next != "" {
			address += "next=" + url.QueryEscape(next) + "&"
		}
		urls[login.Name] = object{"url": address + "deliver=jwt"}
	}
	return urls
}

// whoIs tells whose token an API call carries. Without a token the session
// cookie counts, on requests of the site's own pages alone (ruling 4). The
// result is nil for nobody; an error means that it cannot be told.
func (a *API) whoIs(r *http.Request, p parameters) (*authz.Decision, error) {
	c, found := a.credential(r, p)
	if !found {
		return nil, nil
	}
	return a.decide(r.Context(), c, "")
}

// credential finds what an API call shows of itself. Two tokens are none: two
// readers could see two people.
func (a *API) credential(r *http.Request, p parameters) (c authz.Credential, found bool) {
	token, err := p.token(r)
	switch {
	case err != nil:
		return authz.Credential{}, false
	case token != "":
		return authz.Token(token), true
	case !wire.SameOrigin(r):
		return authz.Credential{}, false
	}
	cookie, found := a.Site.SessionCookie(r)
	return authz.Cookie(cookie), found
}

// decide asks authz. A credential that is none, or no longer one, is nobody.
func (a *API) decide(ctx context.Context, c authz.Credential, service string) (*authz.Decision, error) {
	d, err := a.Authz.Decide(ctx, c, service)
	if isDead(err) {
		return nil, nil
	}
	return d, err
}

// isDead reports whether an error of authz says that a credential is certainly
// none.
func isDead(err error) bool {
	return errors.Is(err, authz.ErrInvalid) || errors.Is(err, authz.ErrEnded) || errors.Is(err, authz.ErrDisabled)
}

// cannotTell answers 503 to a program, never "not authenticated" (S39).
func (a *API) cannotTell(w http.ResponseWriter, r *http.Request, err error) {
	a.logUnavailable(r, err)
	a.problemJSON(w, r, unavailable)
}

func (a *API) logUnavailable(r *http.Request, err error) {
	a.Logger.Warn("cannot tell who is asking", zap.String("request_id", a.RequestID(r)), zap.Error(err))
}

// profile is a user as clients know him: every member is there, null when it
// is not set. id and idhash are the same (ruling 13).
func profile(u providers.User) object {
	joined := ""
	if !u.JoinDate.IsZero() {
		joined = u.JoinDate.UTC().Format(http.TimeFormat)
	}
	return object{
		"id": u.ID, "idhash": u.ID,
		"avatar_url":  orNull(u.AvatarURL),
		"email":       orNull(u.Email),
		"join_date":   orNull(joined),
		"name":        orNull(u.Name),
		"provider_id": orNull(u.ProviderID),
		"username":    orNull(u.Username),
	}
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
