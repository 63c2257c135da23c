package authapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/internal/wire"
	"github.com/datahq/auth-gateway/providers"
)

const (
	// formTokenField is the form field of the synchroniser token.
	formTokenField = "form_token"
	// everywhereField, with the value "1", ends all sessions of the user.
	everywhereField = "all"
)

// logoutPage is what logout.html shows.
type logoutPage struct {
	Account string
	SignOut signOutForm
	// AccountURL is for whoever stays.
	AccountURL string
}

// signOutForm is a form that ends the session.
type signOutForm struct {
	Action, Token, Next string
}

// signedOutPage is what signed-out.html shows.
type signedOutPage struct {
	// Everywhere says that all sessions have ended.
	Everywhere bool
	LoginURL   string
	// Place and NextURL lead on to where the sign-out was to end; "" for nowhere.
	Place, NextURL string
}

// confirmLogout asks before the session is ended: a GET ends nothing.
func (a *API) confirmLogout(w http.ResponseWriter, r *http.Request) {
	d, problem := a.checkNext(wire.QueryValues(r.URL.RawQuery, "next"))
	if problem != nil {
		a.refuse(w, r, *problem)
		return
	}
	who, err := a.viewer(w, r)
	switch {
	case err != nil:
		a.refuseUnavailable(w, r, err)
	case who == nil:
		redirect(w, http.StatusSeeOther, a.link("/signed-out", d, ""))
	default:
		a.render(w, r, http.StatusOK, "logout", logoutPage{
			Account: accountName(who.User), SignOut: a.signOutForm(r, d), AccountURL: a.Site.URL("/account"),
		})
	}
}

func (a *API) signOutForm(r *http.Request, d destination) signOutForm {
	cookie, _ := a.Site.SessionCookie(r)
	return signOutForm{Action: a.Site.URL("/logout"), Token: formToken(cookie), Next: d.next}
}

// logout ends a session: the one of the token that a program sends, or else
// the one of the browser's cookie. That there is none any more is fine.
func (a *API) logout(w http.ResponseWriter, r *http.Request) {
	p, err := readParameters(r)
	if err != nil {
		a.refuse(w, r, tooLarge)
		return
	}
	d, problem := a.checkNext(p.all("next"))
	if problem != nil {
		a.refuse(w, r, *problem)
		return
	}
	everywhere, problem := readEverywhere(p)
	if problem != nil {
		a.refuse(w, r, *problem)
		return
	}
	token, _, err := dialect{}.token(r, p)
	switch {
	case err != nil:
		problem = &wire.Problem{
			Status: http.StatusBadRequest, Code: wire.CodeAmbiguousCredentials, Detail: "The request carries more than one token.",
		}
	case token != "":
		problem = a.endToken(r, token, everywhere)
	default:
		problem = a.endCookie(w, r, p, everywhere)
	}
	switch {
	case problem != nil:
		a.refuse(w, r, *problem)
	case wire.ClientOf(r) == wire.Program:
		a.writeJSON(w, r, object{"success": true})
	default:
		// The page there links on. To go on by itself is no use even to a place of
		// our own: a gate there would lead to an identity provider, where Chromium
		// lets no form go (pages section 2), or which signs in again unasked.
		more := ""
		if everywhere {
			more = everywhereField + "=1"
		}
		redirect(w, http.StatusSeeOther, a.link("/signed-out", d, more))
	}
}

// readEverywhere reads whether all sessions of the user are to end.
func readEverywhere(p parameters) (bool, *wire.Problem) {
	switch given := p.all(everywhereField); {
	case len(given) == 0:
		return false, nil
	case len(given) == 1 && given[0] == "1":
		return true, nil
	}
	return false, &wire.Problem{
		Status: http.StatusBadRequest, Code: wire.CodeBadRequest, Detail: `The parameter "all" is "1" or left out.`,
	}
}

// endToken ends the session of a token, or all sessions of its user. A token
// that is none at all is told so: whoever sent it believes that something has
// ended.
func (a *API) endToken(r *http.Request, token string, everywhere bool) *wire.Problem {
	d, err := a.Authz.Decide(r.Context(), authz.Token(token), "")
	switch {
	case err == nil && everywhere:
		err = a.Authn.EndAll(r.Context(), d.User)
	case err == nil:
		err = a.Authn.End(r.Context(), d.User, d.Session)
	case errors.Is(err, authz.ErrInvalid):
		if p, tooMany := limited(a.limit(r, limitBadToken, "")); tooMany {
			return &p
		}
		return &wire.Problem{
			Status: http.StatusUnauthorized, Code: wire.CodeTokenInvalid, Detail: "The token is not a session token of this gateway.",
			Challenge: true, InvalidToken: true, LoginURL: a.Site.URL("/login"),
		}
	case isDead(err):
		if p, tooMany := limited(a.limitUnknown(r, err)); tooMany {
			return &p
		}
		// Idle for too long, or the user is disabled: it must not come to life again.
		err = a.Authn.EndByID(r.Context(), claimsOf(token).SessionID, everywhere)
	}
	return a.notEnded(r, err)
}

// endCookie ends the session of the cookie, or all sessions of its user, and
// takes the cookie away. Also without a cookie the request must come from our
// own page: a browser sends no SameSite cookie with another site's form, but
// would obey an answer that deletes it (S33).
func (a *API) endCookie(w http.ResponseWriter, r *http.Request, p parameters, everywhere bool) *wire.Problem {
	cookies := a.Site.SessionCookies(r)
	if !a.isOwnForm(r, p, cookies) {
		return &wire.Problem{
			Status: http.StatusForbidden, Code: wire.CodeCrossOrigin,
			Detail: "Signing out works from our own page only, and the one you used is not it or is out of date.",
		}
	}
	// Of several, one is planted (ruling 3) and nobody knows which: whoever wants
	// out is to be out.
	for _, cookie := range cookies {
		// Not by authz, which remembers answers and knows no session that is of no use.
		err := a.Authn.EndByCookie(r.Context(), cookie, everywhere)
		if errors.Is(err, providers.ErrNotFound) {
			if p, tooMany := limited(a.limit(r, limitBadToken, "")); tooMany {
				return &p
			}
		}
		if problem := a.notEnded(r, err); problem != nil {
			return problem
		}
	}
	a.Site.ClearSessionCookie(w)
	if a.Site.ReturnCookie(r) != "" {
		a.Site.ClearReturnCookie(w)
	}
	return nil
}

// notEnded says that a session may still hold (S39); nil where there is none.
func (a *API) notEnded(r *http.Request, err error) *wire.Problem {
	if err == nil || errors.Is(err, providers.ErrNotFound) {
		return nil
	}
	a.logUnavailable(r, err)
	problem := unavailable
	problem.Detail = "You could not be signed out at the moment. Try again shortly."
	return &problem
}

// isOwnForm reports whether a request that a cookie speaks for was made by a
// page of ours (S33): the browser says so in a header, or the form's
// synchroniser token does. A script of our origin need not send the token,
// which it could read anyway; a wrong one is never good.
func (a *API) isOwnForm(r *http.Request, p parameters, cookies []string) bool {
	given := p.all(formTokenField)
	right := len(given) == 1 && slices.ContainsFunc(cookies, func(cookie string) bool {
		return hmac.Equal([]byte(given[0]), []byte(formToken(cookie)))
	})
	site, from := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	switch {
	case !a.Site.SameOrigin(r):
		// Our pages send no referrer, so their forms come with "Origin: null" (Fetch
		// standard, "append a request Origin header"); browsers without fetch
		// metadata, such as Safari before 16.4, say nothing better.
		return right && site == "" && from == "null"
	case from != "" && from != "null" && !strings.HasSuffix(from, "://"+r.Host):
		return false // two headers that do not agree
	case len(cookies) == 0:
		return true
	case len(given) > 0:
		return right
	}
	return site == "same-origin" || from == a.Site.Origin()
}

// formToken is the synchroniser token of a session's forms. It is made of the
// cookie, so that nothing is stored, and does not give the cookie away.
func formToken(cookie string) string {
	mac := hmac.New(sha256.New, []byte(cookie))
	mac.Write([]byte("auth-gateway form token"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// signedOut says that the session has ended.
func (a *API) signedOut(w http.ResponseWriter, r *http.Request) {
	d, problem := a.checkNext(wire.QueryValues(r.URL.RawQuery, "next"))
	if problem != nil {
		a.refuse(w, r, *problem)
		return
	}
	who, err := a.viewer(w, r)
	switch {
	case err != nil:
		a.refuseUnavailable(w, r, err)
	case who != nil: // the page would not be true
		redirect(w, http.StatusSeeOther, a.link("/logout", d, ""))
	default:
		a.render(w, r, http.StatusOK, "signed-out", signedOutPage{
			Everywhere: len(wire.QueryValues(r.URL.RawQuery, everywhereField)) > 0,
			LoginURL:   a.link("/login", d, ""), Place: d.place(), NextURL: d.target,
		})
	}
}
