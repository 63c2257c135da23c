package authz

import (
	"errors"
	"fmt"
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
	// ErrUnknown is an ErrEnded that was not remembered: the database has just been
	// asked for it. Who causes many is trying things out (S37).
	ErrUnknown = fmt.Errorf("%w: no such session", ErrEnded)
	// ErrDisabled says that the user may not sign in any more.
	ErrDisabled = errors.New("user disabled")
)

func isRefusal(err error) bool {
	return errors.Is(err, ErrInvalid) || errors.Is(err, ErrEnded) || errors.Is(err, ErrDisabled)
}

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
	// madeAt, freshUntil and staleUntil are Unix nanoseconds. Between the last two
	// the entry serves only while the truth cannot be asked. An entry from the
	// future is not fresh: the clock has been moved back.
	madeAt     int64
	freshUntil atomic.Int64
	staleUntil int64
}

// newEntry makes an entry as of now.
func newEntry(stamp cache.Stamp, now, freshUntil, staleUntil time.Time) *entry {
	e := &entry{stamp: stamp, madeAt: now.UnixNano(), staleUntil: staleUntil.UnixNano()}
	e.freshUntil.Store(freshUntil.UnixNano())
	return e
}

// fresh reports whether the entry is to be used as it is.
func (e *entry) fresh(now time.Time) bool {
	n := now.UnixNano()
	return e.madeAt <= n && n < e.freshUntil.Load()
}

// stale reports whether the entry is a decision that serves if need be; it may
// be nil.
func (e *entry) stale(now time.Time) bool {
	return e != nil && e.decision != nil && now.UnixNano() < e.staleUntil
}

// lifetime is how long the entry is worth keeping, by no clock that can be set.
func (e *entry) lifetime() time.Duration { return time.Duration(e.staleUntil - e.madeAt) }

func (e *entry) result() (*Decision, error) { return e.decision, e.refusal }
