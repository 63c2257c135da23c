package oidc

import (
	"github.com/datahq/auth-gateway/providers"
	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
)

// handled are the claims that are not passed on as they are: those that have a
// field of their own, those that serve the protocol, and those that would carry
// a token (S45).
var handled = []string{
	"sub", "sid", "email", "email_verified", "name", "preferred_username", "picture",
	"iss", "aud", "azp", "exp", "iat", "nbf", "jti", "nonce", "at_hash", "c_hash", "s_hash",
	"access_token", "refresh_token", "id_token", "_claim_names", "_claim_sources",
}

// identity says who signed in, from claims that have been verified.
func (p *Provider) identity(c claims) providers.Identity {
	who := providers.Identity{
		Issuer:    p.issuer,
		Subject:   c.text("sub"),
		SessionID: c.text("sid"),
		Email:     c.email(),
		Name:      idp.Line(c.text("name")),
		Username:  idp.Line(c.text("preferred_username")),
		AvatarURL: idp.WebURL(c.text("picture")),
		Groups:    c.list(p.GroupsClaim),
	}
	// S27: a JSON boolean. Some providers write "true", and then it may be
	// whatever their form let somebody type.
	who.EmailVerified = who.Email != "" && c["email_verified"] == true
	for _, name := range handled {
		delete(c, name)
	}
	if len(c) > 0 {
		who.Claims = c
	}
	return who
}
