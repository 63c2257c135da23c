package fakeidp

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// AuthorizeRequest is a sign-in that a client has asked for (OpenID Connect
// Core 1.0 section 3.1.2.1), checked.
type AuthorizeRequest struct {
	// ClientID and RedirectURI are those of a known client.
	ClientID, RedirectURI string
	// State goes back with the answer.
	State string
	// Nonce goes into the id_token; may be empty.
	Nonce string
	// CodeChallenge is the PKCE challenge of method S256.
	CodeChallenge string
	// Scopes were asked for.
	Scopes []string
}

func (p *IdP) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	req, ok := p.readAuthorize(w, r)
	if !ok {
		return
	}
	if login, ok := p.scripted(); ok {
		p.Finish(w, r, req, login.person, login.faults...)
		return
	}
	if p.config.Choose != nil {
		p.config.Choose(w, r, req)
		return
	}
	p.redirect(w, r, req, url.Values{"error": {"login_required"}}, nil)
}

// readAuthorize checks an authorize request. A client or redirect URI that is
// not known gets a page, since nothing may be sent there; anything else wrong
// is told to the client.
func (p *IdP) readAuthorize(w http.ResponseWriter, r *http.Request) (AuthorizeRequest, bool) {
	query := r.URL.Query()
	req := AuthorizeRequest{
		ClientID:      query.Get("client_id"),
		RedirectURI:   query.Get("redirect_uri"),
		State:         query.Get("state"),
		Nonce:         query.Get("nonce"),
		CodeChallenge: query.Get("code_challenge"),
		Scopes:        strings.Fields(query.Get("scope")),
	}
	client, ok := p.config.client(req.ClientID)
	if !ok {
		http.Error(w, "this client_id is not known here", http.StatusBadRequest)
		return req, false
	}
	if !client.allows(req.RedirectURI) {
		http.Error(w, "this redirect_uri is not allowed for this client", http.StatusBadRequest)
		return req, false
	}
	problem := ""
	switch {
	case query.Get("response_type") != "code":
		problem = "unsupported_response_type"
	case !slices.Contains(req.Scopes, "openid"):
		problem = "invalid_scope"
	case query.Get("code_challenge_method") != "S256" || len(req.CodeChallenge) != 43:
		// A SHA-256 hash is 43 characters of base64url (RFC 7636 section 4.2).
		problem = "invalid_request"
	}
	if problem != "" {
		p.redirect(w, r, req, url.Values{"error": {problem}}, nil)
		return req, false
	}
	return req, true
}

// Finish sends the browser back to the client, with person signed in, or with
// what the faults make of it.
func (p *IdP) Finish(w http.ResponseWriter, r *http.Request, req AuthorizeRequest, person Person, list ...Fault) {
	login := faults(list)
	if login.has(AccessDenied) {
		p.redirect(w, r, req, url.Values{
			"error": {"access_denied"}, "error_description": {"<b>The person said no.</b>"},
		}, login)
		return
	}
	if login.has(KeyRotation) {
		p.keys.rotate()
	}
	code := random()
	p.codes.put(code, grant{req, person, slices.Clone(login), random()}, p.config.Now())
	p.redirect(w, r, req, url.Values{"code": {code}}, login)
}

func (p *IdP) redirect(w http.ResponseWriter, r *http.Request, req AuthorizeRequest, answer url.Values, login faults) {
	if req.State != "" && !login.has(NoState) {
		answer.Set("state", req.State)
	}
	switch {
	case login.has(WrongIssParameter):
		answer.Set("iss", "https://attacker.example")
	case !p.config.OmitIssuer && !login.has(MissingIssParameter):
		answer.Set("iss", p.config.Issuer)
	}
	location, err := url.Parse(req.RedirectURI)
	if err != nil {
		http.Error(w, "this redirect_uri is not a URL", http.StatusBadRequest)
		return
	}
	query := location.Query()
	for name, values := range answer {
		query[name] = values
	}
	location.RawQuery = query.Encode()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, location.String(), http.StatusFound)
}
