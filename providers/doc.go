// Package providers is the public Go API of auth-gateway: what somebody
// implements who wants to sign people in in a new way, to decide permissions
// in a new way, or to be told about users.
//
// It holds types and small interfaces on the standard library alone. An
// implementation is a Caddy guest module in one of three namespaces:
//
//	auth.identity_providers     implements IdentityProvider
//	auth.permission_providers   implements PermissionProvider
//	auth.extensions             implements at least one of NewUserListener,
//	                            LoginListener, LogoutListener
//
// What an implementation can do beyond the one required interface it says by
// implementing a small optional interface, found by type assertion. Package
// providertest has a contract suite for each kind.
//
// Every method may be called by many goroutines at once and must honour its
// context.
package providers
