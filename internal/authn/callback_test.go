package authn

import (
	"errors"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// S21: what a callback must look like. Each row is a way to make two readers
// of one callback see different things, or to leave something out.
func TestS21MalformedCallbacks(t *testing.T) {
	for name, change := range map[string]func(q url.Values){
		"no state":           func(q url.Values) { q.Del("state") },
		"empty state":        func(q url.Values) { q.Set("state", "") },
		"state twice":        func(q url.Values) { q.Add("state", "x") },
		"same state twice":   func(q url.Values) { q.Add("state", q.Get("state")) },
		"no code":            func(q url.Values) { q.Del("code") },
		"empty code":         func(q url.Values) { q.Set("code", "") },
		"code twice":         func(q url.Values) { q.Add("code", "other") },
		"code and error":     func(q url.Values) { q.Set("error", "access_denied") },
		"code and no error":  func(q url.Values) { q.Set("error", "") },
		"error twice":        func(q url.Values) { q.Del("code"); q["error"] = []string{"a", "b"} },
		"empty error":        func(q url.Values) { q.Del("code"); q.Set("error", "") },
		"issuer twice":       func(q url.Values) { q["iss"] = []string{"https://a.example", "https://b.example"} },
		"empty, then a code": func(q url.Values) { q["code"] = []string{"", "x"} },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			start := f.begin(t, "google")
			query := answer(start)
			change(query)
			_, err := f.Complete(t.Context(), "", query, cookie(start))
			wantCode(t, err, CodeStateMissing)
			if f.google.callCount() != 0 || f.store.sessionCount() != 0 {
				t.Error("a malformed callback reached the provider")
			}
			// Whoever sends rubbish has not used up the sign-in.
			if _, err := f.Complete(t.Context(), "", answer(start), cookie(start)); err != nil {
				t.Errorf("the real callback afterwards: %v", err)
			}
		})
	}
}

// S21, S23: a well-formed callback that must not lead to a session.
func TestS21RefusedCallbacks(t *testing.T) {
	for name, test := range map[string]struct {
		provider string
		path     string
		query    func(f *fixture, q url.Values)
		binding  func(f *fixture, start Start) string
		code     string
		unknown  bool // no Attempt in the error
	}{
		"state that nobody made": {
			query: func(_ *fixture, q url.Values) { q.Set("state", randomSecret()) }, code: CodeStateUnknown, unknown: true,
		},
		"state of another form": {
			query: func(_ *fixture, q url.Values) { q.Set("state", "../../etc") }, code: CodeStateUnknown, unknown: true,
		},
		"after ten minutes": {
			query: func(f *fixture, _ url.Values) { f.clock.advance(AttemptLifetime) }, code: CodeStateExpired,
		},
		// Login CSRF: the attacker's own callback, sent to a victim's browser.
		"browser without the cookie": {
			binding: func(*fixture, Start) string { return "" }, code: CodeStateMismatch,
		},
		"cookie of another sign-in": {
			binding: func(f *fixture, _ Start) string {
				other, _ := f.Begin(t.Context(), "google", Request{})
				return other.Binding
			}, code: CodeStateMismatch,
		},
		"the state as the cookie": {
			binding: func(_ *fixture, start Start) string { return start.State }, code: CodeStateMismatch,
		},
		"the stored hash as the cookie": {
			binding: func(_ *fixture, start Start) string { return string(hash(start.Binding)) }, code: CodeStateMismatch,
		},
		"half the cookie": {
			binding: func(_ *fixture, start Start) string { return start.Binding[:20] }, code: CodeStateMismatch,
		},
		// Mix-up (RFC 9700 section 4.4): one provider's answer at another's address.
		"google's state at github's path": {path: "github", code: CodeStateMismatch},
		"github's state at google's path": {provider: "github", path: "google", code: CodeStateMismatch},
		"path of no provider":             {path: "nobody", code: CodeStateMismatch},
		"path in another case":            {path: "Google", code: CodeStateMismatch},
		"github's state with the answer of a provider that names itself": {
			provider: "github", query: func(_ *fixture, q url.Values) { q.Set("iss", "https://accounts.google.com") }, code: CodeStateMismatch,
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			provider := test.provider
			if provider == "" {
				provider = "google"
			}
			start := f.begin(t, provider)
			query, binding := answer(start), start.Binding
			if test.query != nil {
				test.query(f, query)
			}
			if test.binding != nil {
				binding = test.binding(f, start)
			}
			_, err := f.Complete(t.Context(), test.path, query, func(string) string { return binding })
			failure := wantCode(t, err, test.code)
			if f.google.callCount()+f.github.callCount() != 0 {
				t.Error("the provider was asked")
			}
			if f.store.sessionCount() != 0 || len(f.store.users) != 0 {
				t.Error("there is a user or a session")
			}
			if test.unknown {
				if failure.Attempt != nil {
					t.Errorf("Attempt = %+v, want nil", failure.Attempt)
				}
				return
			}
			if want := (Attempt{provider, "/after?x=1", true}); failure.Attempt == nil || *failure.Attempt != want {
				t.Errorf("Attempt = %+v, want %+v", failure.Attempt, want)
			}
			// S21: refused once is used up; there is no second guess at the cookie.
			_, err = f.Complete(t.Context(), "", answer(start), cookie(start))
			wantCode(t, err, CodeStateUsed)
		})
	}
}

// S23: the address registered of old is good for every provider, and the
// provider comes from the stored state.
func TestS23AcceptedPaths(t *testing.T) {
	for _, test := range []struct{ provider, path, iss string }{
		{"google", "", ""},
		{"google", "", "https://accounts.google.com"},
		{"google", "google", ""},
		{"github", "github", ""},
		{"github", "github", "https://github.com/login/oauth"},
		{"github", "", ""},
	} {
		f := newFixture(t)
		start := f.begin(t, test.provider)
		query := answer(start)
		if test.iss != "" {
			query.Set("iss", test.iss)
		}
		result, err := f.Complete(t.Context(), test.path, query, cookie(start))
		if err != nil || result.Session.Provider != test.provider {
			t.Errorf("%+v: %v, signed in by %q", test, err, result.Session.Provider)
		}
	}
}

// S23: an address of old changes nothing about whose answer it takes: a provider
// that never names its issuer is not handed the code of one that does.
func TestS23AddressOfOld(t *testing.T) {
	for iss, code := range map[string]string{"": "", "https://accounts.google.com": CodeStateMismatch} {
		f := newFixture(t, func(c *Config) { c.Logins[1].CallbackURL = "https://app.example.com/oauth/google_callback" })
		start := f.begin(t, "github")
		query := answer(start)
		if iss != "" {
			query.Set("iss", iss)
		}
		_, err := f.Complete(t.Context(), "", query, cookie(start))
		if code != "" {
			wantCode(t, err, code)
		} else if err != nil {
			t.Error(err)
		}
	}
}

// S21: a state opens one session, and a replay knows where the first one
// wanted to go, so that a page can just go on.
func TestS21StateIsUsedOnce(t *testing.T) {
	for _, forgets := range []bool{false, true} {
		f := newFixture(t)
		f.store.forgets = forgets
		start := f.begin(t, "google")
		if _, err := f.Complete(t.Context(), "", answer(start), cookie(start)); err != nil {
			t.Fatal(err)
		}
		_, err := f.Complete(t.Context(), "", answer(start), cookie(start))
		failure := wantCode(t, err, CodeStateUsed)
		if forgets && failure.Attempt != nil || !forgets && (failure.Attempt == nil || failure.Attempt.Next != "/after?x=1") {
			t.Errorf("forgets=%v: Attempt = %+v", forgets, failure.Attempt)
		}
		if f.store.sessionCount() != 1 || f.google.callCount() != 1 {
			t.Errorf("%d sessions, %d exchanges, want 1 of each", f.store.sessionCount(), f.google.callCount())
		}
	}
}

// S21: the same callback many times at once: exactly one wins.
func TestS21ParallelReplay(t *testing.T) {
	f := newFixture(t)
	start := f.begin(t, "google")
	var wins, used atomic.Int32
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			_, err := f.Complete(t.Context(), "", answer(start), cookie(start))
			var failure *Error
			switch {
			case err == nil:
				wins.Add(1)
			case errors.As(err, &failure) && failure.Code == CodeStateUsed:
				used.Add(1)
			default:
				t.Errorf("a replay got %v", err)
			}
		})
	}
	wg.Wait()
	if wins.Load() != 1 || used.Load() != 49 || f.store.sessionCount() != 1 || f.google.callCount() != 1 {
		t.Errorf("%d won, %d were told it is used, %d sessions, %d exchanges",
			wins.Load(), used.Load(), f.store.sessionCount(), f.google.callCount())
	}
}

// S21: the last moment counts, the first one after does not.
func TestS21TenMinutes(t *testing.T) {
	f := newFixture(t)
	start := f.begin(t, "google")
	f.clock.advance(AttemptLifetime - time.Nanosecond)
	if _, err := f.Complete(t.Context(), "", answer(start), cookie(start)); err != nil {
		t.Errorf("just before the end: %v", err)
	}
}

// A value that nobody can read (another version's) must not pass as anything.
func TestUnreadableAttempt(t *testing.T) {
	f := newFixture(t)
	start := f.begin(t, "google")
	f.store.attemptOf(start.State).value = []byte("{")
	_, err := f.Complete(t.Context(), "", answer(start), cookie(start))
	wantCode(t, err, CodeStateUnknown)
}

// Rubbish costs no database query, so a flood of it cannot keep others out.
func TestStateOfAnotherFormIsNotLookedUp(t *testing.T) {
	f := newFixture(t)
	for _, state := range []string{"x", "../../etc", "' OR 1=1 --", string(make([]byte, secretLength))} {
		_, err := f.Complete(t.Context(), "", url.Values{"state": {state}, "code": {"x"}}, func(string) string { return "" })
		wantCode(t, err, CodeStateUnknown)
	}
	if steps := f.steps.all(); len(steps) != 0 {
		t.Errorf("steps = %q", steps)
	}
}
