package oidc

import (
	"net/url"
	"strings"
	"unicode"

	"github.com/datahq/auth-gateway/providers"
)

const (
	maxName   = 256
	maxAvatar = 512 // the width of the original's column
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
		Name:      line(c.text("name")),
		Username:  line(c.text("preferred_username")),
		AvatarURL: avatar(c.text("picture")),
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

// line makes text fit for one line of a page.
func line(s string) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, s))
	if runes := []rune(s); len(runes) > maxName {
		return string(runes[:maxName])
	}
	return s
}

// avatar returns s if it is the address of something on the web.
func avatar(s string) string {
	u, err := url.Parse(s)
	if err != nil || len(s) > maxAvatar || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return s
}
