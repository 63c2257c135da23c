package fakeidp

import "slices"

// Fault is one thing that goes wrong. Faults of the login are given to Next,
// Always or Finish; those of a whole endpoint to Break.
type Fault string

// What can go wrong at the person or in the callback.
const (
	// AccessDenied: the person refuses; the callback has error=access_denied.
	AccessDenied Fault = "access_denied"
	// NoState leaves "state" out of the callback.
	NoState Fault = "no_state"
	// WrongIssParameter puts another issuer into the callback (RFC 9207).
	WrongIssParameter Fault = "wrong_iss_parameter"
	// MissingIssParameter leaves "iss" out of the callback though the metadata
	// announces it.
	MissingIssParameter Fault = "missing_iss_parameter"
)

// What can go wrong with the code.
const (
	// ExpiredCode: the code is over when the client brings it.
	ExpiredCode Fault = "expired_code"
	// UsedCode: the code has been used when the client brings it.
	UsedCode Fault = "used_code"
)

// What can be wrong with the id_token.
const (
	// NoIDToken: the token answer has none.
	NoIDToken Fault = "no_id_token"
	// WrongNonce: "nonce" is another.
	WrongNonce Fault = "wrong_nonce"
	// NoNonce: "nonce" is missing.
	NoNonce Fault = "no_nonce"
	// WrongIssuer: "iss" is another.
	WrongIssuer Fault = "wrong_issuer"
	// WrongAudience: "aud" is another client.
	WrongAudience Fault = "wrong_audience"
	// ManyAudiences: "aud" has two clients and there is no "azp".
	ManyAudiences Fault = "many_audiences"
	// WrongAzp: "azp" is another client.
	WrongAzp Fault = "wrong_azp"
	// BadSignature: the known kid, signed by another key.
	BadSignature Fault = "bad_signature"
	// UnknownKey: a kid and a key that the JWKS does not have.
	UnknownKey Fault = "unknown_key"
	// AlgNone: alg "none" and no signature.
	AlgNone Fault = "alg_none"
	// HS256WithSecret: HMAC with the client secret, or with the public key's PEM
	// for a client that has none.
	HS256WithSecret Fault = "hs256_with_secret"
	// ExpiredIDToken: "exp" was two minutes ago.
	ExpiredIDToken Fault = "expired_id_token"
	// FutureIDToken: "iat" is in ten minutes.
	FutureIDToken Fault = "future_id_token"
	// OldIDToken: "iat" was an hour ago, "exp" is still to come.
	OldIDToken Fault = "old_id_token"
)

// What can be wrong with what is said about the person.
const (
	// NoEmail: no address anywhere.
	NoEmail Fault = "no_email"
	// UnverifiedEmail: email_verified is false.
	UnverifiedEmail Fault = "unverified_email"
	// EmailVerifiedAsString: email_verified is the string "true".
	EmailVerifiedAsString Fault = "email_verified_as_string"
	// EmailInUserinfo is no fault but a habit: the address comes with userinfo
	// only.
	EmailInUserinfo Fault = "email_in_userinfo"
	// UserinfoOtherSubject: the address comes with userinfo only, which speaks of
	// somebody else.
	UserinfoOtherSubject Fault = "userinfo_other_subject"
)

// How the token endpoint (or one given to Break) can misbehave.
const (
	// Slow: the answer takes Config.Delay.
	Slow Fault = "slow"
	// Down: 503.
	Down Fault = "down"
	// HTMLInsteadOfJSON: 200 with a page.
	HTMLInsteadOfJSON Fault = "html_instead_of_json"
	// HugeAnswer: 200 with more than 1 MiB of JSON.
	HugeAnswer Fault = "huge_answer"
	// RedirectingToken: 302.
	RedirectingToken Fault = "redirecting_token"
	// KeyRotation is no fault: a new signing key replaces the old one before this
	// login.
	KeyRotation Fault = "key_rotation"
)

// Faults lists them all, in the order of a sign-in.
func Faults() []Fault {
	return []Fault{
		AccessDenied, NoState, WrongIssParameter, MissingIssParameter,
		ExpiredCode, UsedCode,
		NoIDToken, WrongNonce, NoNonce, WrongIssuer, WrongAudience, ManyAudiences, WrongAzp,
		BadSignature, UnknownKey, AlgNone, HS256WithSecret, ExpiredIDToken, FutureIDToken, OldIDToken,
		NoEmail, UnverifiedEmail, EmailVerifiedAsString, EmailInUserinfo, UserinfoOtherSubject,
		Slow, Down, HTMLInsteadOfJSON, HugeAnswer, RedirectingToken, KeyRotation,
	}
}

// faults are those of one login.
type faults []Fault

func (f faults) has(fault Fault) bool { return slices.Contains(f, fault) }

// ofTransport returns the first one that spoils the answer as a whole.
func (f faults) ofTransport() Fault {
	for _, fault := range f {
		switch fault {
		case Slow, Down, HTMLInsteadOfJSON, HugeAnswer, RedirectingToken:
			return fault
		}
	}
	return ""
}
