package authz

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/datahq/auth-gateway/internal/token"
	"github.com/datahq/auth-gateway/providers"
)

var errDown = errors.New("connection refused")

// fakeStore has sessions and users. A look-up sees the data of the moment in
// which it begins, and then does what it is told to.
type fakeStore struct {
	mu       sync.Mutex
	sessions map[string]providers.Session
	users    map[string]providers.User
	cookies  map[[32]byte]string
	// down is the error of look-ups, gate what they wait for.
	down error
	gate chan struct{}
	// touch is what TouchSession does first; nil means nothing.
	touch func(context.Context) error

	lookups, touches atomic.Int64
	// held is how many look-ups wait at the gate.
	held atomic.Int64
}

func newFakeStore() *fakeStore {
	return &fakeStore{
		sessions: make(map[string]providers.Session),
		users:    make(map[string]providers.User),
		cookies:  make(map[[32]byte]string),
	}
}

// add opens a session that a cookie of the same name leads to.
func (s *fakeStore) add(u providers.User, session providers.Session) {
	s.change(func() {
		s.users[u.ID] = u
		s.sessions[session.ID] = session
		s.cookies[sha256.Sum256([]byte("cookie-of-"+session.ID))] = session.ID
	})
}

func (s *fakeStore) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// end ends a session.
func (s *fakeStore) end(id string) { s.change(func() { delete(s.sessions, id) }) }

// edit changes a user.
func (s *fakeStore) edit(id string, f func(*providers.User)) {
	s.change(func() {
		u := s.users[id]
		f(&u)
		s.users[id] = u
	})
}

func (s *fakeStore) fail(err error) { s.change(func() { s.down = err }) }

// hold lets look-ups wait until release is called.
func (s *fakeStore) hold() (release func()) {
	gate := make(chan struct{})
	s.change(func() { s.gate = gate })
	return func() {
		s.change(func() { s.gate = nil })
		close(gate)
	}
}

func (s *fakeStore) SessionByID(ctx context.Context, id string) (providers.Session, providers.User, error) {
	return s.find(ctx, func() string { return id })
}

func (s *fakeStore) SessionByCookie(ctx context.Context, hash []byte) (providers.Session, providers.User, error) {
	return s.find(ctx, func() string { return s.cookies[[32]byte(hash)] })
}

func (s *fakeStore) find(ctx context.Context, id func() string) (providers.Session, providers.User, error) {
	s.lookups.Add(1)
	s.mu.Lock()
	session, found := s.sessions[id()]
	user, there := s.users[session.UserID]
	gate, down := s.gate, s.down
	s.mu.Unlock()
	if gate != nil {
		s.held.Add(1)
		defer s.held.Add(-1)
		select {
		case <-gate:
		case <-ctx.Done():
			return providers.Session{}, providers.User{}, ctx.Err()
		}
	}
	switch {
	case down != nil:
		return providers.Session{}, providers.User{}, down
	case !found || !there:
		return providers.Session{}, providers.User{}, providers.ErrNotFound
	}
	return session, user, nil
}

func (s *fakeStore) TouchSession(ctx context.Context, id string, seen time.Time) error {
	s.touches.Add(1)
	if s.touch != nil {
		if err := s.touch(ctx); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if session, found := s.sessions[id]; found && seen.After(session.LastSeenAt) {
		session.LastSeenAt = seen
		s.sessions[id] = session
	}
	return ctx.Err()
}

// fakeProvider grants what it is told, per user and service, and can say that
// its answers have changed.
type fakeProvider struct {
	mu      sync.Mutex
	granted map[string]providers.Permissions // by "user service"
	answer  func(context.Context, providers.User, string) (providers.Answer, error)
	// validFor goes with every answer.
	validFor time.Duration
	changed  func(userID string)

	calls atomic.Int64
}

func newFakeProvider() *fakeProvider {
	return &fakeProvider{granted: make(map[string]providers.Permissions)}
}

func (p *fakeProvider) grant(user, service string, permissions providers.Permissions) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.granted[user+" "+service] = permissions
}

// instead replaces the answers; nil brings them back.
func (p *fakeProvider) instead(answer func(context.Context, providers.User, string) (providers.Answer, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

// fail makes every answer an error; nil ends that.
func (p *fakeProvider) fail(err error) {
	if err == nil {
		p.instead(nil)
		return
	}
	p.instead(func(context.Context, providers.User, string) (providers.Answer, error) {
		return providers.Answer{}, err
	})
}

func (p *fakeProvider) Permissions(ctx context.Context, user providers.User, service string) (providers.Answer, error) {
	p.calls.Add(1)
	p.mu.Lock()
	answer, found := p.answer, providers.Answer{Permissions: p.granted[user.ID+" "+service], ValidFor: p.validFor}
	p.mu.Unlock()
	if answer != nil {
		return answer(ctx, user, service)
	}
	return found, nil
}

func (p *fakeProvider) OnChange(changed func(userID string)) { p.changed = changed }

// countingRing counts what costs.
type countingRing struct {
	*token.Ring
	verified, signed atomic.Int64
	signingDown      error
}

func (r *countingRing) VerifySession(raw string, now time.Time) (token.Session, error) {
	r.verified.Add(1)
	return r.Ring.VerifySession(raw, now)
}

func (r *countingRing) VerifyPermission(raw string, now time.Time) (token.Permission, error) {
	r.verified.Add(1)
	return r.Ring.VerifyPermission(raw, now)
}

func (r *countingRing) SignPermission(p token.Permission) (string, error) {
	r.signed.Add(1)
	if r.signingDown != nil {
		return "", r.signingDown
	}
	return r.Ring.SignPermission(p)
}
