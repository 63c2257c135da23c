package authn

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/datahq/auth-gateway/providers"
)

// readCallback returns the parameters that count: state, code or error, and
// iss. None may be repeated (RFC 6749 section 3.1): two readers could pick
// different ones. The provider's error_description stays out, since it is text
// for people and may name them.
func readCallback(query url.Values) (url.Values, error) {
	read := url.Values{}
	for _, name := range []string{"state", "code", "error", "iss"} {
		values, present := query[name]
		if !present {
			continue
		}
		if len(values) != 1 || values[0] == "" {
			return nil, fmt.Errorf("the callback has a repeated or empty %q", name)
		}
		read.Set(name, values[0])
	}
	if !read.Has("state") {
		return nil, errors.New("the callback has no state")
	}
	if read.Has("code") == read.Has("error") {
		return nil, errors.New("the callback has not exactly one of code and error")
	}
	return read, nil
}

// take takes the attempt of a state, which nobody can do twice (S21).
func (s *Service) take(ctx context.Context, state string) (*record, *Error) {
	if !isSecret(state) {
		return nil, fail(CodeStateUnknown, nil, nil)
	}
	value, first, err := s.store.TakeAttempt(ctx, placeOf(state), hash(state))
	if errors.Is(err, providers.ErrNotFound) {
		return nil, fail(CodeStateUnknown, nil, nil)
	}
	if err != nil {
		return nil, fail(CodeUnavailable, nil, fmt.Errorf("taking the sign-in: %w", err))
	}
	kept := new(record)
	decodeErr := json.Unmarshal(value, kept)
	switch {
	case !first && decodeErr != nil: // a store need not keep what has been used
		return nil, fail(CodeStateUsed, nil, nil)
	case !first:
		return nil, fail(CodeStateUsed, kept.attempt(), nil)
	case decodeErr != nil:
		return nil, fail(CodeStateUnknown, nil, errors.New("the stored sign-in is not readable"))
	}
	return kept, nil
}

// boundTo reports whether binding is the secret that the browser was given.
func (r *record) boundTo(binding string) bool {
	return binding != "" && subtle.ConstantTimeCompare(hash(binding), r.Binding) == 1
}

// fitsPath reports whether the callback came to an address of the record's
// provider (S23). The shared address is good for all, as it is what is
// registered at the providers of old. But an answer that names its issuer is
// one of a provider that uses the shared address: it is not taken there for a
// provider with an address of its own, whose token endpoint would otherwise be
// handed the other one's code.
func (r *record) fitsPath(pathProvider string, query url.Values) bool {
	if pathProvider != "" {
		return pathProvider == r.Provider
	}
	return !r.OwnURI || !query.Has("iss")
}
