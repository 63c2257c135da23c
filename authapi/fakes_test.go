package authapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/datahq/auth-gateway/internal/authn"
	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/internal/wire"
	"github.com/datahq/auth-gateway/providers"
)

const (
	origin     = "https://app.example.com"
	cookieName = "__Host-auth_session"
	adasCookie = "cookie-of-ada"
	adasToken  = "token-of-ada"
)

func ada() providers.User {
	return providers.User{
		ID: "u1", ProviderID: "google:1234", Username: "ada", Name: "Ada Lovelace", Email: "ada@example.org",
		AvatarURL: "https://img.example.org/ada", JoinDate: time.Date(2017, 7, 24, 12, 17, 50, 123456000, time.UTC),
	}
}

func adasSession() providers.Session {
	return providers.Session{ID: "s1", UserID: "u1", Provider: "google", ExpiresAt: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)}
}

// fakeAuthz knows credentials and permissions.
type fakeAuthz struct {
	users       map[authz.Credential]providers.User
	errors      map[authz.Credential]error
	permissions map[string]providers.Permissions
	// down makes everything fail; downFor the named service only.
	down, mintDown error
	downFor        map[string]error
	// permissionToken is a permission token for the service "storage".
	permissionToken string
}

func newFakeAuthz() *fakeAuthz {
	return &fakeAuthz{
		users: map[authz.Credential]providers.User{authz.Cookie(adasCookie): ada(), authz.Token(adasToken): ada()},
		errors: map[authz.Credential]error{
			authz.Cookie("ended"): authz.ErrEnded, authz.Token("ended"): authz.ErrEnded,
			authz.Cookie("disabled"): authz.ErrDisabled, authz.Token("disabled"): authz.ErrDisabled,
		},
		permissions:     map[string]providers.Permissions{"storage": {"read": true, "max_public_storage_mb": float64(50)}},
		permissionToken: "permission-token",
	}
}

func (f *fakeAuthz) Decide(_ context.Context, c authz.Credential, service string) (*authz.Decision, error) {
	if c.Kind == authz.APICredential { // the same, here
		c.Kind = authz.TokenCredential
	}
	if f.down != nil {
		return nil, f.down
	}
	if err := f.downFor[service]; err != nil {
		return nil, err
	}
	if c == authz.Token(f.permissionToken) && service == "storage" {
		return &authz.Decision{User: ada(), Session: adasSession(), Service: service, Permissions: f.permissions[service]}, nil
	}
	if err := f.errors[c]; err != nil {
		return nil, err
	}
	u, known := f.users[c]
	if !known {
		return nil, authz.ErrInvalid
	}
	return &authz.Decision{User: u, Session: adasSession(), Service: service, Permissions: f.permissions[service]}, nil
}

func (f *fakeAuthz) Mint(d *authz.Decision) (string, error) {
	return "minted." + d.User.ID + "." + d.Service, f.mintDown
}

// fakeAuthn answers as it is told and notes what it is asked.
type fakeAuthn struct {
	begun     []authn.Request
	begunWith []string
	beginErr  error

	completed  []string // pathProvider
	query      url.Values
	binding    string
	result     authn.Result
	completErr error

	tokenErr error
	ended    []string
	endErr   error

	alive    map[string]bool // by session ID
	aliveErr error
}

func (f *fakeAuthn) Begin(_ context.Context, provider string, request authn.Request) (authn.Start, error) {
	f.begun = append(f.begun, request)
	f.begunWith = append(f.begunWith, provider)
	return authn.Start{
		Location: "https://idp.example.net/authorize?state=STATE-12345", State: "STATE-12345", Binding: "BINDING",
		ExpiresAt: time.Now().Add(10 * time.Minute),
	}, f.beginErr
}

func (f *fakeAuthn) Complete(_ context.Context, pathProvider string, query url.Values, binding func(string) string) (authn.Result, error) {
	f.completed = append(f.completed, pathProvider)
	f.query, f.binding = query, binding(query.Get("state"))
	return f.result, f.completErr
}

func (f *fakeAuthn) SessionToken(session providers.Session) (string, error) {
	return "session-token-" + session.ID, f.tokenErr
}

func (f *fakeAuthn) EndAll(_ context.Context, user providers.User) error {
	f.ended = append(f.ended, user.ID+"/*")
	return f.endErr
}

func (f *fakeAuthn) EndByCookie(_ context.Context, cookie string, everywhere bool) error {
	return f.endBy("cookie "+cookie, everywhere)
}

func (f *fakeAuthn) EndByID(_ context.Context, id string, everywhere bool) error {
	return f.endBy("session "+id, everywhere)
}

func (f *fakeAuthn) endBy(what string, everywhere bool) error {
	if everywhere {
		what += " and all"
	}
	f.ended = append(f.ended, what)
	return f.endErr
}

func (f *fakeAuthn) Alive(_ context.Context, id string) (bool, error) {
	return f.alive[id], f.aliveErr
}

func (f *fakeAuthn) End(_ context.Context, user providers.User, session providers.Session) error {
	f.ended = append(f.ended, user.ID+"/"+session.ID)
	return f.endErr
}

type fakeKeys struct{ pem, jwks string }

func (f fakeKeys) PublicKeyPEM() []byte { return []byte(f.pem) }
func (f fakeKeys) JWKS() []byte         { return []byte(f.jwks) }

// house is an API on fakes.
type house struct {
	*API
	authn *fakeAuthn
	authz *fakeAuthz
	users *fakeUsers
	logs  *observer.ObservedLogs
}

// build makes an API at https://app.example.com/auth with Google and GitHub.
func build(t *testing.T, change ...func(*Config)) *house {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	h := &house{authn: &fakeAuthn{}, authz: newFakeAuthz(), users: newFakeUsers(), logs: logs}
	h.authn.result = authn.Result{User: ada(), Session: adasSession(), Cookie: "fresh-cookie", Next: origin + "/reports"}
	c := Config{
		Site: site(t, origin), Authn: h.authn, Authz: h.authz, Users: h.users,
		UsernameTaken: is(errTaken), UsernameChosen: is(errChosen), UsernameInvalid: is(errInvalid),
		UserChanged: func(id string) { h.users.changed = append(h.users.changed, id) },
		Keys:        fakeKeys{"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", `{"keys":[]}`},
		Logins:      []Login{{Name: "google"}, {Name: "github"}},
		Logger:      zap.New(core),
		RequestID:   func(*http.Request) string { return "req-1" },
	}
	for _, f := range change {
		f(&c)
	}
	if c.Next == nil {
		next, err := wire.NewNextPolicy(c.Site, true, "https://frontend.example.com", "https://shared.example.com/app")
		if err != nil {
			t.Fatal(err)
		}
		c.Next = next
	}
	api, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	h.API = api
	return h
}

func site(t *testing.T, address string) *wire.Site {
	t.Helper()
	s, err := wire.NewSite(address, "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func oneLogin(c *Config) { c.Logins = []Login{{Name: "google"}} }

// request makes one; headers are "Name: value".
func request(method, path string, headers ...string) *http.Request {
	if strings.HasPrefix(path, "/") {
		path = origin + path
	}
	r := httptest.NewRequest(method, path, nil)
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	return r
}

func withForm(r *http.Request, form string) *http.Request {
	body := httptest.NewRequest(r.Method, r.URL.String(), strings.NewReader(form))
	body.Header = r.Header
	body.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return body
}

// browser is on its way to a page; it carries no cookie.
var browser = []string{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Sec-Fetch-Site: same-origin", "Accept: text/html"}

func browse(path string, headers ...string) *http.Request {
	return request(http.MethodGet, path, append(append([]string{}, browser...), headers...)...)
}

const adasCookieLine = "Cookie: " + cookieName + "=" + adasCookie

func (h *house) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func (h *house) get(path string, headers ...string) *httptest.ResponseRecorder {
	return h.do(request(http.MethodGet, path, headers...))
}

// want checks status and, unless it is "", the Location.
func want(t *testing.T, w *httptest.ResponseRecorder, status int, location string) {
	t.Helper()
	if w.Code != status || location != "" && w.Header().Get("Location") != location {
		t.Errorf("got %d to %q, want %d to %q; body %.300s", w.Code, w.Header().Get("Location"), status, location, w.Body)
	}
}

// wantBody checks that the body has each text, or lacks it if it begins with
// "!".
func wantBody(t *testing.T, w *httptest.ResponseRecorder, texts ...string) {
	t.Helper()
	for _, text := range texts {
		rest, lacks := strings.CutPrefix(text, "!")
		if strings.Contains(w.Body.String(), rest) == lacks {
			t.Errorf("body has %q: %v; body:\n%s", rest, lacks, w.Body)
		}
	}
}

// cookies are the Set-Cookie headers by name.
func cookies(w *httptest.ResponseRecorder) map[string]*http.Cookie {
	found := make(map[string]*http.Cookie)
	for _, c := range w.Result().Cookies() {
		found[c.Name] = c
	}
	return found
}

func siteAt(t *testing.T, path string) *wire.Site {
	t.Helper()
	s, err := wire.NewSite(origin, path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
