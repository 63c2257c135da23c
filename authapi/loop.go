package authapi

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/wire"
	"github.com/datahq/auth-gateway/providers"
)

// The codes of a sign-in that would go round in circles. Each is in the log with
// what to do about it.
const (
	// codeCookieLost: the session lives, and the browser does not send its cookie.
	codeCookieLost = "cookie_lost"
	// codeCookieRepeated: the browser sends several session cookies, so that none
	// counts (ruling 3).
	codeCookieRepeated = "cookie_repeated"
	// codeSessionLost: sessions are over as soon as they have begun.
	codeSessionLost = "session_lost"
)

const (
	// markFor is how soon after a sign-in another one looks like a circle.
	markFor = time.Minute
	// maxLost is how many sign-ins may have been in vain one after the other if
	// their sessions live, maxEnded if they do not: those may have been ended.
	// Browsers follow 16 redirects or more, and one turn is about five.
	maxLost, maxEnded = 2, 3
)

// mark is what a sign-in that ends on our own site leaves in the browser for a
// minute. Whoever comes back to sign in with the mark and without a session
// would be sent round and round, by an identity provider that asks nobody. The
// mark is a cookie, as is the one without which no sign-in succeeds: where no
// cookie works at all, the first turn ends at the callback.
type mark struct {
	turns   int
	session string // ID
}

func readMark(text string) (m mark, ok bool) {
	turns, session, _ := strings.Cut(text, ".")
	n, err := strconv.ParseUint(turns, 10, 8)
	if err != nil || n == 0 || session == "" || len(session) > 64 {
		return mark{}, false
	}
	return mark{turns: int(n), session: session}, true
}

// leaveMark notes a sign-in that has succeeded. Where a token is delivered, its
// taker needs no cookie.
func (a *API) leaveMark(w http.ResponseWriter, r *http.Request, session providers.Session, next string) {
	if next != a.Site.Origin() && !strings.HasPrefix(next, a.Site.Origin()+"/") {
		return
	}
	before, _ := readMark(a.Site.ReturnCookie(r))
	a.Site.SetReturnCookie(w, strconv.Itoa(min(before.turns+1, 100))+"."+session.ID, time.Now().Add(markFor))
}

// goesRound finds out whether somebody who is not signed in has just been, more
// than once, and then says why instead of going on. It must be asked before the
// browser is sent anywhere.
func (a *API) goesRound(w http.ResponseWriter, r *http.Request, d destination) bool {
	m, marked := readMark(a.Site.ReturnCookie(r))
	if !marked || m.turns < maxLost || d.deliver || wire.ClientOf(r) == wire.Program {
		return false
	}
	if who, err := a.viewer(w, r); err != nil || who != nil {
		return false
	}
	if err := a.limit(r, limitLogin, ""); err != nil { // anybody can make marks up
		a.refuseUnavailable(w, r, err)
		return true
	}
	alive, err := a.Authn.Alive(r.Context(), m.session)
	if err != nil || !alive && m.turns < maxEnded {
		return false
	}
	a.Site.ClearReturnCookie(w) // the next try is a new one
	a.clearPlanted(w, d)
	switch {
	case a.Site.RepeatsSessionCookie(r):
		a.breakCircle(w, r, d, codeCookieRepeated, "Your browser sends more than one session cookie",
			"We cannot tell which one is ours, so none counts. Another program has set one for this address. Delete the cookies of this site in your browser, then try again.",
			"another program sets cookies of the gateway's name on its host; give it another host name")
	case alive:
		a.breakCircle(w, r, d, codeCookieLost, "Your browser did not send our cookie back",
			"You signed in, but the cookie that says so did not come back. Your browser or an extension may block or delete cookies, or something on the way here may remove them. Allow cookies for this site, then try again.",
			"a browser signs in and does not send the session cookie; if many do, a proxy in front removes Set-Cookie or Cookie headers")
	default:
		a.breakCircle(w, r, d, codeSessionLost, "Your session ended as soon as it began",
			"You signed in, but a moment later your session was not known any more. If that happens again, please tell whoever runs this site: a clock may be wrong there.",
			"sessions end as soon as they begin; compare the clocks of gateways and database, and see that all gateways use one database")
	}
	return true
}

// breakCircle shows why a sign-in leads nowhere. From here on only links lead
// further, never a redirect.
func (a *API) breakCircle(w http.ResponseWriter, r *http.Request, d destination, code, title, text, fix string) {
	a.Logger.Warn("a sign-in goes round in circles", zap.String("code", code), zap.String("fix", fix), zap.String("request_id", a.RequestID(r)))
	p := wire.Problem{Status: http.StatusBadRequest, Code: code, Detail: text}
	page := a.problemPage(r, p)
	page.Title = title
	page.Actions = []action{
		{Label: "Try again", URL: a.link("/login", d, "prompt=1"), Primary: true},
		{Label: "Go to the home page", URL: a.Site.Origin() + "/"},
	}
	p.Headers(w.Header())
	a.render(w, r, p.Status, "problem", page)
}

// clearPlanted takes away what somebody may have set beside our session cookie
// for the place that a browser is going to.
func (a *API) clearPlanted(w http.ResponseWriter, d destination) {
	if path, own := strings.CutPrefix(d.target, a.Site.Origin()); own {
		if i := strings.IndexAny(path, "?#"); i >= 0 {
			path = path[:i]
		}
		a.Site.ClearPlantedCookies(w, path)
	}
}
