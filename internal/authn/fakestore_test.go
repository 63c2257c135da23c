package authn

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/datahq/auth-gateway/providers"
)

var errTaken = errors.New("the address is taken")

// fakeStore is a Store in memory.
type fakeStore struct {
	mu       sync.Mutex
	users    map[string]providers.User // by issuer and subject
	byEmail  map[string]string         // e-mail to user ID
	sessions map[string]providers.Session
	hashes   map[string]string // session ID to cookie hash
	attempts map[string]*fakeAttempt
	links    []bool           // the link argument of each FindOrCreateUser
	found    []string         // what each FindOrCreateUser was given as provider
	ids      []string         // and as the new user's ID
	legacies []string         // and as what the original called the provider
	fails    map[string]error // by method
	forgets  bool             // used attempts lose their value
	places   []Place          // for attempts; the first letter of a key in attempts
	broken   map[Place]bool   // those that keep attempts, and say that they do not
	steps    *steps
}

type fakeAttempt struct {
	value   []byte
	expires time.Time
	taken   bool
}

// steps notes what happened in which order.
type steps struct {
	mu   sync.Mutex
	list []string
}

func (s *steps) add(step string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, step)
}

func (s *steps) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.list...)
}

func newFakeStore() *fakeStore {
	return &fakeStore{
		users: map[string]providers.User{}, byEmail: map[string]string{},
		sessions: map[string]providers.Session{}, hashes: map[string]string{},
		attempts: map[string]*fakeAttempt{}, fails: map[string]error{}, steps: &steps{},
		places: []Place{'p'}, broken: map[Place]bool{},
	}
}

func (f *fakeStore) FindOrCreateUser(_ context.Context, provider string, id providers.Identity, newUserID string, link bool, legacy string) (providers.User, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.fails["FindOrCreateUser"]; err != nil {
		return providers.User{}, false, err
	}
	f.links, f.found, f.ids, f.legacies = append(f.links, link), append(f.found, provider), append(f.ids, newUserID), append(f.legacies, legacy)
	key := id.Issuer + " " + id.Subject
	if user, ok := f.users[key]; ok {
		return user, false, nil
	}
	if _, taken := f.byEmail[id.Email]; taken && link {
		return providers.User{}, false, errTaken
	}
	user := providers.User{ID: newUserID, Name: id.Name, Email: id.Email, Username: id.Username, AvatarURL: id.AvatarURL}
	f.users[key] = user
	f.byEmail[id.Email] = user.ID
	return user, true, nil
}

func (f *fakeStore) CreateSession(_ context.Context, session providers.Session, cookieHash []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.fails["CreateSession"]; err != nil {
		return err
	}
	f.sessions[session.ID] = session
	f.hashes[session.ID] = string(cookieHash)
	return nil
}

func (f *fakeStore) SessionByCookie(ctx context.Context, cookieHash []byte) (providers.Session, providers.User, error) {
	f.mu.Lock()
	id := ""
	for session, hash := range f.hashes {
		if hash == string(cookieHash) {
			id = session
		}
	}
	f.mu.Unlock()
	return f.SessionByID(ctx, id)
}

func (f *fakeStore) SessionByID(_ context.Context, id string) (providers.Session, providers.User, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.fails["SessionByID"]; err != nil {
		return providers.Session{}, providers.User{}, err
	}
	session, ok := f.sessions[id]
	if !ok {
		return providers.Session{}, providers.User{}, providers.ErrNotFound
	}
	for _, user := range f.users {
		if user.ID == session.UserID {
			return session, user, nil
		}
	}
	return session, providers.User{ID: session.UserID}, nil
}

func (f *fakeStore) EndSession(_ context.Context, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.fails["EndSession"]; err != nil {
		return err
	}
	f.steps.add("row " + id)
	if _, ok := f.sessions[id]; !ok {
		return providers.ErrNotFound
	}
	delete(f.sessions, id)
	return nil
}

func (f *fakeStore) EndUserSessions(_ context.Context, userID string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.fails["EndUserSessions"]; err != nil {
		return nil, err
	}
	var ids []string
	for id, session := range f.sessions {
		if session.UserID == userID {
			ids = append(ids, id)
			f.steps.add("row " + id)
			delete(f.sessions, id)
		}
	}
	return ids, nil
}

func (f *fakeStore) AttemptPlaces() []Place { return f.places }

func (f *fakeStore) PutAttempt(_ context.Context, place Place, key, value []byte, expires time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.fails["PutAttempt"]; err != nil {
		return err
	}
	f.attempts[string(place)+string(key)] = &fakeAttempt{value: value, expires: expires}
	if f.broken[place] {
		return errors.New("no answer in time")
	}
	return nil
}

func (f *fakeStore) TakeAttempt(_ context.Context, place Place, key []byte) ([]byte, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.fails["TakeAttempt"]; err != nil {
		return nil, false, err
	}
	f.steps.add("take")
	a, ok := f.attempts[string(place)+string(key)]
	if !ok {
		return nil, false, providers.ErrNotFound
	}
	first := !a.taken
	a.taken = true
	if !first && f.forgets {
		return nil, false, nil
	}
	return a.value, first, nil
}

// attemptOf is what is stored for a state, where it says; nil if there is none.
func (f *fakeStore) attemptOf(state string) *fakeAttempt {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.attempts[state[:1]+string(hash(state))]
}

func (f *fakeStore) sessionCount() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.sessions)
}
