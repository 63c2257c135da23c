package wire

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// The codes of refusals. Each is stable: programs decide by it.
const (
	CodeNotSignedIn          = "not_signed_in"
	CodeSessionEnded         = "session_ended"
	CodeTokenInvalid         = "token_invalid"
	CodePermissionMissing    = "permission_missing"
	CodeUserDisabled         = "user_disabled"
	CodeAmbiguousCredentials = "ambiguous_credentials"
	CodeCrossOrigin          = "cross_origin"
	CodeBadPath              = "bad_path"
	CodeBadNext              = "bad_next"
	CodeBadRequest           = "bad_request"
	CodeWrongHost            = "wrong_host"
	CodeNotFound             = "not_found"
	CodeMethodNotAllowed     = "method_not_allowed"
	CodeRateLimited          = "rate_limited"
	CodeUnavailable          = "unavailable"
	CodeInternal             = "internal"
)

// Problem is an error answer (RFC 9457). Type is always "about:blank": the
// code says which problem it is.
type Problem struct {
	// Status is the HTTP status.
	Status int
	// Code is the stable name of the problem, one of the Code constants or of
	// authn's.
	Code string
	// Detail is a sentence for a person.
	Detail string
	// RequestID is Caddy's, the one in the logs.
	RequestID string
	// LoginURL is where to sign in (401).
	LoginURL string
	// Service and Missing say what was asked for and not granted (403).
	Service string
	Missing []string
	// Account is who is signed in and Next the place that was asked for, as
	// NextPolicy.Check takes it. They are for pages and stay out of the JSON; each
	// may be "".
	Account, Next string
	// Challenge adds WWW-Authenticate (401); InvalidToken says that a credential
	// was shown (RFC 6750 section 3).
	Challenge, InvalidToken bool
	// RetryAfter is when to try again; 0 if that is not known.
	RetryAfter time.Duration
}

// body is the JSON form.
type body struct {
	Type      string   `json:"type"`
	Title     string   `json:"title"`
	Status    int      `json:"status"`
	Code      string   `json:"code"`
	Detail    string   `json:"detail"`
	RequestID string   `json:"request_id,omitempty"`
	LoginURL  string   `json:"login_url,omitempty"`
	Service   string   `json:"service,omitempty"`
	Missing   []string `json:"missing,omitempty"`
}

// BarePolicy is the Content-Security-Policy of our answers that bring nothing to
// run or to show (S35).
const BarePolicy = "default-src 'none'; frame-ancestors 'none'"

// Headers sets what every form of the answer carries: no caching, no sniffing,
// the challenge, when to come back.
func (p *Problem) Headers(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if p.Challenge {
		challenge := `Bearer realm="auth"`
		if p.InvalidToken {
			challenge += `, error="invalid_token"`
		}
		h.Set("WWW-Authenticate", challenge)
	}
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((p.RetryAfter+time.Second-1)/time.Second)))
	}
}

// WriteJSON writes the problem as application/problem+json.
func (p *Problem) WriteJSON(w http.ResponseWriter) {
	text, err := json.Marshal(body{
		Type: "about:blank", Title: http.StatusText(p.Status), Status: p.Status, Code: p.Code, Detail: p.Detail,
		RequestID: p.RequestID, LoginURL: p.LoginURL, Service: p.Service, Missing: p.Missing,
	})
	if err != nil { // every member is a string or a number
		http.Error(w, p.Code, p.Status)
		return
	}
	h := w.Header()
	p.Headers(h)
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Security-Policy", BarePolicy)
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(p.Status)
	_, _ = w.Write(text)
}

// ProblemPage shows a problem to a person; authapi has it.
type ProblemPage func(w http.ResponseWriter, r *http.Request, p Problem)
