package gate

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/internal/wire"
	"github.com/datahq/auth-gateway/providers"
)

var (
	ada = providers.User{ID: "u1", Username: "ada", Name: "Ada Lovelace", Email: "ada@example.com"}
	bob = providers.User{ID: "u2", Username: "bob"}
)

var errDatabase = errors.New("the database does not answer")

// fakeDecider knows the credentials of credentials below. A real one is
// authz.Authorizer.
type fakeDecider struct {
	mu    sync.Mutex
	asked []string // "t our-ada storage"
	// tokenErr is UpstreamToken's.
	tokenErr error
	// render is what authz.Config.Render would be; nil leaves rendering to the
	// gate.
	render func(*authz.Decision) any
}

// adaRights is what ada may do in storage; bob may do nothing.
var adaRights = providers.Permissions{"read": true, "write": true, "admin": false, "level": 7.0, "words": "true"}

func (f *fakeDecider) Decide(_ context.Context, c authz.Credential, service string) (*authz.Decision, error) {
	f.mu.Lock()
	f.asked = append(f.asked, strings.TrimSpace(string(c.Kind)+" "+c.Value+" "+service))
	f.mu.Unlock()
	d := &authz.Decision{Service: service}
	switch string(c.Kind) + " " + c.Value {
	case "t our-ada", "c ada":
		d.User, d.Session.ID = ada, "s1"
	case "c ada-elsewhere":
		d.User, d.Session.ID = ada, "s9"
	case "t our-bob", "c bob":
		d.User, d.Session.ID = bob, "s2"
	case "t our-ada-storage": // a permission token (ruling 8)
		if service != "storage" {
			return nil, authz.ErrInvalid
		}
		d.User, d.Session.ID = ada, "s1"
	case "t our-ended", "c ended":
		return nil, authz.ErrEnded
	case "t our-disabled", "c disabled":
		return nil, authz.ErrDisabled
	case "t our-down", "c down":
		return nil, errDatabase
	default:
		return nil, authz.ErrInvalid
	}
	if d.User.ID == ada.ID && service == "storage" {
		d.Permissions = adaRights
	}
	if f.render != nil {
		d.Rendered = f.render(d)
	}
	return d, nil
}

// upstreamToken is shared between requests, as authz shares it.
var upstreamToken = []string{"signed"}

func (f *fakeDecider) UpstreamToken(_ context.Context, d *authz.Decision) ([]string, error) {
	if f.tokenErr != nil {
		return nil, f.tokenErr
	}
	if d.Service == "" {
		return nil, errors.New("a permission token for no service")
	}
	return upstreamToken, nil
}

func testSite(t testing.TB) (*wire.Site, *wire.NextPolicy) {
	t.Helper()
	return siteAt(t, "https://app.example.com")
}

func siteAt(t testing.TB, address string) (*wire.Site, *wire.NextPolicy) {
	t.Helper()
	site, err := wire.NewSite(address, "")
	if err != nil {
		t.Fatal(err)
	}
	next, err := wire.NewNextPolicy(site, true, "https://frontend.example.com")
	if err != nil {
		t.Fatal(err)
	}
	return site, next
}

// house is a place for gates that share a configuration.
type house struct {
	t testing.TB
	Config
	decider *fakeDecider
}

func newHouse(t testing.TB) *house { return newHouseAt(t, "https://app.example.com") }

func newHouseAt(t testing.TB, address string) *house {
	t.Helper()
	h := &house{t: t, decider: &fakeDecider{render: Render}}
	h.Site, h.Next = siteAt(t, address)
	h.Decider = h.decider
	h.Ours = func(token string) bool { return strings.HasPrefix(token, "our-") }
	h.Page = func(w http.ResponseWriter, _ *http.Request, p wire.Problem) {
		p.Headers(w.Header())
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(p.Status)
		_, _ = w.Write([]byte("<p>" + p.Code + " " + p.LoginURL))
	}
	h.Reserved = new(Reserved)
	return h
}

func (h *house) gate(rule Rule) *Gate {
	h.t.Helper()
	g, err := New(h.Config, rule)
	if err != nil {
		h.t.Fatal(err)
	}
	return g
}

var (
	identify = Rule{Kind: Identify}
	login    = Rule{Kind: Login}
	readRule = Rule{Kind: Permission, Service: "storage", All: []string{"read"}}
)

// newRequest makes a request of a program to app.example.com; headers are
// "Name: value", and a name may come again.
func newRequest(method, target string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, http.NoBody)
	r.Host = "app.example.com"
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header[name] = append(r.Header[name], value) // as it is spelt
	}
	return r
}

const (
	asAda    = "Auth-Token: our-ada"
	asBob    = "Auth-Token: our-bob"
	adaToken = "Auth-Token: our-ada-storage"
	cookie   = "Cookie: __Host-auth_session="
)

// admit lets a request through gates in turn, as Caddy does, and returns the
// first refusal.
func admit(r *http.Request, st *State, gates ...*Gate) *wire.Problem {
	w := httptest.NewRecorder()
	for _, g := range gates {
		if p := g.Admit(w, r, st); p != nil {
			return p
		}
	}
	return nil
}

// mustAdmit fails the test if the request is refused.
func mustAdmit(t testing.TB, r *http.Request, gates ...*Gate) {
	t.Helper()
	if p := admit(r, new(State), gates...); p != nil {
		t.Fatalf("%s %s is refused: %d %s", r.Method, r.URL, p.Status, p.Code)
	}
}

// code is "" for nil.
func code(p *wire.Problem) string {
	switch p {
	case nil:
		return ""
	case &preflight:
		return "preflight"
	}
	return p.Code
}

// wantHeaders checks all headers but those that the test does not speak of.
func wantHeaders(t testing.TB, h http.Header, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got := h[name]; value == "" && len(got) > 0 || value != "" && !slices.Equal(got, []string{value}) {
			t.Errorf("%s is %q; expected %q", name, got, value)
		}
	}
}

// adaHeaders is what an upstream sees of ada at a gate of storage.
func adaHeaders() map[string]string {
	return map[string]string{
		"X-Auth-User-Id": "u1", "X-Auth-Username": "ada", "X-Auth-Email": "ada@example.com", "X-Auth-Name": "Ada%20Lovelace",
		"X-Auth-Service": "storage", "X-Auth-Permissions": `{"admin":false,"level":7,"read":true,"words":"true","write":true}`,
	}
}

func adaWithoutService() map[string]string {
	h := adaHeaders()
	h["X-Auth-Service"], h["X-Auth-Permissions"] = "", ""
	return h
}

// noHeaders is what an upstream sees of nobody.
func noHeaders() map[string]string {
	h := make(map[string]string)
	for _, name := range identityHeaders {
		h[name] = ""
	}
	return h
}
