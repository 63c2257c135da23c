package authz

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/datahq/auth-gateway/internal/token"
	"github.com/datahq/auth-gateway/providers"
)

const (
	issuer = "https://app.example.com"
	day    = 24 * time.Hour
)

// world is an Authorizer on fakes: the users ada, who may read storage, and bob,
// who may nothing, with the sessions s-ada and s-bob of 14 days.
type world struct {
	*Authorizer
	t        testing.TB
	store    *fakeStore
	provider *fakeProvider
	ring     *countingRing
	memory   *Cache
	logs     *observer.ObservedLogs
	// offset is by how much the clock is wrong.
	offset *atomic.Int64
	// label goes before what the checks say.
	label string
}

type keys struct {
	signing *token.SigningKey
	session *token.SessionKey
}

func newKeys() (keys, error) {
	signing, err := token.GenerateSigningKey()
	if err != nil {
		return keys{}, err
	}
	session, err := token.GenerateSessionKey()
	return keys{signing, session}, err
}

var ourKeys, otherKeys = sync.OnceValues(newKeys), sync.OnceValues(newKeys)

func ringOf(t testing.TB, issuer string, find func() (keys, error)) *token.Ring {
	t.Helper()
	k, err := find()
	if err != nil {
		t.Fatal(err)
	}
	return token.NewRing(issuer, k.session, k.signing)
}

// run runs a test in which time passes only while everybody waits.
func run(t *testing.T, test func(t *testing.T, w *world), change ...func(*Config)) {
	t.Helper()
	ringOf(t, issuer, ourKeys)
	ringOf(t, issuer, otherKeys)
	synctest.Test(t, func(t *testing.T) { test(t, build(t, change...)) })
}

func build(t testing.TB, change ...func(*Config)) *world {
	t.Helper()
	memory, err := NewCache(10_000)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(memory.Close)
	w := &world{
		t: t, store: newFakeStore(), provider: newFakeProvider(), memory: memory, offset: new(atomic.Int64),
		ring: &countingRing{Ring: ringOf(t, issuer, ourKeys)},
	}
	for _, name := range []string{"ada", "bob"} {
		w.signIn(name, "s-"+name)
	}
	w.provider.grant("ada", "storage", providers.Permissions{"read": true})
	return w.again(change...)
}

// again makes another Authorizer of the same world, as a reload does.
func (w *world) again(change ...func(*Config)) *world {
	core, logs := observer.New(zap.DebugLevel)
	c := Config{
		Store: w.store, Tokens: w.ring, Fingerprint: "keys", Logger: zap.New(core),
		Services: []Service{{Name: "storage", Provider: w.provider}, {Name: "Storage", Provider: w.provider}, {Name: "billing", Provider: w.provider}},
		Now:      func() time.Time { return time.Now().Add(time.Duration(w.offset.Load())) },
	}
	for _, f := range change {
		f(&c)
	}
	other := *w
	other.Authorizer, other.logs = New(c, w.memory), logs
	return &other
}

// signIn opens a session of 14 days for a user who is made if need be.
func (w *world) signIn(name, session string) {
	now := time.Now()
	w.store.add(
		providers.User{ID: name, Username: name, Name: name + " the user", Email: name + "@example.org"},
		providers.Session{ID: session, UserID: name, Provider: "google", CreatedAt: now, LastSeenAt: now, ExpiresAt: now.Add(14 * day)},
	)
}

// endsIn makes s-<name> a session that has lasted nearly as long as it may.
func (w *world) endsIn(name string, rest time.Duration) {
	w.store.change(func() {
		session := w.store.sessions["s-"+name]
		session.ExpiresAt = time.Now().Add(rest)
		w.store.sessions[session.ID] = session
	})
	w.SessionEnded("s-" + name)
}

// sessionToken is what a sign-in of a user's session s-<name> gave.
func (w *world) sessionToken(name string, change ...func(*token.Session)) Credential {
	s := token.Session{UserID: name, SessionID: "s-" + name, ExpiresAt: time.Now().Add(14 * day)}
	for _, f := range change {
		f(&s)
	}
	raw, err := w.ring.SignSession(s)
	if err != nil {
		w.t.Fatal(err)
	}
	return Token(raw)
}

// permissionToken is one of 12 hours for storage that claims {"read": "claimed"}.
func (w *world) permissionToken(name string, change ...func(*token.Permission)) Credential {
	p := token.Permission{
		UserID: name, SessionID: "s-" + name, Service: "storage",
		Permissions: map[string]any{"read": "claimed"}, ExpiresAt: time.Now().Add(12 * time.Hour),
	}
	for _, f := range change {
		f(&p)
	}
	raw, err := w.ring.Ring.SignPermission(p)
	if err != nil {
		w.t.Fatal(err)
	}
	return Token(raw)
}

// named labels what the checks say: inside a bubble there are no subtests.
func (w *world) named(label string) *world {
	other := *w
	other.label = label + ": "
	return &other
}

func (w *world) errorf(format string, args ...any) {
	w.t.Helper()
	w.t.Errorf(w.label+format, args...)
}

func (w *world) cookie(name string) Credential { return Cookie("cookie-of-s-" + name) }

// credentials are the three ways to show who one is.
func (w *world) credentials(name string) map[string]Credential {
	return map[string]Credential{
		"session token": w.sessionToken(name), "cookie": w.cookie(name), "permission token": w.permissionToken(name),
	}
}

// granted checks that a credential stands for a user, and returns the decision.
func (w *world) granted(c Credential, service, user string) *Decision {
	w.t.Helper()
	d, err := w.Decide(context.Background(), c, service)
	if err != nil {
		w.errorf("%s in %q: %v; want %s", short(c), service, err, user)
		return new(Decision)
	}
	if d.User.ID != user || d.Session.UserID != user || d.Service != service {
		w.errorf("%s in %q: user %q, session of %q, service %q; want %s", short(c), service, d.User.ID, d.Session.UserID, d.Service, user)
	}
	return d
}

// refused checks that a credential is refused, and for which reason. "Cannot
// tell" is providers.ErrUnavailable and none of the others.
func (w *world) refused(c Credential, service string, want error) {
	w.t.Helper()
	d, err := w.Decide(context.Background(), c, service)
	if d != nil {
		w.errorf("%s in %q: granted to %s; want %v", short(c), service, d.User.ID, want)
	}
	w.wraps(err, want)
}

// waits checks that a decision in storage takes so long, and its error; nil
// means that there is none.
func (w *world) waits(want time.Duration, c Credential, wantErr error) {
	w.t.Helper()
	began := time.Now()
	_, err := w.Decide(context.Background(), c, "storage")
	if took := time.Since(began); took != want {
		w.errorf("has waited %s, want %s", took, want)
	}
	w.wraps(err, wantErr)
}

// wraps checks that an error is exactly one of those that callers tell apart.
func (w *world) wraps(err, want error) {
	w.t.Helper()
	for _, known := range []error{ErrInvalid, ErrEnded, ErrDisabled, providers.ErrUnavailable} {
		if errors.Is(err, known) != (known == want) || err != nil && want == nil {
			w.errorf("error %v: is %q: %v; want %q alone", err, known, errors.Is(err, known), want)
		}
	}
}

// asks checks how many look-ups and how many questions to the provider there
// have been since the last call.
func (w *world) asks(what string, lookups, calls int64) {
	w.t.Helper()
	if got := w.store.lookups.Swap(0); got != lookups {
		w.errorf("%s: %d look-ups, want %d", what, got, lookups)
	}
	if got := w.provider.calls.Swap(0); got != calls {
		w.errorf("%s: %d questions to the provider, want %d", what, got, calls)
	}
}

// forget makes the counters of asks start anew.
func (w *world) forget() {
	w.store.lookups.Store(0)
	w.provider.calls.Store(0)
}

func short(c Credential) string {
	if c.Kind == CookieCredential {
		return "cookie"
	}
	return "token"
}

// answer is what a request in the background got.
type answer struct {
	decision *Decision
	err      error
}

// ask asks in the background, as often as said.
func (w *world) asking(ctx context.Context, times int, c Credential, service string) <-chan answer {
	answers := make(chan answer, times)
	for range times {
		go func() {
			d, err := w.Decide(ctx, c, service)
			answers <- answer{d, err}
		}()
	}
	return answers
}
