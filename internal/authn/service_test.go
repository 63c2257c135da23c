package authn

import (
	"slices"
	"testing"
	"time"
)

func TestLoginsKeepTheConfiguredOrder(t *testing.T) {
	f := newFixture(t)
	if got, want := f.Logins(), []string{"google", "github"}; !slices.Equal(got, want) {
		t.Errorf("Logins() = %v, want %v", got, want)
	}
	login, ok := f.LoginNamed("github")
	if !ok || login.Name != "github" || login.Provider != f.github {
		t.Errorf("LoginNamed(github) = %+v, %v", login, ok)
	}
	for _, name := range []string{"", "GitHub", "gitlab"} {
		if _, ok := f.LoginNamed(name); ok {
			t.Errorf("LoginNamed(%q) found something", name)
		}
	}
}

func TestDefaults(t *testing.T) {
	s := New(Config{Store: newFakeStore(), Tokens: &fakeSigner{}, CallbackURL: testCallbackURL, Logins: []Login{{Name: "x", Provider: &fakeProvider{identity: ada()}}}})
	start, err := s.Begin(t.Context(), "x", Request{Next: "/"})
	if err != nil {
		t.Fatal(err)
	}
	result, err := s.Complete(t.Context(), "x", answer(start), cookie(start))
	if err != nil {
		t.Fatal(err)
	}
	if got := result.Session.ExpiresAt.Sub(result.Session.CreatedAt); got != 14*24*time.Hour {
		t.Errorf("a session lasts %v, want 14 days", got)
	}
	if age := time.Since(result.Session.CreatedAt); age < 0 || age > time.Minute {
		t.Errorf("the session is %v old, want that of the wall clock", age)
	}
	if err := s.End(t.Context(), result.User, result.Session); err != nil {
		t.Errorf("End without SessionEnded: %v", err)
	}
}
