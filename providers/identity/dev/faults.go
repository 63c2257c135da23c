package dev

import "github.com/datahq/auth-gateway/providers/providertest/fakeidp"

// faultText is how the page speaks of a fault.
type faultText struct {
	fault         fakeidp.Fault
	title, detail string
	works         bool // the sign-in succeeds all the same
}

func faultTexts() []faultText {
	return []faultText{
		{fakeidp.AccessDenied, "Refuse", "the person says no", false},
		{fakeidp.NoEmail, "No e-mail address", "the provider gives none", false},
		{fakeidp.UnverifiedEmail, "Unverified e-mail address", "the provider does not vouch for it", false},
		{fakeidp.EmailVerifiedAsString, "Verified, but as a text", "email_verified is \"true\" and not true", false},
		{fakeidp.ExpiredCode, "Expired code", "the person took too long", false},
		{fakeidp.UsedCode, "Used code", "somebody was faster", false},
		{fakeidp.Slow, "Slow", "the provider needs 12 seconds, the gateway waits for 10", false},
		{fakeidp.Down, "Down", "the provider answers 503", false},
		{fakeidp.HTMLInsteadOfJSON, "A page instead of JSON", "a captive portal, perhaps", false},
		{fakeidp.HugeAnswer, "Huge answer", "more than 1 MiB", false},
		{fakeidp.RedirectingToken, "Redirect", "the token endpoint sends the gateway elsewhere", false},
		{fakeidp.NoState, "No state", "the callback has none", false},
		{fakeidp.WrongIssParameter, "Wrong iss in the callback", "another provider's answer", false},
		{fakeidp.MissingIssParameter, "No iss in the callback", "though it was announced", false},
		{fakeidp.NoIDToken, "No id_token", "the token answer has none", false},
		{fakeidp.WrongNonce, "Wrong nonce", "an id_token of another sign-in", false},
		{fakeidp.NoNonce, "No nonce", "an id_token of no sign-in", false},
		{fakeidp.WrongIssuer, "Wrong issuer", "an id_token of another provider", false},
		{fakeidp.WrongAudience, "Wrong audience", "an id_token for another client", false},
		{fakeidp.ManyAudiences, "Two audiences", "and no azp", false},
		{fakeidp.WrongAzp, "Wrong azp", "an id_token that another client asked for", false},
		{fakeidp.BadSignature, "Bad signature", "signed by another key", false},
		{fakeidp.UnknownKey, "Unknown key", "signed by a key that is not published", false},
		{fakeidp.AlgNone, "No signature", "alg is none", false},
		{fakeidp.HS256WithSecret, "Signed with the public key", "alg is HS256", false},
		{fakeidp.ExpiredIDToken, "Expired id_token", "the provider's clock is slow", false},
		{fakeidp.FutureIDToken, "id_token from the future", "the provider's clock is fast", false},
		{fakeidp.OldIDToken, "Old id_token", "issued an hour ago", false},
		{fakeidp.UserinfoOtherSubject, "Userinfo of somebody else", "another sub than the id_token's", false},
		{fakeidp.EmailInUserinfo, "E-mail address from userinfo", "not in the id_token", true},
		{fakeidp.KeyRotation, "New signing key", "the provider changes its key first", true},
	}
}
