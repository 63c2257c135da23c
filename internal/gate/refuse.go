package gate

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/datahq/auth-gateway/internal/wire"
)

const (
	// retryLater is what a client is told when the gateway cannot tell.
	retryLater = 5 * time.Second
	// maxReturn is how long an address to come back to may be, in bytes, and
	// maxEscaped how long it may get in the login URL, whose request is one of 8 KiB
	// at most (S38).
	maxReturn  = 4 << 10
	maxEscaped = 8000
	// allowed goes with a 405 (RFC 9110 section 15.5.6): all but CONNECT.
	allowed = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, TRACE"
)

// The refusals. Admit returns pointers to these; Refuse completes a copy.
var (
	notSignedIn       = wire.Problem{Status: http.StatusUnauthorized, Code: wire.CodeNotSignedIn, Detail: "Sign in to see this.", Challenge: true}
	sessionEnded      = wire.Problem{Status: http.StatusUnauthorized, Code: wire.CodeSessionEnded, Detail: "Your session has ended. Sign in again.", Challenge: true, InvalidToken: true}
	tokenInvalid      = wire.Problem{Status: http.StatusUnauthorized, Code: wire.CodeTokenInvalid, Detail: "The token is not valid here.", Challenge: true, InvalidToken: true}
	permissionMissing = wire.Problem{Status: http.StatusForbidden, Code: wire.CodePermissionMissing, Detail: "You are signed in, but you may not do this."}
	userDisabled      = wire.Problem{Status: http.StatusForbidden, Code: wire.CodeUserDisabled, Detail: "This account has been disabled."}
	ambiguous         = wire.Problem{Status: http.StatusBadRequest, Code: wire.CodeAmbiguousCredentials, Detail: "The request carries more than one credential. Send one token, in one place."}
	badPath           = wire.Problem{Status: http.StatusBadRequest, Code: wire.CodeBadPath, Detail: "The path of the request is ambiguous."}
	badMethod         = wire.Problem{Status: http.StatusMethodNotAllowed, Code: wire.CodeMethodNotAllowed, Detail: "405 Method Not Allowed"}
	emptyPlaceholder  = wire.Problem{Status: http.StatusInternalServerError, Code: wire.CodeInternal, Detail: "A permission that this route requires is empty."}
	unavailable       = wire.Problem{Status: http.StatusServiceUnavailable, Code: wire.CodeUnavailable, Detail: "The gateway cannot tell at the moment who you are. Try again shortly.", RetryAfter: retryLater}
	preflight         = wire.Problem{Status: http.StatusOK}
)

// IsRefusal reports whether p turns the request away, as opposed to the answer
// to a CORS preflight.
func IsRefusal(p *wire.Problem) bool { return p != &preflight }

// Complete fills in what a refusal says of this request: original is the
// request URI as the client sent it, before any rewrite.
func (g *Gate) Complete(p *wire.Problem, r *http.Request, st *State, original, requestID string) wire.Problem {
	full := *p
	full.RequestID = requestID
	full.Next = g.returnTo(r, original)
	if st.Candidate != nil {
		user := st.Candidate.User
		full.Account = cmp.Or(user.Name, user.Username, user.Email)
	}
	if p.Status == http.StatusUnauthorized {
		full.LoginURL = g.Site.URL("/login")
		if full.Next != "" {
			full.LoginURL = g.Site.LoginURL(full.Next)
		}
	}
	return full
}

// returnTo is where a browser comes back to after signing in; "" if that is
// no place of this site. A token in the query stays behind, whoever it is for:
// in the login URL no log would know it for one (S41).
func (g *Gate) returnTo(r *http.Request, original string) string {
	if path, query, found := strings.Cut(original, "?"); found {
		original = path
		if query = wire.WithoutParameter(query, "jwt"); query != "" {
			original += "?" + query
		}
	}
	if !g.isOwn(r) || !strings.HasPrefix(original, "/") || len(original) > maxReturn || len(url.QueryEscape(original)) > maxEscaped {
		return ""
	}
	if _, err := g.Next.Check(original); err != nil {
		return ""
	}
	return original
}

func (g *Gate) isOwn(r *http.Request) bool { return g.Site.IsOwnHost(r.Host) || g.Site.IsAlias(r.Host) }

// Headers sets what every form of a completed refusal carries, also one that
// somebody else writes.
func (g *Gate) Headers(h http.Header, r *http.Request, full *wire.Problem) {
	h.Add("Vary", varyValue+", Accept, Sec-Fetch-Mode, Sec-Fetch-Dest")
	switch full.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		g.Next.AllowOrigin(h, r) // ruling 28
	case http.StatusMethodNotAllowed:
		h.Set("Allow", allowed)
	}
	full.Headers(h)
}

// Refuse writes a completed refusal in the form that suits the client: a
// browser on its way to a page is sent to sign in, another browser gets a
// page, everything else problem+json.
func (g *Gate) Refuse(w http.ResponseWriter, r *http.Request, p *wire.Problem, full wire.Problem) {
	if p == &preflight {
		g.Next.AnswerPreflight(w, r)
		return
	}
	h := w.Header()
	g.Headers(h, r, &full)
	client := wire.ClientOf(r)
	switch {
	case client == wire.Navigation && p.Status == http.StatusUnauthorized && g.isOwn(r):
		h.Del("WWW-Authenticate")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", wire.BarePolicy)
		h.Set("Location", full.LoginURL)
		w.WriteHeader(http.StatusFound)
	case client != wire.Program && g.Page != nil:
		g.Page(w, r, full)
	default:
		full.WriteJSON(w)
	}
}
