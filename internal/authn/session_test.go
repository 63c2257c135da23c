package authn

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/providers"
)

func TestSessionTokenEndsWithItsSession(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.SessionLifetime = time.Hour })
	result := f.signIn(t, "google")
	f.clock.advance(10 * time.Minute)
	signed, err := f.SessionToken(result.Session)
	if err != nil || signed != "token-of-"+result.Session.ID {
		t.Fatalf("SessionToken = %q, %v", signed, err)
	}
	got := f.signer.signed[0]
	if got.UserID != result.User.ID || got.SessionID != result.Session.ID || !got.IssuedAt.Equal(f.clock.Now()) {
		t.Errorf("signed %+v", got)
	}
	// S5: never beyond the session, whenever it is made.
	if !got.ExpiresAt.Equal(result.Session.CreatedAt.Add(time.Hour)) {
		t.Errorf("the token ends at %v, the session at %v", got.ExpiresAt, result.Session.ExpiresAt)
	}
	f.signer.err = errors.New("no key")
	if _, err := f.SessionToken(result.Session); !errors.Is(err, f.signer.err) {
		t.Errorf("without a key: %v", err)
	}
}

// S8: the row goes first, so that no cache can be filled from it again; then
// the caches; then the extensions, who may be slow.
func TestS8OrderOfALogout(t *testing.T) {
	told := &recorder{}
	f := newFixture(t, func(c *Config) { c.Extensions = append(c.Extensions, told) })
	told.steps = f.steps
	result := f.signIn(t, "google")
	f.steps.list, told.events = nil, nil

	if err := f.End(t.Context(), result.User, result.Session); err != nil {
		t.Fatal(err)
	}
	id := result.Session.ID
	want := []string{"row " + id, "ended " + id + " of " + result.User.ID, "logout " + id}
	if got := f.steps.all(); !slices.Equal(got, want) {
		t.Errorf("steps = %q, want %q", got, want)
	}
	events := told.all()
	if len(events) != 1 || events[0].User != result.User || events[0].Session != result.Session || events[0].NewUser {
		t.Errorf("the extension heard %+v", events)
	}

	// Again: caches are cleared once more, the extensions are not told twice.
	if err := f.End(t.Context(), result.User, result.Session); err != nil {
		t.Errorf("the second End: %v", err)
	}
	if got := f.steps.all(); !slices.Equal(got, append(want, want[:2]...)) {
		t.Errorf("steps = %q", got)
	}
}

func TestEndAll(t *testing.T) {
	told := &recorder{}
	f := newFixture(t, func(c *Config) { c.Extensions = append(c.Extensions, told) })
	told.steps = f.steps
	a, b := f.signIn(t, "google"), f.signIn(t, "github")
	other := providers.Session{ID: "other", UserID: "somebody-else"}
	f.store.sessions["other"] = other
	f.steps.list, told.events = nil, nil

	if err := f.EndAll(t.Context(), a.User); err != nil {
		t.Fatal(err)
	}
	if len(f.store.sessions) != 1 || f.store.sessions["other"] != other {
		t.Errorf("left: %+v", f.store.sessions)
	}
	got := f.steps.all()
	if len(got) != 6 {
		t.Fatalf("steps = %q", got)
	}
	for i, kind := range []string{"row ", "ended ", "logout "} {
		for _, result := range []Result{a, b} {
			step := kind + result.Session.ID
			if kind == "ended " {
				step += " of " + a.User.ID
			}
			if !slices.Contains(got[2*i:2*i+2], step) {
				t.Errorf("steps %q lack %q in place %d", got, step, i)
			}
		}
	}
	for _, event := range told.all() {
		if event.User != a.User || event.Session.UserID != a.User.ID {
			t.Errorf("the extension heard %+v", event)
		}
	}
}

// S8: whoever signs out leaves no session behind, also whoever has been
// disabled meanwhile: enabled again, he would be signed in by an old cookie.
func TestEndByCookieAndID(t *testing.T) {
	for _, everywhere := range []bool{false, true} {
		for name, end := range map[string]func(*fixture, Result) error{
			"cookie": func(f *fixture, r Result) error { return f.EndByCookie(t.Context(), r.Cookie, everywhere) },
			"ID":     func(f *fixture, r Result) error { return f.EndByID(t.Context(), r.Session.ID, everywhere) },
		} {
			told := &recorder{}
			f := newFixture(t, func(c *Config) { c.Extensions = append(c.Extensions, told) })
			here, there := f.signIn(t, "google"), f.signIn(t, "google")
			for key, user := range f.store.users {
				user.Disabled = true
				f.store.users[key] = user
			}
			told.events = nil
			if err := end(f, here); err != nil {
				t.Fatal(err)
			}
			_, left := f.store.sessions[there.Session.ID]
			if _, still := f.store.sessions[here.Session.ID]; still || left == everywhere {
				t.Errorf("%s, everywhere %t: left %v", name, everywhere, f.store.sessions)
			}
			if events := told.all(); len(events) != 1 && !everywhere || len(events) != 2 && everywhere || events[0].User.ID != here.User.ID {
				t.Errorf("%s: the extension heard %+v", name, events)
			}
			// Again, and for what never was one.
			told.events = nil
			if err := end(f, here); !errors.Is(err, providers.ErrNotFound) || len(told.all()) > 0 {
				t.Errorf("%s again: %v, told %v", name, err, told.all())
			}
		}
	}
	f := newFixture(t)
	result := f.signIn(t, "google")
	f.store.fails["SessionByID"] = errors.New("connection refused")
	for _, err := range []error{f.EndByCookie(t.Context(), result.Cookie, false), f.EndByID(t.Context(), result.Session.ID, true)} {
		wantCode(t, err, CodeUnavailable) // S39
	}
}

func TestAlive(t *testing.T) {
	f := newFixture(t)
	result := f.signIn(t, "google")
	alive := func(id string) bool {
		t.Helper()
		found, err := f.Alive(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if !alive(result.Session.ID) || alive("another") || alive("") {
		t.Error("the session is not told from others")
	}
	for key, user := range f.store.users {
		user.Disabled = true
		f.store.users[key] = user
	}
	if alive(result.Session.ID) {
		t.Error("a disabled user's session is alive")
	}
	f.store.fails["SessionByID"] = errors.New("connection refused")
	if _, err := f.Alive(t.Context(), result.Session.ID); err == nil {
		t.Error("a database that is gone has no sessions")
	}
}

// S39: a logout that may not have happened is said to have failed, and nobody
// is told that it has.
func TestLogoutWithStoreDown(t *testing.T) {
	told := &recorder{}
	f := newFixture(t, func(c *Config) { c.Extensions = append(c.Extensions, told) })
	result := f.signIn(t, "google")
	told.events, f.steps.list = nil, nil
	down := errors.New("connection refused")
	f.store.fails["EndSession"], f.store.fails["EndUserSessions"] = down, down
	for name, err := range map[string]error{
		"End":    f.End(t.Context(), result.User, result.Session),
		"EndAll": f.EndAll(t.Context(), result.User),
	} {
		wantCode(t, err, CodeUnavailable)
		if !errors.Is(err, down) {
			t.Errorf("%s lost the cause: %v", name, err)
		}
	}
	if len(told.all()) != 0 || len(f.steps.all()) != 0 {
		t.Errorf("told %v, steps %q", told.all(), f.steps.all())
	}
}
