package idp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"

	"golang.org/x/oauth2"

	"github.com/datahq/auth-gateway/providers"
)

// ErrNotProvisioned is what a provider answers that Caddy has not loaded.
var ErrNotProvisioned = errors.New("the identity provider has not been provisioned")

// CheckStart judges what a sign-in begins with.
func CheckStart(redirectURI, state string) error {
	if state == "" {
		return errors.New("beginning a sign-in: no state")
	}
	if u, err := url.Parse(redirectURI); err != nil || u.Scheme == "" || u.Host == "" {
		return errors.New("beginning a sign-in: the redirect URI is not an absolute URL")
	}
	return nil
}

// CheckSender compares "iss" in the callback, so that no other provider's code
// is taken for this one's (S23, RFC 9207 section 2.4). It reports whether it is
// there.
func CheckSender(query url.Values, issuer string) (bool, error) {
	issuers := query["iss"]
	switch {
	case len(issuers) == 0:
		return false, nil
	case len(issuers) == 1 && issuers[0] == issuer:
		return true, nil
	default:
		return false, errors.New(`the callback's "iss" is not the issuer of the provider that was asked`)
	}
}

// Code returns the callback's one code.
func Code(query url.Values) (string, error) {
	if codes := query["code"]; len(codes) == 1 && codes[0] != "" {
		return codes[0], nil
	}
	return "", errors.New("the callback does not have exactly one code")
}

// errorCode is what an OAuth error code may look like to be shown.
var errorCode = regexp.MustCompile(`^[a-z_]{1,40}$`)

// Refusal is the error for an error callback with that code (RFC 6749 section
// 4.1.2.1, OpenID Connect Core 1.0 section 3.1.2.6).
func Refusal(code string) error {
	switch code {
	case "access_denied", "login_required", "consent_required", "interaction_required":
		return fmt.Errorf("the provider answered %s: %w", code, providers.ErrAccessDenied)
	}
	return fmt.Errorf("the provider answered %s", shown(code))
}

func shown(code string) string {
	if errorCode.MatchString(code) {
		return code
	}
	return "with an error"
}

// Exchange swaps the code for tokens (RFC 6749 section 4.1.3). It is tried
// once: a code that has been tried is gone. The answer is read strictly (S26),
// and the access token is a bearer token. No text of the provider's gets into
// an error but a well-formed error code (S25). The client is one of
// NewHTTPClient.
func Exchange(ctx context.Context, client *http.Client, config *oauth2.Config, code, verifier string) (*oauth2.Token, error) {
	const doing = "exchanging the code"
	response := &tokenResponse{base: client.Transport}
	asking := *client
	asking.Transport = response
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &asking)
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	if err == nil {
		if err := response.checkType(); err != nil {
			return nil, fmt.Errorf("%s: %w", doing, err)
		}
	}
	var refused *oauth2.RetrieveError
	var failed *url.Error
	switch {
	case err == nil:
		return token, nil
	case errors.As(err, &refused) && rateLimited(refused.Response, refused.Body):
		return nil, Unavailable(doing, &StatusError{Status: refused.Response.StatusCode, RateLimited: true})
	case errors.As(err, &refused):
		// Its text has the provider's whole answer.
		return nil, fmt.Errorf("%s: the provider answered %s", doing, shown(refused.ErrorCode))
	case errors.As(err, &failed) && !errors.Is(err, errNoTokenResponse):
		return nil, Unavailable(doing, err)
	default:
		return nil, fmt.Errorf("%s: %w", doing, errNoTokenResponse)
	}
}
