package authapi

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/datahq/auth-gateway/internal/authn"
	"github.com/datahq/auth-gateway/internal/wire"
)

// maxPlace is how much of a destination a page shows, in bytes.
const maxPlace = 72

// maxLinked is how long a destination may be, escaped, in bytes: the pages hand
// it on in links, whose requests are ones of 8 KiB at most (S38).
const maxLinked = 8000

// destination is where somebody goes after signing in or out.
type destination struct {
	// next is as it came and target the absolute URL it means, which has been
	// checked (S19). Both are "" where none was named.
	next, target string
	// deliver says that target gets a session token.
	deliver bool
}

// readDestination reads "next" and "deliver" of a login page.
func (a *API) readDestination(r *http.Request) (destination, *wire.Problem) {
	d, problem := a.checkNext(wire.QueryValues(r.URL.RawQuery, "next"))
	if problem != nil {
		return destination{}, problem
	}
	switch deliver := wire.QueryValues(r.URL.RawQuery, "deliver"); {
	case len(deliver) == 0:
	case len(deliver) == 1 && deliver[0] == "jwt":
		d.deliver = true
	default:
		return destination{}, &wire.Problem{
			Status: http.StatusBadRequest, Code: wire.CodeBadRequest, Detail: `The parameter "deliver" is "jwt" or left out.`,
		}
	}
	return d, nil
}

// checkNext judges the values of a "next" parameter (S19). None, or an empty
// one, is the default.
func (a *API) checkNext(values []string) (destination, *wire.Problem) {
	switch {
	case len(values) > 1:
		return destination{}, badNext("it is given more than once")
	case len(values) == 0 || values[0] == "":
		return destination{}, nil
	}
	if len(url.QueryEscape(values[0])) > maxLinked {
		return destination{}, badNext("it is too long")
	}
	target, err := a.Next.Check(values[0])
	if err != nil {
		return destination{}, badNext(strings.TrimPrefix(err.Error(), wire.ErrBadNext.Error()+": "))
	}
	return destination{next: wire.Undelivered(values[0]), target: wire.Undelivered(target)}, nil
}

// badNext refuses a destination; why quotes its host at most.
func badNext(why string) *wire.Problem {
	return &wire.Problem{
		Status: http.StatusBadRequest, Code: wire.CodeBadNext,
		Detail: "The address to go to afterwards is refused: " + why + ".",
	}
}

// ofAttempt is where a sign-in was to lead; the zero destination where that is
// the account page, which is nowhere in particular, or is no longer allowed.
func (a *API) ofAttempt(attempt *authn.Attempt) destination {
	if attempt == nil || attempt.Next == a.Site.URL("/account") {
		return destination{}
	}
	d, problem := a.checkNext([]string{attempt.Next})
	if problem != nil {
		return destination{}
	}
	d.deliver = attempt.DeliverToken
	return d
}

// link is the URL of an endpoint that keeps the destination; more is a further
// parameter, "" for none.
func (a *API) link(endpoint string, d destination, more string) string {
	parameters := make([]string, 0, 3)
	if d.next != "" {
		parameters = append(parameters, "next="+url.QueryEscape(d.next))
	}
	if d.deliver {
		parameters = append(parameters, "deliver=jwt")
	}
	if more != "" {
		parameters = append(parameters, more)
	}
	address := a.Site.URL(endpoint)
	if len(parameters) > 0 {
		address += "?" + strings.Join(parameters, "&")
	}
	return address
}

// place names a destination to a person: host and path, still escaped, so that
// what is shown is plain ASCII.
func (d destination) place() string {
	u, err := url.Parse(d.target)
	if d.target == "" || err != nil {
		return ""
	}
	place := u.Host + strings.TrimSuffix(u.EscapedPath(), "/")
	if len(place) > maxPlace {
		place = place[:max(len(u.Host), maxPlace)] + "…"
	}
	return place
}
