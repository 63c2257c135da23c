package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/datahq/auth-gateway/providers"
)

// HandleCallback ends a sign-in. No text of the provider's gets into an error
// but a well-formed error code (S25), and its tokens are dropped before it
// returns (S45).
func (p *Provider) HandleCallback(ctx context.Context, redirectURI string, private []byte, query url.Values) (providers.Identity, error) {
	claims, err := p.callback(ctx, redirectURI, private, query)
	if err != nil {
		return providers.Identity{}, err
	}
	return p.identity(claims), nil
}

func (p *Provider) callback(ctx context.Context, redirectURI string, private []byte, query url.Values) (claims, error) {
	if p.discovery == nil {
		return nil, errNotProvisioned
	}
	a, err := parseAttempt(private)
	if err != nil {
		return nil, err
	}
	sender, err := p.checkSender(query)
	if err != nil {
		return nil, err
	}
	if query.Has("error") {
		return nil, refusal(query.Get("error"))
	}
	meta, err := p.discovery.get(ctx)
	if err != nil {
		return nil, err
	}
	if meta.sendsIssuer && !sender {
		return nil, errors.New(`the callback has no "iss", which the provider's metadata announces`)
	}
	if codes := query["code"]; len(codes) != 1 || codes[0] == "" {
		return nil, errors.New("the callback does not have exactly one code")
	}
	token, err := p.exchange(ctx, meta, redirectURI, query.Get("code"), a.Verifier)
	if err != nil {
		return nil, err
	}
	claims, err := p.idToken(ctx, meta, token, a.Nonce)
	if err != nil {
		return nil, err
	}
	if claims.email() != "" || meta.userinfo == "" {
		return claims, nil
	}
	more, err := p.userinfo(ctx, meta, token.AccessToken, claims.text("sub"))
	if err != nil {
		return nil, err
	}
	return claims.with(more), nil
}

// checkSender compares "iss" in the callback, so that no other provider's code
// is taken for this one's (S23, RFC 9207 section 2.4). It reports whether it is
// there.
func (p *Provider) checkSender(query url.Values) (bool, error) {
	issuers := query["iss"]
	switch {
	case len(issuers) == 0:
		return false, nil
	case len(issuers) == 1 && issuers[0] == p.issuer:
		return true, nil
	default:
		return false, errors.New(`the callback's "iss" is not the issuer of the provider that was asked`)
	}
}

// errorCode is what an OAuth error code may look like to be shown.
var errorCode = regexp.MustCompile(`^[a-z_]{1,40}$`)

// refusal is the error for an error callback (RFC 6749 section 4.1.2.1, OpenID
// Connect Core 1.0 section 3.1.2.6).
func refusal(code string) error {
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

// exchange swaps the code for tokens (RFC 6749 section 4.1.3). It is tried
// once: a code that has been tried is gone.
func (p *Provider) exchange(ctx context.Context, meta *metadata, redirectURI, code, verifier string) (*oauth2.Token, error) {
	const doing = "exchanging the code"
	token, err := p.oauth2(meta, redirectURI).Exchange(oidc.ClientContext(ctx, p.client), code, oauth2.VerifierOption(verifier))
	var refused *oauth2.RetrieveError
	var failed *url.Error
	switch {
	case err == nil:
		return token, nil
	case errors.As(err, &refused):
		// Its text has the provider's whole answer.
		return nil, fmt.Errorf("%s: the provider answered %s", doing, shown(refused.ErrorCode))
	case errors.As(err, &failed):
		return nil, unavailable(doing, err)
	default:
		return nil, fmt.Errorf("%s: the provider's answer is not a token response", doing)
	}
}
