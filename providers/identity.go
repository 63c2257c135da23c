package providers

import (
	"context"
	"net/http"
	"net/url"
)

// Identity is who an identity provider says somebody is. The pair of Issuer
// and Subject is the account key (S27); the rest describes.
type Identity struct {
	// Issuer names the identity provider for ever: the OpenID Connect issuer
	// identifier, or the base URL of a provider that has none.
	Issuer string
	// Subject is the provider's own, never reused name of the person.
	Subject string
	// SessionID is the provider's session ("sid"); may be empty.
	SessionID string
	// Email is the address the provider gave; may be empty.
	Email string
	// EmailVerified says that the provider vouches for Email. Only then does it
	// link accounts.
	EmailVerified bool
	// Name, Username and AvatarURL describe the person; each may be empty.
	// Username is a wish: it is made valid and unique when the account is made.
	Name, Username, AvatarURL string
	// Groups are the provider's groups or roles of the person.
	Groups []string
	// Claims is everything else that the provider said, as decoded from JSON; may
	// be nil. It never holds a token of the provider's.
	Claims map[string]any
}

// IdentityProvider signs people in by sending their browser elsewhere and
// judging what it comes back with.
//
// The gateway owns state, its binding to the browser, and the check of what
// was asked for; the provider owns its protocol: PKCE, nonce, code exchange
// and the verification of the answer.
type IdentityProvider interface {
	// LoginURL begins a sign-in. It returns the absolute URL to send the browser
	// to, carrying redirectURI and state, and private data that is kept on the
	// server and handed to HandleCallback (a PKCE verifier, a nonce); at most
	// 4 KiB. It may be called again for the same browser, with another state, when
	// what it returned could not be kept. An error that wraps ErrUnavailable means
	// that the provider cannot be reached.
	LoginURL(ctx context.Context, redirectURI, state string) (location string, private []byte, err error)
	// HandleCallback ends a sign-in. query is what the browser brought to
	// redirectURI, with one "state" that has been checked and one "code" or
	// "error". Errors wrap ErrAccessDenied when the person refused,
	// ErrUnavailable when the provider did not answer; any other error means that
	// the answer was not acceptable.
	HandleCallback(ctx context.Context, redirectURI string, private []byte, query url.Values) (Identity, error)
}

// IssuerSender is implemented by an identity provider that may put its issuer
// into the callback (RFC 9207). One that does needs no redirect URI of its own
// against mix-up (S23).
type IssuerSender interface {
	// SendsIssuer reports whether the callback will carry "iss". It may ask the
	// provider, and an error means what it means for LoginURL.
	SendsIssuer(ctx context.Context) (bool, error)
}

// LogoutURLer is implemented by an identity provider that can also end its
// own session (OpenID Connect RP-Initiated Logout). This version does not call it.
type LogoutURLer interface {
	// LogoutURL returns where to send the browser, or "" where there is no such
	// place. returnTo is the absolute URL to come back to.
	LogoutURL(ctx context.Context, session Session, returnTo string) (string, error)
}

// BackChannelLogouter is implemented by an identity provider that is told
// about logouts by its server (OpenID Connect Back-Channel Logout). This version
// does not call it.
type BackChannelLogouter interface {
	// BackChannelLogout judges the request and returns which sessions end: all of
	// the subject, or the one named by sessionID if it is not empty.
	BackChannelLogout(r *http.Request) (issuer, subject, sessionID string, err error)
}

// Mounted is implemented by an identity provider with pages or endpoints of
// its own. They are served below its login path.
type Mounted interface {
	// ServeHTTP gets requests whose path has been stripped of the mount point, so
	// that it starts with "/".
	http.Handler
	// Mount is called once, before any request, with the absolute URL of the
	// mount point, such as https://app.example.com/auth/login/corp (no trailing
	// slash). An error stops the start; it is where a provider refuses an address
	// it must not be used at.
	Mount(base *url.URL) error
}

// AccountSeparator is implemented by an identity provider whose addresses
// prove nothing outside itself: its identities always get accounts of their
// own and are never linked by e-mail.
type AccountSeparator interface {
	// SeparateAccounts reports whether the provider's identities stay apart.
	SeparateAccounts() bool
}

// LegacyProvider is implemented by an identity provider that the original
// service had as well, so that its people find the accounts that they have had
// there. It must really be that provider, or stand in for it in a test: the
// name leads into accounts by nothing but a subject.
type LegacyProvider interface {
	// LegacyProviderName returns what the original called the provider: what
	// stands before the colon of a provider_id such as "google:1234", whose other
	// part is the subject. "" means that the original did not know it.
	LegacyProviderName() string
}
