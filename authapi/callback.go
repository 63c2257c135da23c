package authapi

import (
	"net/http"
	"net/url"
	"time"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/authn"
	"github.com/datahq/auth-gateway/internal/wire"
)

// callback ends a sign-in: it is where identity providers send browsers back
// to. provider is the name at the end of the path, "" for the shared address.
func (a *API) callback(provider string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			// Whoever only looks must not use up the sign-in.
			w.WriteHeader(http.StatusOK)
			return
		}
		if partOfForeignPage(r) {
			a.refuse(w, r, notAPage)
			return
		}
		if err := a.limit(r, limitCallback, ""); err != nil {
			a.refuseUnavailable(w, r, err)
			return
		}
		query, err := url.ParseQuery(r.URL.RawQuery)
		var result authn.Result
		if err != nil {
			// What one reader drops another may read.
			query, err = nil, &authn.Error{Code: authn.CodeStateMissing}
		} else {
			result, err = a.Authn.Complete(r.Context(), provider, query, func(state string) string {
				return a.Site.LoginCookie(r, state)
			})
		}
		if state := query.Get("state"); state != "" && !mayComeAgain(err) {
			a.Site.ClearLoginCookie(w, state)
		}
		if err != nil {
			a.callbackFailed(w, r, err)
			return
		}
		a.signedIn(w, r, result)
	}
}

// signedIn gives the browser its session and sends it on. The token goes only
// to a destination that is still allowed (S19, S20).
func (a *API) signedIn(w http.ResponseWriter, r *http.Request, result authn.Result) {
	expires := result.Session.ExpiresAt
	if expires.IsZero() {
		expires = time.Now().Add(a.SessionLifetime)
	}
	next, err := a.Next.Check(result.Next)
	if err != nil {
		a.Site.SetSessionCookie(w, result.Cookie, expires)
		a.refuse(w, r, wire.Problem{
			Status: http.StatusBadRequest, Code: wire.CodeBadNext,
			Detail: "You are signed in, but the address to go to is no longer allowed.",
		})
		return
	}
	next = wire.Undelivered(next)
	status := http.StatusSeeOther
	if !result.DeliverToken {
		a.leaveMark(w, r, result.Session, next)
	} else {
		token, err := a.Authn.SessionToken(result.Session)
		if err != nil {
			a.Logger.Error("making a session token", zap.String("request_id", a.RequestID(r)), zap.Error(err))
			a.refuse(w, r, unavailable)
			return
		}
		next, status = wire.Deliver(next, token), http.StatusFound
	}
	a.Site.SetSessionCookie(w, result.Cookie, expires)
	redirect(w, status, next)
}
