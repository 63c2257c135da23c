package gate

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/datahq/auth-gateway/internal/authz"
)

// oneDecision is a decider that gives the same decision to all, as the cache
// of authz does.
type oneDecision struct {
	*fakeDecider
	decision *authz.Decision
}

func (o *oneDecision) Decide(ctx context.Context, c authz.Credential, service string) (*authz.Decision, error) {
	if c.Value == "our-bob" {
		return o.fakeDecider.Decide(ctx, c, service)
	}
	return o.decision, nil
}

func newOneDecision(h *house) *oneDecision {
	d := &authz.Decision{User: ada, Service: "storage", Permissions: adaRights}
	d.Session.ID = "s1"
	d.Rendered = Render(d)
	return &oneDecision{h.decider, d}
}

// Header values come from a decision that all requests of a session share. A
// later handler may change them in place (Caddy's "request_header" replaces
// within values): that must be this request's affair alone.
func TestHeaderValuesAreNotShared(t *testing.T) {
	h := newHouse(t)
	h.Decider = newOneDecision(h)
	rule := readRule
	rule.ForwardToken = DefaultForwardToken
	g := h.gate(rule)
	first, second := newRequest("GET", "/", asAda), newRequest("GET", "/", asAda)
	mustAdmit(t, first, g)
	mustAdmit(t, second, g)
	names := append(identityHeaders[:], DefaultForwardToken)
	for _, name := range names {
		values := first.Header[name]
		values[0] = "changed"
		first.Header[name] = append(values, "more")
		_ = append(values[:0], "overwritten", "overwritten")
	}
	third := newRequest("GET", "/", asAda)
	mustAdmit(t, third, g)
	for _, r := range []*http.Request{second, third} {
		wantHeaders(t, r.Header, adaHeaders())
		wantHeaders(t, r.Header, map[string]string{DefaultForwardToken: "signed"})
	}
	// Nor does one header reach into the next.
	first = newRequest("GET", "/", asAda)
	mustAdmit(t, first, g)
	_ = append(first.Header["X-Auth-User-Id"], "appended")
	wantHeaders(t, first.Header, adaHeaders())
}

// The same for what is taken from the client's own slices.
func TestVaryIsNotShared(t *testing.T) {
	g := newHouse(t).gate(identify)
	first, second := httptest.NewRecorder(), httptest.NewRecorder()
	for _, w := range []*httptest.ResponseRecorder{first, second} {
		if p := g.Admit(w, newRequest("GET", "/"), new(State)); p != nil {
			t.Fatal(p.Code)
		}
	}
	first.Header()["Vary"][0] = "changed"
	if got := second.Header().Get("Vary"); got != varyValue {
		t.Errorf("Vary is %q", got)
	}
}

// A signed-in request allocates nothing here: its state is the caller's, and
// the map of headers grows if it must.
func TestHitDoesNotAllocate(t *testing.T) {
	h := newHouse(t)
	h.Decider = newOneDecision(h)
	rule := readRule
	rule.ForwardToken = DefaultForwardToken
	g := h.gate(rule)
	r, w, st := newRequest("GET", "/a"), httptest.NewRecorder(), new(State)
	lines := make([]string, 4)
	for _, name := range []string{"Auth-Token", "Authorization", "Cookie"} {
		value := map[string]string{"Auth-Token": "our-ada", "Authorization": "bearer our-ada", "Cookie": "a=b; __Host-auth_session=ada"}[name]
		n := testing.AllocsPerRun(100, func() {
			clear(r.Header)
			clear(w.Header())
			lines[0], lines[1], lines[2], lines[3] = value, "keep-alive", "forged", "*/*"
			r.Header[name], r.Header["Connection"], r.Header["X_auth_user"], r.Header["Accept"] = lines[0:1:1], lines[1:2:2], lines[2:3:3], lines[3:4:4]
			*st = State{}
			if p := g.Admit(w, r, st); p != nil {
				t.Fatal(p.Code)
			}
		})
		if n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// Gates are used by many requests at once; run with -race.
func TestConcurrentUse(t *testing.T) {
	h := newHouse(t)
	h.Decider = newOneDecision(h)
	rule := readRule
	rule.ForwardToken = "My-Token"
	g, stacked := h.gate(rule), h.gate(Rule{Kind: Login, QueryToken: true})
	var wg sync.WaitGroup
	failures := make(chan string, 64)
	for worker := range 8 {
		wg.Go(func() {
			for i := range 200 {
				header, want := asAda, "u1"
				if (worker+i)%2 == 0 {
					header, want = asBob, ""
				}
				r, st, w := newRequest("GET", fmt.Sprintf("/a?jwt=our-ada&i=%d", i), header, "X-Auth-User-Id: forged", "Connection: X-Auth-User-Id, close"), new(State), httptest.NewRecorder()
				if want != "" {
					r.URL.RawQuery = ""
				}
				p := g.Admit(w, r, st)
				if p == nil {
					p = stacked.Admit(w, r, st)
				}
				if p != nil {
					g.Refuse(w, r, p, g.Complete(p, r, st, "/a", "r"))
				}
				got := r.Header.Get("X-Auth-User-Id")
				if got != want || (p == nil) != (want != "") {
					select {
					case failures <- fmt.Sprintf("%s: %q, %s", header, got, code(p)):
					default:
					}
				}
				for _, name := range identityHeaders {
					if values := r.Header[name]; len(values) > 0 {
						values[0] = "changed"
					}
				}
			}
		})
	}
	wg.Wait()
	close(failures)
	for failure := range failures {
		t.Error(failure)
	}
}
