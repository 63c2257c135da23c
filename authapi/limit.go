package authapi

import (
	"errors"
	"net/http"
	"time"

	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/internal/wire"
)

// The events that are limited (S37), as Config.Limit knows them.
const (
	limitLogin    = "login"
	limitCallback = "callback"
	limitBadToken = "bad_token"
	limitProfile  = "profile"
	// By account.
	limitUpdate    = "update"
	limitAuthorize = "authorize"
)

// notAPage refuses what partOfForeignPage tells.
var notAPage = wire.Problem{
	Status: http.StatusForbidden, Code: wire.CodeCrossOrigin, Detail: "Signing in works as a page only, not as a part of another one.",
}

// partOfForeignPage reports whether another site's page asks for this as an image
// or by its script. No sign-in comes of that; but a page full of such images must
// not use up what the address of its visitors may do (S37).
func partOfForeignPage(r *http.Request) bool {
	mode, site := r.Header.Get("Sec-Fetch-Mode"), r.Header.Get("Sec-Fetch-Site")
	return (site == "cross-site" || site == "same-site") && mode != "" && mode != "navigate" && mode != "nested-navigate"
}

// limitError says that somebody has asked too often.
type limitError struct{ retryAfter time.Duration }

func (e limitError) Error() string { return "too many requests" }

// limit counts an event of a client address or, if one is given, of an account.
// The error, if any, is a limitError.
func (a *API) limit(r *http.Request, event, account string) error {
	if a.Limit == nil {
		return nil
	}
	if retryAfter, ok := a.Limit(r, event, account); !ok {
		return limitError{retryAfter}
	}
	return nil
}

// limitUnknown counts a credential that has just cost a look into the database
// and was none, if err says so. The error, if any, is a limitError.
func (a *API) limitUnknown(r *http.Request, err error) error {
	if !errors.Is(err, authz.ErrUnknown) {
		return nil
	}
	return a.limit(r, limitBadToken, "")
}

// limited makes a problem of a limitError.
func limited(err error) (p wire.Problem, ok bool) {
	var e limitError
	if !errors.As(err, &e) {
		return p, false
	}
	return wire.Problem{
		Status: http.StatusTooManyRequests, Code: wire.CodeRateLimited,
		Detail: "Too many requests of this kind. Try again later.", RetryAfter: max(e.retryAfter, time.Second),
	}, true
}
