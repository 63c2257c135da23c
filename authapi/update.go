package authapi

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/providers"
)

// What update says is wrong. Clients show it to people; the first four are the
// original's words (contract 1.2).
const (
	updateNoToken     = "No token"
	updateNobody      = "Not authenticated"
	updateUnknownUser = "Unknown User"
	updateChosen      = "Cannot modify username, already set"
	updateTaken       = "This username is taken"
	updateInvalid     = "This username is not possible: use 1 to 64 of the letters a to z, digits, dots, hyphens and underscores, beginning with a letter or digit; some names are reserved"
)

// update lets somebody choose a username, once (S28). It takes a token and never
// the cookie, so that no other page can ask for it (S30), and reads no other
// parameter than "username".
func (a *API) update(d dialect) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p, err := readParameters(r)
		if err != nil {
			a.problemJSON(w, r, tooLarge)
			return
		}
		wrong, err := a.updated(r, p, d)
		switch {
		case err != nil:
			a.cannotTell(w, r, err)
		case wrong != "":
			a.writeJSON(w, r, object{"error": wrong, "success": false})
		default:
			a.writeJSON(w, r, object{"success": true})
		}
	}
}

// updated does what update is asked for, and returns what is wrong with it, ""
// for nothing. An error means that it cannot be done now.
func (a *API) updated(r *http.Request, p parameters, d dialect) (wrong string, err error) {
	u, wrong, err := a.updater(r, p, d)
	if err != nil || wrong != "" {
		return wrong, err
	}
	usernames := p.all("username")
	if len(usernames) == 0 {
		return "", nil
	}
	if err := a.limit(r, limitUpdate, u.ID); err != nil {
		return "", err
	}
	err = a.Users.ChooseUsername(r.Context(), u.ID, usernames[0], d.keepCase)
	switch {
	case err == nil:
		a.UserChanged(u.ID)
		return "", nil
	case errors.Is(err, providers.ErrNotFound):
		return updateUnknownUser, nil
	case a.UsernameChosen(err):
		return updateChosen, nil
	case a.UsernameTaken(err):
		return updateTaken, nil
	case a.UsernameInvalid(err):
		return updateInvalid, nil
	}
	return "", err
}

// updater is whom update is about, as the database has him now.
func (a *API) updater(r *http.Request, p parameters, d dialect) (u providers.User, wrong string, err error) {
	token, given, err := d.token(r, p)
	switch {
	case err != nil:
		return u, updateNobody, nil
	case !given:
		return u, updateNoToken, nil
	}
	id := ""
	who, err := a.Authz.Decide(r.Context(), authz.Token(token), "")
	switch {
	case err == nil:
		id = who.User.ID
	case errors.Is(err, authz.ErrEnded):
		if err := a.limitUnknown(r, err); err != nil {
			return u, "", err
		}
		// The session is over, or its user is gone: the original told the two apart.
		id = claimsOf(token).UserID
	case errors.Is(err, authz.ErrInvalid):
		return u, updateNobody, a.limit(r, limitBadToken, "")
	case !isDead(err):
		return u, "", err
	}
	if id == "" {
		return u, updateNobody, nil
	}
	u, err = a.Users.User(r.Context(), id)
	switch {
	case errors.Is(err, providers.ErrNotFound):
		return u, updateUnknownUser, nil
	case err != nil:
		return u, "", err
	case who == nil || u.Disabled:
		return u, updateNobody, nil
	}
	return u, "", nil
}

// claims are what a session token says of itself.
type claims struct {
	UserID    string `json:"userid"`
	SessionID string `json:"sid"`
}

// claimsOf reads a session token. It must have been verified: authz says of no
// other token that its session has ended.
func claimsOf(token string) (c claims) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims{}
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(text, &c) != nil {
		return claims{}
	}
	return c
}
