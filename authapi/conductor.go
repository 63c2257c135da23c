package authapi

import (
	"net/http"
	"strings"
)

// ConductorCallback is the path to which identity providers that were registered
// for os-conductor send browsers back. It does what oauth_callback does.
const ConductorCallback = "/oauth/google_callback"

// Conductor serves os-conductor's paths in its dialect (contract 1.2, ruling 18):
// /user/check, authorize, update, public-key and lib, and ConductorCallback. It
// is to be called where ConductorServes says so, and only with Config.Conductor.
//
// It is the same API but for this: the token is the parameter "jwt" alone; a
// profile has os-conductor's members, with the username null until one is chosen;
// a chosen username keeps its case. To sign in leads to the same pages.
func (a *API) Conductor() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.answer(w, r, a.conductor) })
}

// ConductorServes reports whether a request with this path is for Conductor. One
// doubled slash in front is tolerated, as the original did.
func ConductorServes(path string) bool { return conductorServes(withoutDoubledSlash(path)) }

func conductorServes(path string) bool {
	return path == "/user" || strings.HasPrefix(path, "/user/") || path == ConductorCallback
}

// routeConductor says what Conductor serves.
func (a *API) routeConductor() base {
	d := dialect{jwtOnly: true, keepCase: true, profile: a.conductorProfile}
	return base{prefix: "/", endpoints: map[string]endpoint{
		"user/check":                 {get: a.check(d), open: true},
		"user/authorize":             {get: a.authorize(d), open: true},
		"user/update":                {post: a.update(d), open: true},
		"user/public-key":            {get: a.publicKey, open: true, anyHost: true},
		"user/lib":                   {get: a.conductorLib, open: true},
		ConductorCallback[len("/"):]: {get: a.callback(""), page: true},
	}}
}
