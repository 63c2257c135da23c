package providers

import "context"

// Everyone is the user ID under which a GrantStore keeps what all users may
// do.
const Everyone = "*"

// GrantStore is the gateway's own table of permissions, for permission
// providers that answer from it.
type GrantStore interface {
	// Grants returns what is granted to a user ID (or to Everyone) in a service;
	// nil means nothing. It does not add what is granted to everyone.
	Grants(ctx context.Context, userID, service string) (Permissions, error)
}

// GrantStoreUser is implemented by a permission provider that wants the
// gateway's table.
type GrantStoreUser interface {
	// UseGrantStore is called once after loading, before the first request.
	UseGrantStore(store GrantStore)
}
