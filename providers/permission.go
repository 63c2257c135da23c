package providers

import (
	"context"
	"time"
)

// Permissions is what one user may do in one service: a JSON object such as
// {"read": true, "max_public_storage_mb": 50}. Values are as encoding/json
// decodes them. It is shared between requests and must not be changed once
// returned.
type Permissions map[string]any

// Granted reports whether the permission's value is JSON true.
func (p Permissions) Granted(name string) bool {
	granted, _ := p[name].(bool)
	return granted
}

// Answer is what a permission provider says about one user and service.
type Answer struct {
	// Permissions may be nil, which means none.
	Permissions Permissions
	// ValidFor is how long the answer may be reused; 0 leaves it to the gateway,
	// which never reuses an answer longer than its own limit (60 s by default).
	ValidFor time.Duration
}

// PermissionProvider answers what a user may do in a service.
type PermissionProvider interface {
	// Permissions returns what user may do in service. A user without any
	// permission is an empty Answer. An error means "cannot tell" and leads to
	// 503, never to "nothing granted". It is called on cache misses only, and has
	// three seconds: what it says later, nobody hears.
	Permissions(ctx context.Context, user User, service string) (Answer, error)
}

// Invalidator is implemented by a permission provider that knows when its
// answers change.
type Invalidator interface {
	// OnChange is called once after loading. The provider calls changed with the
	// user whose answers are no longer valid, or with "" for every user's.
	OnChange(changed func(userID string))
}

// LocalAnswerer is implemented by a permission provider that asks nobody: its
// answers are not worth remembering beyond the process.
type LocalAnswerer interface {
	AnswersLocally() bool
}
