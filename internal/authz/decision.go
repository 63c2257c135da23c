package authz

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/datahq/auth-gateway/internal/cache"
	"github.com/datahq/auth-gateway/providers"
)

var (
	// ErrInvalid says that the credential is none here: forged, malformed,
	// expired, or of a kind or service that does not count.
	ErrInvalid = errors.New("invalid credential")
	// ErrEnded says that the session is over, or its user is gone.
	ErrEnded = errors.New("session ended")
	// ErrDisabled says that the user may not sign in any more.
	ErrDisabled = errors.New("user disabled")
)

// Decision says who a credential stands for and, when a service was named,
// what that user may do in it. It is shared between requests: nothing in it
// may be changed.
type Decision struct {
	User    providers.User
	Session providers.Session
	// Service is "" when only the user was asked for.
	Service string
	// Permissions in Service; nil means none.
	Permissions providers.Permissions
	// ExpiresAt is when the credential itself ends.
	ExpiresAt time.Time
	// Rendered is what Config.Render made of the decision, once.
	Rendered any

	upstream atomic.Pointer[upstreamToken]
}

// entry is a decision, or a refusal, in the near cache.
type entry struct {
	decision *Decision
	refusal  error
	stamp    cache.Stamp
	// freshUntil and staleUntil are Unix nanoseconds. Between the two the entry
	// serves only while the truth cannot be asked.
	freshUntil atomic.Int64
	staleUntil int64
}

func (e *entry) result() (*Decision, error) { return e.decision, e.refusal }
