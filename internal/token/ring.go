package token

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/lestrrat-go/jwx/v2/jwa"
)

// backdate is how far back a permission token's "iat" lies by default.
const backdate = 30 * time.Second

// Ring is the gateway's keys: one signs session tokens, one signs permission
// tokens, and several of each kind verify. Set exchanges them while the ring is
// in use. It may be used by many goroutines at once, and no use takes a lock.
type Ring struct {
	issuer  string
	content atomic.Pointer[content]
}

// NewRing returns a ring. issuer is the "iss" of all its tokens and must not be
// empty. active signs permission tokens. retired are further keys whose tokens
// are accepted and whose public halves are published: those that have signed
// until lately, and those that soon will. One that occurs again is ignored.
//
// NewRing panics if issuer is empty or session or active is nil: that is a
// mistake of the program, and such a ring could only be used to accept what it
// should not.
func NewRing(issuer string, session *SessionKey, active *SigningKey, retired ...*SigningKey) *Ring {
	keys := Keys{Session: session, Signing: active}
	for _, key := range retired {
		keys.OtherSigning = append(keys.OtherSigning, key.public)
	}
	return NewRingOf(issuer, keys)
}

// NewRingOf is NewRing for all that a ring may hold.
func NewRingOf(issuer string, keys Keys) *Ring {
	r := &Ring{issuer: issuer}
	r.content.Store(newContent(issuer, keys))
	return r
}

// Set exchanges all keys at once (S43). Calls that are under way end with the
// keys that they began with. Tokens of a key that is no longer there are refused
// from then on; whoever remembers having accepted one has to forget it. It
// panics where NewRing does.
func (r *Ring) Set(keys Keys) { r.content.Store(newContent(r.issuer, keys)) }

// Keys returns what the ring holds now. Its lists must not be changed.
func (r *Ring) Keys() Keys { return r.content.Load().keys }

// Until is when the published keys will change; zero if that is not known.
func (r *Ring) Until() time.Time { return r.content.Load().keys.Until }

// SignPermission returns a permission token of the active key. The error wraps
// ErrUnsignable if a claim is missing or has a form that would not be accepted:
// not UTF-8, too long, nested too deeply, or too much for a token of 8 KiB.
func (r *Ring) SignPermission(p Permission) (string, error) {
	if p.ID == "" {
		p.ID = newID()
	}
	if p.IssuedAt.IsZero() {
		p.IssuedAt = time.Now().Add(-backdate)
	}
	if p.Permissions == nil {
		p.Permissions = map[string]any{}
	}
	payload, err := encode(struct {
		Issuer      string         `json:"iss"`
		UserID      string         `json:"userid"`
		SessionID   string         `json:"sid"`
		Service     string         `json:"service"`
		Permissions map[string]any `json:"permissions"`
		Use         string         `json:"use,omitempty"`
		ID          string         `json:"jti"`
		IssuedAt    int64          `json:"iat"`
		ExpiresAt   int64          `json:"exp"`
	}{r.issuer, p.UserID, p.SessionID, p.Service, p.Permissions, p.Use, p.ID, p.IssuedAt.Unix(), p.ExpiresAt.Unix()},
		p.UserID, p.SessionID, p.Service, p.Use, p.ID)
	if err != nil {
		return "", err
	}
	if err := recheck(payload, p.ExpiresAt, func(c claims) error {
		_, _, err := c.permission(r.issuer)
		return err
	}); err != nil {
		return "", err
	}
	active := r.content.Load().active
	return sign(active.public.head, payload, jwa.RS256, active.private)
}

// VerifyPermission verifies a permission token at the time now, as
// Verifier.Permission does. A token without "kid" is tried with the active key
// only.
func (r *Ring) VerifyPermission(raw string, now time.Time) (Permission, error) {
	return r.content.Load().permissions.Permission(raw, now)
}

// SignSession returns a session token. The error wraps ErrUnsignable if a claim
// is missing or has a form that would not be accepted.
func (r *Ring) SignSession(s Session) (string, error) {
	if s.IssuedAt.IsZero() {
		s.IssuedAt = time.Now()
	}
	payload, err := encode(struct {
		Issuer    string `json:"iss"`
		UserID    string `json:"userid"`
		SessionID string `json:"sid"`
		IssuedAt  int64  `json:"iat"`
		ExpiresAt int64  `json:"exp"`
	}{r.issuer, s.UserID, s.SessionID, s.IssuedAt.Unix(), s.ExpiresAt.Unix()},
		s.UserID, s.SessionID)
	if err != nil {
		return "", err
	}
	if err := recheck(payload, s.ExpiresAt, func(c claims) error {
		_, _, err := c.session(r.issuer)
		return err
	}); err != nil {
		return "", err
	}
	session := r.content.Load().session
	return sign(session.head, payload, jwa.HS256, session.secret)
}

// VerifySession verifies a session token at the time now. A token without "kid"
// is tried with the active key only (S2). The error wraps ErrInvalid or
// ErrExpired. Whether the session has been ended is not in the token.
func (r *Ring) VerifySession(raw string, now time.Time) (Session, error) {
	c, err := parseCompact(raw)
	if err != nil {
		return Session{}, err
	}
	if err := c.header.check(jwa.HS256.String(), typSession); err != nil {
		return Session{}, err
	}
	keys := r.content.Load()
	key := keys.session
	if c.header.hasKid {
		key = keys.sessions[c.header.kid]
	}
	if key == nil {
		return Session{}, invalid("header: unknown kid")
	}
	if err := c.verify(jwa.HS256, key.secret); err != nil {
		return Session{}, err
	}
	s, t, err := c.claims.session(r.issuer)
	if err != nil {
		return Session{}, err
	}
	if err := t.check(now); err != nil {
		return Session{}, err
	}
	return s, nil
}

// PublicKeyPEM returns the PEM text of the active key, for the public-key
// endpoint.
func (r *Ring) PublicKeyPEM() []byte { return r.content.Load().active.PublicPEM() }

// JWKS returns the public halves of all permission keys, the active one first,
// as application/jwk-set+json (RFC 7517, section 5). It must not be changed.
func (r *Ring) JWKS() []byte { return r.content.Load().jwks }

// Kind says which verifier a token is meant for, by its header alone and without
// proving anything. For tokens of the ring's own it compares a prefix; others
// have their header read. A token without "typ" is called a permission token,
// and VerifyPermission will refuse it.
func (r *Ring) Kind(raw string) Kind {
	if len(raw) > maxToken {
		return KindUnknown
	}
	if kind := r.content.Load().own(raw); kind != KindUnknown {
		return kind
	}
	first, _, _, ok := split(raw)
	if !ok {
		return KindUnknown
	}
	h, err := parseHeader(first)
	switch {
	case err != nil:
		return KindUnknown
	case h.typ == typSession:
		return KindSession
	case h.typ == typPermission || !h.hasTyp:
		return KindPermission
	default:
		return KindUnknown
	}
}

// newID returns 128 random bits as base64url, 22 characters.
func newID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails: the program ends instead
	return base64.RawURLEncoding.EncodeToString(id[:])
}

// encode returns the payload as JSON. texts are the strings in it that must not
// be changed by the encoding, as broken UTF-8 would be: the token would then
// name something else than was asked for.
func encode(payload any, texts ...string) ([]byte, error) {
	for _, text := range texts {
		if !utf8.ValidString(text) {
			return nil, fmt.Errorf("%w: %w", ErrUnsignable, errUTF8)
		}
	}
	data, err := json.Marshal(payload)
	if err != nil {
		// The reason might quote the claims.
		return nil, fmt.Errorf("%w: not all of it can be written as JSON", ErrUnsignable)
	}
	return data, nil
}

// recheck reads a payload as a verifier will, so that nothing is signed that
// would not be accepted.
func recheck(payload []byte, expiresAt time.Time, read func(claims) error) error {
	if expiresAt.IsZero() {
		return fmt.Errorf("%w: no time of expiry", ErrUnsignable)
	}
	members, err := parseObject(payload, maxDepth)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnsignable, err)
	}
	if err := read(members); err != nil {
		return fmt.Errorf("%w: %s", ErrUnsignable, strings.TrimPrefix(err.Error(), ErrInvalid.Error()+": "))
	}
	return nil
}
