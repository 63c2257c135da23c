package authn

import (
	"context"
	"errors"

	"github.com/datahq/auth-gateway/providers"
)

// The codes of an Error. They are part of the API: pages and problem answers
// show them.
const (
	// CodeAccessDenied: the person or the identity provider's policy refused.
	CodeAccessDenied = "access_denied"
	// CodeStateMissing: the callback is malformed: not exactly one state and
	// exactly one code or error.
	CodeStateMissing = "state_missing"
	// CodeStateUnknown: no sign-in has this state, or it is long gone.
	CodeStateUnknown = "state_unknown"
	// CodeStateExpired: the sign-in took longer than AttemptLifetime.
	CodeStateExpired = "state_expired"
	// CodeStateUsed: the sign-in has been ended before, well or badly.
	CodeStateUsed = "state_used"
	// CodeStateMismatch: the callback came from a browser that did not start the
	// sign-in or does not send cookies back, or at another provider's address.
	CodeStateMismatch = "state_mismatch"
	// CodeEmailUnverified: the identity has no verified, well-formed e-mail
	// address (ruling 15).
	CodeEmailUnverified = "email_unverified"
	// CodeAccountExists: the address belongs to an account that another sign-in
	// method leads to.
	CodeAccountExists = "account_exists"
	// CodeProviderError: the identity provider's answer was not acceptable.
	CodeProviderError = "provider_error"
	// CodeProviderUnavailable: the identity provider does not answer.
	CodeProviderUnavailable = "provider_unavailable"
	// CodeClockSkew: gateway and identity provider disagree about the time.
	CodeClockSkew = "clock_skew"
	// CodeUserDisabled: the account has been disabled.
	CodeUserDisabled = "user_disabled"
	// CodeUnavailable: our own database does not answer.
	CodeUnavailable = "unavailable"
	// CodeUnknownProvider: no identity provider of this name is configured.
	CodeUnknownProvider = "unknown_provider"
	// CodeBadNext: the place to go to afterwards is too long or is not text.
	CodeBadNext = "bad_next"
)

// Error is the one type of error of this package. Its text may be logged: it
// is free of secrets and addresses. What Unwrap leads to is not.
type Error struct {
	// Code is one of the Code constants.
	Code string
	// Provider is the configured name of the identity provider; "" if it is not
	// known.
	Provider string
	// Attempt is the sign-in that failed; nil if it is not known. With
	// CodeStateUsed, CodeStateExpired and CodeStateMismatch somebody else may have
	// started it: it is good for a link to try again and proves nothing.
	Attempt *Attempt
	// Err is the cause; may be nil.
	Err error
}

// Error returns code, provider and cause.
func (e *Error) Error() string {
	text := e.Code
	if e.Provider != "" {
		text += " (" + e.Provider + ")"
	}
	if e.Err != nil {
		text += ": " + scrub(e.Err.Error())
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// fail returns an Error about an attempt.
func fail(code string, attempt *Attempt, cause error) *Error {
	e := &Error{Code: code, Attempt: attempt, Err: cause}
	if attempt != nil {
		e.Provider = attempt.Provider
	}
	return e
}

// providerCode says what an identity provider's error means.
func providerCode(err error) string {
	var panicked *panicError
	switch {
	case errors.As(err, &panicked):
		return CodeProviderError
	case errors.Is(err, providers.ErrAccessDenied):
		return CodeAccessDenied
	case errors.Is(err, providers.ErrClockSkew):
		return CodeClockSkew
	case errors.Is(err, providers.ErrUnavailable),
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return CodeProviderUnavailable
	default:
		return CodeProviderError
	}
}
