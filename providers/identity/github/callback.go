package github

import (
	"context"
	"net/url"

	"github.com/datahq/auth-gateway/providers"
	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
)

// HandleCallback ends a sign-in. No text of GitHub's gets into an error but a
// well-formed error code (S25), and its token is dropped before it returns
// (S45).
//
// Somebody whose primary address is missing, not verified or not well-formed
// gets an identity without Email.
func (p *Provider) HandleCallback(ctx context.Context, redirectURI string, private []byte, query url.Values) (providers.Identity, error) {
	who, err := p.callback(ctx, redirectURI, private, query)
	if err != nil {
		return providers.Identity{}, err
	}
	return who, nil
}

func (p *Provider) callback(ctx context.Context, redirectURI string, private []byte, query url.Values) (who providers.Identity, err error) {
	if p.client == nil {
		return who, idp.ErrNotProvisioned
	}
	a, err := parseAttempt(private)
	if err != nil {
		return who, err
	}
	// GitHub has sent "iss" since 2026, Enterprise Servers do not yet; so what
	// keeps other providers' codes out is a redirect URI of its own (S23).
	if _, err := idp.CheckSender(query, p.sender()); err != nil {
		return who, err
	}
	if query.Has("error") {
		return who, idp.Refusal(query.Get("error"))
	}
	code, err := idp.Code(query)
	if err != nil {
		return who, err
	}
	token, err := idp.Exchange(ctx, p.client, p.oauth2(redirectURI), code, a.Verifier)
	if err != nil {
		return who, err
	}
	if who, err = p.user(ctx, token.AccessToken); err != nil {
		return who, err
	}
	who.Email, err = p.primaryEmail(ctx, token.AccessToken)
	who.EmailVerified = who.Email != ""
	return who, err
}

// sender is the "iss" of GitHub's callbacks (RFC 9207): "The issuer for
// GitHub.com is https://github.com/login/oauth"
// (docs.github.com/apps/github-authentication-discovery-endpoints). It is not
// the issuer of the identities, which is older than GitHub's having one.
func (p *Provider) sender() string { return p.url + "/login/oauth" }
