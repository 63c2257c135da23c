package authapi

import (
	"net/http"

	"github.com/datahq/auth-gateway/internal/wire"
)

// problemPage is what problem.html shows.
type problemPage struct {
	Status      int
	StatusText  string
	Title, Text string
	// Account is who is signed in; Service and Missing are what was asked for and
	// not granted. Each may be empty.
	Account, Service string
	Missing          []string
	Code, RequestID  string
	Actions          []action
}

// ProblemPage shows a refusal to a person: a gate's or our own. It is a
// wire.ProblemPage. p.Detail is shown and must hold no text of the request's
// but a host name.
func (a *API) ProblemPage(w http.ResponseWriter, r *http.Request, p wire.Problem) {
	if p.RequestID == "" {
		p.RequestID = a.RequestID(r)
	}
	p.Headers(w.Header())
	a.render(w, r, p.Status, "problem", a.problemPage(r, p))
}

func (a *API) problemPage(r *http.Request, p wire.Problem) problemPage {
	page := problemPage{
		Status: p.Status, StatusText: http.StatusText(p.Status), Title: problemTitle(p.Code), Text: p.Detail,
		Account: p.Account, Service: p.Service, Missing: p.Missing, Code: p.Code, RequestID: p.RequestID,
		Actions: a.problemActions(p),
	}
	if page.RequestID == "" {
		page.RequestID = a.RequestID(r)
	}
	return page
}

// problemTitle is the heading of a refusal; an unknown code has a general one.
func problemTitle(code string) string {
	switch code {
	case wire.CodeNotSignedIn:
		return "You are not signed in"
	case wire.CodeSessionEnded:
		return "Your session has ended"
	case wire.CodeTokenInvalid:
		return "The token is not valid here"
	case wire.CodePermissionMissing:
		return "You don’t have access to this page"
	case wire.CodeUserDisabled:
		return "This account has been disabled"
	case wire.CodeAmbiguousCredentials:
		return "More than one credential"
	case wire.CodeCrossOrigin:
		return "This did not come from our own page"
	case wire.CodeBadPath:
		return "This address is not clear"
	case wire.CodeBadNext:
		return "You cannot be sent to that address"
	case wire.CodeBadRequest:
		return "The request is not understood"
	case wire.CodeWrongHost:
		return "This host name is not served here"
	case wire.CodeNotFound:
		return "Page not found"
	case wire.CodeMethodNotAllowed:
		return "This method is not allowed"
	case wire.CodeRateLimited:
		return "Too many requests"
	case wire.CodeUnavailable:
		return "This is not possible at the moment"
	}
	return "Something went wrong"
}

// problemActions are the ways on from a refusal.
func (a *API) problemActions(p wire.Problem) []action {
	home := action{Label: "Go to the home page", URL: a.Site.Origin() + "/"}
	d, _ := a.checkNext([]string{p.Next}) // nowhere, if it is refused
	switch p.Code {
	case wire.CodeNotSignedIn, wire.CodeSessionEnded, wire.CodeTokenInvalid:
		if p.LoginURL == "" {
			p.LoginURL = a.link("/login", d, "")
		}
		return []action{{Label: "Sign in", URL: p.LoginURL, Primary: true}, home}
	case wire.CodePermissionMissing, wire.CodeUserDisabled:
		return []action{{Label: "Use another account", URL: a.link("/login", d, "prompt=1"), Primary: true}, home}
	case wire.CodeUnavailable, wire.CodeRateLimited:
		return []action{{Label: "Try again", URL: d.target, Primary: true}, home} // "" is the same address
	case wire.CodeCrossOrigin:
		return []action{{Label: "Sign out", URL: a.Site.URL("/logout"), Primary: true}, home}
	}
	return []action{home}
}

// refuse answers with a refusal in the form that suits the client.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, p wire.Problem) {
	if wire.ClientOf(r) == wire.Program {
		a.problemJSON(w, r, p)
		return
	}
	a.ProblemPage(w, r, p)
}

// refuseUnavailable answers when it cannot be told who looks at a page (S39).
func (a *API) refuseUnavailable(w http.ResponseWriter, r *http.Request, err error) {
	if p, ok := limited(err); ok {
		a.refuse(w, r, p)
		return
	}
	a.logUnavailable(r, err)
	a.refuse(w, r, unavailable)
}

func (a *API) notFound(w http.ResponseWriter, r *http.Request) {
	a.refuse(w, r, wire.Problem{
		Status: http.StatusNotFound, Code: wire.CodeNotFound, Detail: "There is nothing at this address.",
	})
}

// methodNotAllowed is HTML unless JSON is accepted, and either way contains the
// words that clients look for (ruling 31).
func (a *API) methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	p := wire.Problem{
		Status: http.StatusMethodNotAllowed, Code: wire.CodeMethodNotAllowed,
		Detail: "405 Method Not Allowed: this address does not take the method of the request.",
	}
	if acceptsJSON(r) {
		a.problemJSON(w, r, p)
		return
	}
	a.ProblemPage(w, r, p)
}
