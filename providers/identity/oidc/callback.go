package oidc

import (
	"context"
	"errors"
	"net/url"

	"github.com/datahq/auth-gateway/providers"
	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
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
		return nil, idp.ErrNotProvisioned
	}
	a, err := parseAttempt(private)
	if err != nil {
		return nil, err
	}
	sender, err := idp.CheckSender(query, p.issuer)
	if err != nil {
		return nil, err
	}
	if query.Has("error") {
		return nil, idp.Refusal(query.Get("error"))
	}
	meta, err := p.discovery.get(ctx)
	if err != nil {
		return nil, err
	}
	if meta.sendsIssuer && !sender {
		return nil, errors.New(`the callback has no "iss", which the provider's metadata announces`)
	}
	code, err := idp.Code(query)
	if err != nil {
		return nil, err
	}
	token, err := idp.Exchange(ctx, p.client, p.oauth2(meta, redirectURI), code, a.Verifier)
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
