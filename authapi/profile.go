package authapi

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"net/http"
	"net/mail"
	"net/url"
	"strings"
	"time"

	"github.com/datahq/auth-gateway/providers"
)

// datahqProfile is a user in the DataHQ dialect: every member is there, null
// when it is not set. id and idhash are the same (ruling 13).
func datahqProfile(_ context.Context, u providers.User) (object, error) {
	return object{
		"id": u.ID, "idhash": u.ID,
		"avatar_url":  orNull(u.AvatarURL),
		"email":       orNull(u.Email),
		"join_date":   orNull(httpDate(u.JoinDate)),
		"name":        orNull(u.Name),
		"provider_id": orNull(u.ProviderID),
		"username":    orNull(u.Username),
	}, nil
}

// httpDate is a date as in "Mon, 24 Jul 2017 12:17:50 GMT" (RFC 9110 section
// 5.6.7), "" for none.
func httpDate(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(http.TimeFormat)
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// resolve tells the ID of the user who has a username, null if there is none
// (contract 1.2).
func (a *API) resolve(w http.ResponseWriter, r *http.Request) {
	a.answerProfile(w, r, func(u providers.User, found bool) object {
		if !found {
			return object{"userid": nil}
		}
		return object{"userid": u.ID}
	})
}

// getProfile tells what everybody may know of the user who has a username
// (contract 1.2): never the e-mail address.
func (a *API) getProfile(w http.ResponseWriter, r *http.Request) {
	a.answerProfile(w, r, func(u providers.User, found bool) object {
		if !found {
			return object{"found": false, "profile": nil}
		}
		return object{"found": true, "profile": object{
			"avatar_url": orNull(withoutEmail(u.AvatarURL, u)),
			"gravatar":   orNull(a.gravatar(u)),
			"id":         u.ID,
			"join_date":  orNull(httpDate(u.JoinDate)),
			"name":       orNull(withoutEmail(u.Name, u)),
		}}
	})
}

// withoutEmail is a text that describes a user, "" if his e-mail address stands
// in it, as some providers have it for lack of a name, or if it is one (S36).
func withoutEmail(text string, u providers.User) string {
	plain, err := url.PathUnescape(text)
	if err != nil {
		plain = text
	}
	if u.Email != "" && strings.Contains(strings.ToLower(plain), strings.ToLower(u.Email)) {
		return ""
	}
	if address, err := mail.ParseAddress(text); err == nil && strings.Contains(address.Address, "@") {
		return ""
	}
	return text
}

// answerProfile finds the user that a request names and says of him what form
// makes of that. With public profiles off nobody is found, so that the answers
// tell nothing (S36) in a form that clients understand.
func (a *API) answerProfile(w http.ResponseWriter, r *http.Request, form func(u providers.User, found bool) object) {
	p, err := readParameters(r)
	if err != nil {
		a.problemJSON(w, r, tooLarge)
		return
	}
	if err := a.limit(r, limitProfile, ""); err != nil {
		a.cannotTell(w, r, err)
		return
	}
	username := p.first("username")
	if username == "" || a.PublicProfilesOff {
		a.writeJSON(w, r, form(providers.User{}, false))
		return
	}
	u, err := a.Users.UserByUsername(r.Context(), username)
	if err != nil && !errors.Is(err, providers.ErrNotFound) {
		a.cannotTell(w, r, err)
		return
	}
	a.writeJSON(w, r, form(u, err == nil))
}

// gravatar is the MD5 of the address as it was given, in hexadecimal, by which
// gravatar.com finds a picture; "" for none. Whoever guesses an address can tell
// by it that the guess was right, so that it can be switched off (S36).
func (a *API) gravatar(u providers.User) string {
	if u.Email == "" || a.GravatarOff {
		return ""
	}
	sum := md5.Sum([]byte(u.Email))
	return hex.EncodeToString(sum[:])
}
