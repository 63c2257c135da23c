package providers

import "errors"

var (
	// ErrNotFound says that what was asked for does not exist.
	ErrNotFound = errors.New("not found")
	// ErrUnavailable says that it cannot be told now: something that is needed
	// does not answer. It leads to 503, or 502 for an identity provider.
	ErrUnavailable = errors.New("unavailable")
	// ErrAccessDenied says that the person, or the identity provider's policy,
	// refused the sign-in.
	ErrAccessDenied = errors.New("access denied")
	// ErrClockSkew says that an identity provider's answer is from the future or
	// already over: one of the two clocks is wrong.
	ErrClockSkew = errors.New("the clocks of gateway and identity provider differ")
)
