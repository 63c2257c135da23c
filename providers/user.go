package providers

import "time"

// User is an account, independent of how its owner signs in.
type User struct {
	// ID names the user for ever, in tokens and at upstreams; opaque, at most
	// 128 bytes.
	ID string
	// ProviderID is the provider name and subject of the last sign-in,
	// "google:1234", as the original service kept it; for display only.
	ProviderID string
	// Username is unique without regard to case; "" until one is chosen.
	Username string
	// Name is the display name; may be empty.
	Name string
	// Email is the address that was verified when the account was made, or that
	// the original service kept, which verified none; may be empty.
	Email string
	// AvatarURL is where a picture is; may be empty.
	AvatarURL string
	// JoinDate is when the account was made, in UTC; zero if unknown.
	JoinDate time.Time
	// Disabled users cannot sign in and pass no gate.
	Disabled bool
}

// Session is one signed-in browser or program of a user.
type Session struct {
	// ID is the session's name, the "sid" claim of tokens derived from it. It is
	// no credential.
	ID string
	// UserID is the user whose session it is.
	UserID string
	// Provider is the configured name of the identity provider that signed the
	// user in.
	Provider string
	// ProviderSessionID is the identity provider's own name of the session (the
	// "sid" of OpenID Connect), for logouts that start there; may be empty.
	ProviderSessionID string
	// CreatedAt and LastSeenAt are in UTC; LastSeenAt is kept to about a minute.
	CreatedAt, LastSeenAt time.Time
	// ExpiresAt is when the session ends whatever happens.
	ExpiresAt time.Time
}
