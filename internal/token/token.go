// Package token issues and verifies the gateway's JSON Web Tokens and holds the
// keys they are signed with.
//
// There are two kinds, and neither is ever accepted as the other: they differ
// in key, algorithm and "typ" (RFC 8725, sections 3.11 and 3.12).
//
//	              session token     permission token
//	stands for    one session       what one user may do in one service
//	read by       the gateway only  the gateway and the service
//	algorithm     HS256             RS256
//	typ           session+jwt       JWT
//	claims        iss userid sid    iss userid sid service permissions
//	              iat exp           [use] jti iat exp
//
// A permission token has no "aud" and no "nbf", because verifiers in the field
// refuse the first and, with a slow clock, the second.
//
// Signatures are made and checked by jwx; what a token may look like is decided
// here, before jwx sees it, and more strictly than the RFCs ask.
package token

import (
	"errors"
	"fmt"
	"time"
)

// Every error of a verification wraps exactly one of ErrInvalid and ErrExpired.
// The messages say what is wrong and hold nothing of the token.
var (
	// ErrInvalid says that the token is not one of ours, or has been changed.
	ErrInvalid = errors.New("invalid token")
	// ErrExpired says that the token is one of ours and its time is over. All
	// else about it has been found right.
	ErrExpired = errors.New("expired token")
)

// ErrUnsignable is wrapped by the errors of SignPermission and SignSession that
// are about what was to be signed: a claim missing or of a form that no verifier
// would accept, or a token of more than 8 KiB. Other errors are about the key.
var ErrUnsignable = errors.New("claims cannot be made a token")

const (
	// maxToken is the size of the longest token that is read or issued, in bytes.
	maxToken = 8 << 10
	// maxDepth is how many objects and arrays a payload may nest, itself included.
	maxDepth = 32
	// maxName is the length of the longest user ID, session ID, token ID and key
	// ID, in bytes.
	maxName = 128
	// leeway is by how much "iat" and "nbf" may lie ahead of our clock (S5). It
	// does not apply to "exp": our own clock set it.
	leeway = 60 * time.Second
)

// Kind says which verifier a token is meant for.
type Kind int

const (
	// KindUnknown is a token of no kind of ours.
	KindUnknown Kind = iota
	// KindSession is a token for VerifySession.
	KindSession
	// KindPermission is a token for VerifyPermission.
	KindPermission
)

// String returns "session", "permission" or "unknown".
func (k Kind) String() string {
	switch k {
	case KindSession:
		return "session"
	case KindPermission:
		return "permission"
	default:
		return "unknown"
	}
}

// Permission is what a permission token says.
type Permission struct {
	// ID is the token's own name, "jti"; at most 128 bytes. SignPermission makes
	// a random one of 128 bits if it is empty.
	ID string
	// UserID is the user, "userid"; 1 to 128 bytes.
	UserID string
	// SessionID is the session that the token was derived from and ends with,
	// "sid"; at most 128 bytes, "" if there is none.
	SessionID string
	// Service is the service whose routes it opens (S6), compared byte for byte.
	// The empty string is a name like any other, and no service's.
	Service string
	// Permissions is what the user may do in the service. Values are as
	// encoding/json decodes them, so a number is a float64. VerifyPermission
	// never returns nil.
	Permissions map[string]any
	// Use is "" for a token that a client may show at a gate and "upstream" for
	// one that the gateway forwards to a service. Verification accepts any: the
	// caller refuses what it does not want.
	Use string
	// IssuedAt and ExpiresAt are kept to the second. SignPermission sets a zero
	// IssuedAt to 30 seconds ago, since PyJWT 2 refuses an "iat" that is ahead of
	// its clock, and wants ExpiresAt.
	IssuedAt, ExpiresAt time.Time
}

// Session is what a session token says.
type Session struct {
	// UserID is the user, "userid"; 1 to 128 bytes.
	UserID string
	// SessionID is the session, "sid"; 1 to 128 bytes.
	SessionID string
	// IssuedAt and ExpiresAt are kept to the second. SignSession sets a zero
	// IssuedAt to now and wants ExpiresAt.
	IssuedAt, ExpiresAt time.Time
}

// invalid returns an ErrInvalid. The reason is a constant of this package, never
// a piece of the token.
func invalid(reason string) error {
	return fmt.Errorf("%w: %s", ErrInvalid, reason)
}
