package authapi

import (
	"net/http"

	"github.com/datahq/auth-gateway/internal/authn"
	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/internal/wire"
	"github.com/datahq/auth-gateway/providers"
)

// loginPage is what login.html shows.
type loginPage struct {
	// Place is where the person is going, "" for nowhere in particular.
	Place string
	// Account is who is signed in already and ContinueURL goes on as that; both
	// are "" where that is no choice.
	Account, ContinueURL string
	// Choices are the ways to sign in.
	Choices []action
}

// action is a link of a page that looks like a button.
type action struct {
	Label, URL string
	Primary    bool
}

// login lets a person choose how to sign in. Signing in starts by a link, since
// a form that ends at another origin is blocked by form-action 'self' (pages
// section 2).
func (a *API) login(w http.ResponseWriter, r *http.Request) {
	d, problem := a.readDestination(r)
	if problem != nil {
		a.refuse(w, r, *problem)
		return
	}
	who, err := a.viewer(w, r)
	if err != nil {
		a.refuseUnavailable(w, r, err)
		return
	}
	if who == nil && a.goesRound(w, r, d) {
		return
	}
	if who != nil || a.Site.RepeatsSessionCookie(r) {
		// If a gate has sent somebody here who is signed in, this is why: there, and
		// perhaps there alone, the browser sends two cookies.
		a.clearPlanted(w, d)
	}
	// Where a token is to be delivered, going on as somebody is no choice: the
	// token comes from a sign-in alone (S20).
	if d.deliver {
		who = nil
	}
	prompt := len(wire.QueryValues(r.URL.RawQuery, "prompt")) > 0
	if logins := a.Config.Logins; len(logins) == 1 && who == nil && !prompt {
		redirect(w, http.StatusSeeOther, a.link("/login/"+logins[0].Name, d, ""))
		return
	}
	page := loginPage{Place: d.place()}
	if who != nil {
		page.Account, page.ContinueURL = accountName(who.User), d.target
		if page.ContinueURL == "" {
			page.ContinueURL = a.defaultNext
		}
	}
	for _, login := range a.Config.Logins {
		page.Choices = append(page.Choices, action{Label: login.displayName(), URL: a.link("/login/"+login.Name, d, "")})
	}
	a.render(w, r, http.StatusOK, "login", page)
}

// startLogin sends the browser to an identity provider. Its destination is
// judged before the provider is involved (S19).
func (a *API) startLogin(login Login) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		d, problem := a.readDestination(r)
		if problem != nil {
			a.refuse(w, r, *problem)
			return
		}
		if r.Method == http.MethodHead {
			// Whoever only looks starts nothing.
			w.WriteHeader(http.StatusOK)
			return
		}
		if partOfForeignPage(r) {
			a.refuse(w, r, notAPage)
			return
		}
		if err := a.limit(r, limitLogin, ""); err != nil {
			a.refuseUnavailable(w, r, err)
			return
		}
		if a.goesRound(w, r, d) {
			return
		}
		request := authn.Request{Next: d.target, DeliverToken: d.deliver}
		if request.Next == "" {
			request.Next = a.defaultNext
			// The account page has no use for a token, and its URL stays on the screen.
			request.DeliverToken = d.deliver && a.DefaultNext != ""
		}
		start, err := a.Authn.Begin(r.Context(), login.Name, request)
		if err != nil {
			a.startFailed(w, r, login.Name, d, err)
			return
		}
		a.Site.SetLoginCookie(w, r, start.State, start.Binding, start.ExpiresAt)
		redirect(w, http.StatusFound, start.Location)
	}
}

// viewer tells who looks at a page, by the session cookie; nil for nobody. A
// cookie of a session that is over is taken away. An error means that it cannot
// be told.
func (a *API) viewer(w http.ResponseWriter, r *http.Request) (*authz.Decision, error) {
	if !a.Site.CookieCounts(r) {
		return nil, nil
	}
	cookie, found := a.Site.SessionCookie(r)
	if !found {
		return nil, nil
	}
	who, err := a.decide(r, authz.Cookie(cookie), "")
	if who == nil && err == nil {
		a.Site.ClearSessionCookie(w)
	}
	return who, err
}

// accountName is what a page calls a user.
func accountName(u providers.User) string {
	for _, name := range []string{u.Name, u.Username, u.Email} {
		if name != "" {
			return name
		}
	}
	return u.ID
}
