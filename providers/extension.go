package providers

import "context"

// Extension is code that is told about users. It implements at least one of
// NewUserListener, LoginListener and LogoutListener. An error is logged and
// stops nothing; changes to the event reach nobody, since each extension gets
// a copy (S7).
type Extension any

// Event is what an extension is told.
type Event struct {
	// User is the user it is about.
	User User
	// Session is the session that was opened or has ended; zero where there is
	// none.
	Session Session
	// NewUser says that this sign-in made the account.
	NewUser bool
}

// NewUserListener is told when an account has been made, before OnUserLogin.
type NewUserListener interface {
	OnNewUser(ctx context.Context, event Event) error
}

// LoginListener is told when a session has been opened.
type LoginListener interface {
	OnUserLogin(ctx context.Context, event Event) error
}

// LogoutListener is told when a session has been ended by its user, an
// administrator or the identity provider; not when it expires.
type LogoutListener interface {
	OnUserLogout(ctx context.Context, event Event) error
}
