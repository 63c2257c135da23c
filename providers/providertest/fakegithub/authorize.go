package fakegithub

import (
	"net/http"
	"net/url"
	"strings"
)

// serveAuthorize begins a sign-in and ends it at once. A client that is not
// known gets a page; anything else wrong is told to it.
func (g *GitHub) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	client, ok := g.config.client(query.Get("client_id"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	state, redirectURI := query.Get("state"), query.Get("redirect_uri")
	if redirectURI == "" {
		redirectURI = client.CallbackURL
	}
	if !client.allows(redirectURI) {
		g.redirect(w, r, client.CallbackURL, state, refused("redirect_uri_mismatch"), nil)
		return
	}
	challenge := query.Get("code_challenge")
	if challenge != "" && query.Get("code_challenge_method") != "S256" {
		g.redirect(w, r, redirectURI, state, refused("invalid_request"), nil)
		return
	}
	login, ok := g.scripted()
	if !ok {
		login.faults = faults{AccessDenied}
	}
	if code := login.faults.first(AccessDenied, ApplicationSuspended); code != "" {
		g.redirect(w, r, redirectURI, state, refused(string(code)), login.faults)
		return
	}
	code := g.keep(g.codes, "", grant{
		login: login, clientID: client.ID, redirectURI: redirectURI, challenge: challenge,
		scopes:  strings.FieldsFunc(query.Get("scope"), func(r rune) bool { return r == ' ' || r == ',' }),
		expires: g.config.Now().Add(codeLifetime),
	})
	g.redirect(w, r, redirectURI, state, url.Values{"code": {code}}, login.faults)
}

func refused(code string) url.Values {
	return url.Values{
		"error":             {code},
		"error_description": {"<b>" + code + "</b> told by GitHub"},
		"error_uri":         {"/apps/troubleshooting-authorization-request-errors/"},
	}
}

func (g *GitHub) redirect(w http.ResponseWriter, r *http.Request, redirectURI, state string, answer url.Values, faults faults) {
	if state != "" && !faults.has(NoState) {
		answer.Set("state", state)
	}
	switch {
	case faults.has(WrongIssuer):
		answer.Set("iss", "https://attacker.example/login/oauth")
	case !g.config.OmitIssuer && !faults.has(NoIssuer):
		answer.Set("iss", g.Issuer())
	}
	location, err := url.Parse(redirectURI)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	query := location.Query()
	for name, values := range answer {
		query[name] = values
	}
	location.RawQuery = query.Encode()
	http.Redirect(w, r, location.String(), http.StatusFound)
}
