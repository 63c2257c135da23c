package idp

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
)

// maxRefusalBody is how much of a refusal is read to find out what it is.
const maxRefusalBody = 4 << 10

// StatusError is an answer with a status other than 200.
type StatusError struct {
	// Status is the answer's status code.
	Status int
	// RateLimited says that the provider was asked too often, whatever the
	// status: GitHub says so with 403 as well as with 429.
	RateLimited bool
}

// Error says the status and nothing that the provider wrote (S25).
func (e *StatusError) Error() string {
	if e.RateLimited {
		return fmt.Sprintf("the provider answered with status %d (asked too often)", e.Status)
	}
	return fmt.Sprintf("the provider answered with status %d", e.Status)
}

func newStatusError(resp *http.Response) *StatusError {
	// A body that cannot be read tells nothing more.
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusalBody))
	return &StatusError{Status: resp.StatusCode, RateLimited: rateLimited(resp, body)}
}

// limitText is in the message or the documentation link of GitHub's refusal,
// which for secondary limits need not have a header that tells.
var limitText = regexp.MustCompile(`(?i)rate[ -]limit`)

// rateLimited tells a refusal that time heals from others
// (docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api).
func rateLimited(resp *http.Response, body []byte) bool {
	switch resp.StatusCode {
	case http.StatusTooManyRequests:
		return true
	case http.StatusForbidden:
		return resp.Header.Get("Retry-After") != "" || resp.Header.Get("X-RateLimit-Remaining") == "0" ||
			limitText.Match(body)
	default:
		return false
	}
}
