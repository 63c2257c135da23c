package authapi

import (
	"net/http"
	"time"
)

// accountPage is what account.html shows.
type accountPage struct {
	Name, Email, Username, ID string
	// Provider is how this session was opened; "" if that is not known.
	Provider string
	// Joined is in UTC; zero if it is not known.
	Joined  time.Time
	SignOut signOutForm
}

// account shows people who they are here.
func (a *API) account(w http.ResponseWriter, r *http.Request) {
	who, err := a.viewer(w, r)
	switch {
	case err != nil:
		a.refuseUnavailable(w, r, err)
	case who == nil:
		redirect(w, http.StatusSeeOther, a.Site.LoginURL(a.Site.Path()+"/account"))
	default:
		page := accountPage{
			Name: who.User.Name, Email: who.User.Email, Username: who.User.Username, ID: who.User.ID,
			Joined: who.User.JoinDate.UTC(), SignOut: a.signOutForm(r, destination{}),
		}
		if login, known := a.logins[who.Session.Provider]; known {
			page.Provider = login.displayName()
		}
		a.render(w, r, http.StatusOK, "account", page)
	}
}
