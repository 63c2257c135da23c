package authn

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/datahq/auth-gateway/internal/token"
	"github.com/datahq/auth-gateway/providers"
)

const testCallbackURL = "https://app.example.com/auth/oauth_callback"

// fakeProvider is an identity provider that says what it is told to say.
type fakeProvider struct {
	mu          sync.Mutex
	identity    providers.Identity
	private     []byte
	location    string // "" makes one
	loginErr    error
	callbackErr error
	panics      any
	calls       []fakeCall
	begun       []string // redirect URIs
	states      []string
}

type fakeCall struct {
	redirectURI string
	private     string
	query       url.Values
}

func (p *fakeProvider) LoginURL(_ context.Context, redirectURI, state string) (string, []byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begun, p.states = append(p.begun, redirectURI), append(p.states, state)
	if p.panics != nil {
		panic(p.panics)
	}
	location := p.location
	if location == "" {
		location = "https://idp.example/authorize?" + url.Values{"redirect_uri": {redirectURI}, "state": {state}}.Encode()
	}
	return location, p.private, p.loginErr
}

func (p *fakeProvider) HandleCallback(_ context.Context, redirectURI string, private []byte, query url.Values) (providers.Identity, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, fakeCall{redirectURI, string(private), query})
	if p.panics != nil {
		panic(p.panics)
	}
	return p.identity, p.callbackErr
}

func (p *fakeProvider) callCount() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.calls)
}

// issuerProvider also says whether it sends its issuer.
type issuerProvider struct {
	*fakeProvider
	sends    bool
	sendsErr error
}

func (p *issuerProvider) SendsIssuer(context.Context) (bool, error) { return p.sends, p.sendsErr }

// separateProvider also says whether its accounts stay apart.
type separateProvider struct {
	*fakeProvider
	separate bool
}

func (p *separateProvider) SeparateAccounts() bool { return p.separate }

// legacyProvider is one that the original had, too.
type legacyProvider struct {
	separateProvider
	name string
}

func (p *legacyProvider) LegacyProviderName() string { return p.name }

// fakeSigner notes what it signs.
type fakeSigner struct {
	signed []token.Session
	err    error
}

func (s *fakeSigner) SignSession(session token.Session) (string, error) {
	s.signed = append(s.signed, session)
	return "token-of-" + session.SessionID, s.err
}

// fakeClock stands still until it is moved.
type fakeClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// fixture is a Service with fakes around it and two identity providers: one
// that sends its issuer (google) and one that does not (github).
type fixture struct {
	*Service
	store  *fakeStore
	google *fakeProvider
	github *fakeProvider
	signer *fakeSigner
	clock  *fakeClock
	logs   *observer.ObservedLogs
	steps  *steps
}

func ada() providers.Identity {
	return providers.Identity{
		Issuer: "https://idp.example", Subject: "1815", SessionID: "idp-sid",
		Email: "ada@example.com", EmailVerified: true,
		Name: "Ada Lovelace", Username: "ada", AvatarURL: "https://idp.example/ada.png",
	}
}

func newFixture(t *testing.T, changes ...func(*Config)) *fixture {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	store := newFakeStore()
	f := &fixture{
		store:  store,
		google: &fakeProvider{identity: ada(), private: []byte(`{"verifier":"pkce-verifier-of-google"}`)},
		github: &fakeProvider{identity: ada(), private: []byte(`{"verifier":"pkce-verifier-of-github"}`)},
		signer: &fakeSigner{},
		clock:  &fakeClock{now: time.Date(2026, 11, 23, 12, 0, 0, 5e8, time.UTC)},
		logs:   logs,
		steps:  store.steps,
	}
	config := Config{
		Store: store, Tokens: f.signer,
		Logins: []Login{
			{Name: "google", Provider: &issuerProvider{fakeProvider: f.google, sends: true}},
			{Name: "github", Provider: f.github},
		},
		CallbackURL:     testCallbackURL,
		IsAccountExists: func(err error) bool { return errors.Is(err, errTaken) },
		SessionEnded:    func(sessionID, userID string) { f.steps.add("ended " + sessionID + " of " + userID) },
		Logger:          zap.New(core),
		Now:             f.clock.Now,
	}
	for _, change := range changes {
		change(&config)
	}
	f.Service = New(config)
	return f
}

// begin starts a sign-in that must start.
func (f *fixture) begin(t *testing.T, provider string) Start {
	t.Helper()
	start, err := f.Begin(t.Context(), provider, Request{Next: "/after?x=1", DeliverToken: true})
	if err != nil {
		t.Fatalf("Begin(%q): %v", provider, err)
	}
	return start
}

// cookie is a browser that has exactly the cookie of start.
func cookie(start Start) func(string) string {
	return func(state string) string {
		if state == start.State {
			return start.Binding
		}
		return ""
	}
}

func answer(start Start) url.Values {
	return url.Values{"state": {start.State}, "code": {"the-code-7f3a"}}
}

// signIn is a whole sign-in that must succeed.
func (f *fixture) signIn(t *testing.T, provider string) Result {
	t.Helper()
	start := f.begin(t, provider)
	result, err := f.Complete(t.Context(), "", answer(start), cookie(start))
	if err != nil {
		t.Fatalf("Complete: %v", err)
	}
	return result
}

// wantCode checks that err is an *Error with that code and returns it.
func wantCode(t *testing.T, err error, code string) *Error {
	t.Helper()
	var failure *Error
	if !errors.As(err, &failure) {
		t.Fatalf("error is %T (%v), want *Error with code %s", err, err, code)
	}
	if failure.Code != code {
		t.Fatalf("code is %s (%v), want %s", failure.Code, err, code)
	}
	return failure
}
