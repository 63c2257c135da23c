package authapi

import (
	"net/http"
	"net/url"
	"time"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/wire"
)

// retryLater is when to try again what could not be told.
const retryLater = 5 * time.Second

// unavailable is the answer when it cannot be told who is asking (S39).
var unavailable = wire.Problem{
	Status: http.StatusServiceUnavailable, Code: wire.CodeUnavailable,
	Detail: "The gateway cannot tell at the moment. Try again shortly.", RetryAfter: retryLater,
}

// check tells who is signed in, or where to sign in (contract 1.2).
func (a *API) check(d dialect) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p, err := readParameters(r)
		if err != nil {
			a.problemJSON(w, r, tooLarge)
			return
		}
		answer, err := a.checked(r, p, d)
		if err != nil {
			a.cannotTell(w, r, err)
			return
		}
		a.writeJSON(w, r, answer)
	}
}

// checked is the answer of check; an error means that it cannot be told.
func (a *API) checked(r *http.Request, p parameters, d dialect) (object, error) {
	if c, found := a.credential(r, p, d); found {
		who, err := a.decide(r, c, "")
		if err != nil {
			return nil, err
		}
		if who != nil {
			profile, err := d.profile(r.Context(), who.User)
			return object{"authenticated": true, "profile": profile}, err
		}
	}
	next := ""
	if values := wire.QueryValues(r.URL.RawQuery, "next"); len(values) > 0 {
		next = values[0]
	}
	return object{"authenticated": false, "providers": a.loginURLs(next)}, nil
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

// cannotTell answers 503 to a program, never "not authenticated" (S39).
func (a *API) cannotTell(w http.ResponseWriter, r *http.Request, err error) {
	if p, ok := limited(err); ok {
		a.problemJSON(w, r, p)
		return
	}
	a.logUnavailable(r, err)
	a.problemJSON(w, r, unavailable)
}

// logUnavailable tells of an outage now and then: anybody can make any number of
// requests that meet it.
func (a *API) logUnavailable(r *http.Request, err error) {
	a.outages.Warn("cannot tell who is asking", zap.String("request_id", a.RequestID(r)), zap.Error(err))
}
