package fakegithub

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Fault is one thing that goes wrong in one sign-in; see Next and Always.
type Fault string

// What the callback can say instead of a code.
const (
	// AccessDenied: the person refuses.
	AccessDenied Fault = "access_denied"
	// ApplicationSuspended: GitHub has suspended the app.
	ApplicationSuspended Fault = "application_suspended"
)

// What can be wrong with the callback.
const (
	// NoState leaves "state" out.
	NoState Fault = "no_state"
	// NoIssuer leaves "iss" out.
	NoIssuer Fault = "no_issuer"
	// WrongIssuer has another "iss".
	WrongIssuer Fault = "wrong_issuer"
)

// What the token endpoint can answer, with status 200, whatever it is asked.
const (
	BadVerificationCode        Fault = "bad_verification_code"
	IncorrectClientCredentials Fault = "incorrect_client_credentials"
	RedirectURIMismatch        Fault = "redirect_uri_mismatch"
	UnverifiedUserEmail        Fault = "unverified_user_email"
)

// What can be wrong with the token.
const (
	// NoToken: the token answer has none, and no error either.
	NoToken Fault = "no_token"
	// NoScope: the token may not read addresses, whatever was asked for.
	NoScope Fault = "no_scope"
	// RevokedToken: the API does not know the token.
	RevokedToken Fault = "revoked_token"
)

// Faults returns every fault, for tests that go through all of them.
func Faults() []Fault {
	return []Fault{
		AccessDenied, ApplicationSuspended, NoState, NoIssuer, WrongIssuer,
		BadVerificationCode, IncorrectClientCredentials, RedirectURIMismatch, UnverifiedUserEmail,
		NoToken, NoScope, RevokedToken,
	}
}

// Failure is how an endpoint misbehaves at every request; see Break.
type Failure string

// How an endpoint can misbehave.
const (
	// Slow waits for Config.Delay before it answers.
	Slow Failure = "slow"
	// Down answers 503 with a page.
	Down Failure = "down"
	// ServerError answers 500 with JSON.
	ServerError Failure = "server_error"
	// Unauthorized answers 401.
	Unauthorized Failure = "unauthorized"
	// Forbidden answers 403 that asking later does not heal.
	Forbidden Failure = "forbidden"
	// RateLimited answers 403 with X-RateLimit-Remaining: 0.
	RateLimited Failure = "rate_limited"
	// RetryAfter answers 403 with Retry-After.
	RetryAfter Failure = "retry_after"
	// SecondaryRateLimited answers 403 whose text alone says why.
	SecondaryRateLimited Failure = "secondary_rate_limited"
	// TooManyRequests answers 429.
	TooManyRequests Failure = "too_many_requests"
	// Redirecting answers 302 to /elsewhere, which is not served.
	Redirecting Failure = "redirecting"
	// HTMLInsteadOfJSON answers 200 with a page.
	HTMLInsteadOfJSON Failure = "html_instead_of_json"
	// ObjectInstead answers 200 with GitHub's error object.
	ObjectInstead Failure = "object_instead"
	// ListInstead answers 200 with a list of texts.
	ListInstead Failure = "list_instead"
	// NullInstead answers 200 with null.
	NullInstead Failure = "null_instead"
	// CutOff answers 200 with the beginning of an object.
	CutOff Failure = "cut_off"
	// TwoAnswers answers 200 with two objects, one behind the other.
	TwoAnswers Failure = "two_answers"
	// HugeAnswer answers 200 with more than 1 MiB.
	HugeAnswer Failure = "huge_answer"
)

// Failures returns every failure, for tests that go through all of them.
func Failures() []Failure {
	return []Failure{
		Slow, Down, ServerError, Unauthorized, Forbidden, RateLimited, RetryAfter, SecondaryRateLimited,
		TooManyRequests, Redirecting, HTMLInsteadOfJSON, ObjectInstead, ListInstead, NullInstead, CutOff,
		TwoAnswers, HugeAnswer,
	}
}

type faults []Fault

func (f faults) has(fault Fault) bool { return slices.Contains(f, fault) }

// first returns the one of candidates that is among f, or "".
func (f faults) first(candidates ...Fault) Fault {
	for _, fault := range candidates {
		if f.has(fault) {
			return fault
		}
	}
	return ""
}

// page is what must be shown to nobody: a client that repeats it is open to
// whatever the provider's server lets people write.
const page = "<!doctype html><title>Unicorn!</title><script>alert(1)</script>"

// misbehave reports whether failure has spoilt the answer, so that nothing is
// left to do.
func (g *GitHub) misbehave(w http.ResponseWriter, r *http.Request, failure Failure) bool {
	switch failure {
	case Slow:
		timer := time.NewTimer(g.config.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
			return false
		case <-r.Context().Done():
			return true
		}
	case Down:
		write(w, http.StatusServiceUnavailable, "text/html; charset=utf-8", page)
	case ServerError:
		writeMessage(w, http.StatusInternalServerError, "<b>Server Error</b>")
	case Unauthorized:
		writeMessage(w, http.StatusUnauthorized, "<b>Bad credentials</b>")
	case Forbidden:
		writeMessage(w, http.StatusForbidden, "<b>Sorry. Your account was suspended</b>")
	case RateLimited:
		w.Header().Set("X-RateLimit-Remaining", "0")
		writeMessage(w, http.StatusForbidden, "<b>No more</b>")
	case RetryAfter:
		w.Header().Set("Retry-After", "60")
		writeMessage(w, http.StatusForbidden, "<b>No more</b>")
	case SecondaryRateLimited:
		writeMessage(w, http.StatusForbidden, "You have exceeded a secondary <b>rate limit</b>. Please wait a few minutes before you try again.")
	case TooManyRequests:
		write(w, http.StatusTooManyRequests, "text/html; charset=utf-8", page)
	case Redirecting:
		w.Header().Set("Location", g.config.URL+"/elsewhere")
		write(w, http.StatusFound, "text/html; charset=utf-8", "")
	case HTMLInsteadOfJSON:
		write(w, http.StatusOK, "text/html; charset=utf-8", page)
	case ObjectInstead:
		writeMessage(w, http.StatusOK, "<b>Not Found</b>")
	case ListInstead:
		write(w, http.StatusOK, jsonType, `["ada@example.com"]`)
	case NullInstead:
		write(w, http.StatusOK, jsonType, "null")
	case CutOff:
		write(w, http.StatusOK, jsonType, `{"id": 1, "login": "a`)
	case TwoAnswers:
		write(w, http.StatusOK, jsonType, `{"id": 1, "login": "ada"} {"id": 2, "login": "eve"}`)
	case HugeAnswer:
		write(w, http.StatusOK, jsonType, `[{"padding": "`+strings.Repeat("x", 1<<20)+`"}]`)
	default:
		return false
	}
	return true
}
