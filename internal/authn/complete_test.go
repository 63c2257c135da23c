package authn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/providers"
)

func TestCompleteOpensASession(t *testing.T) {
	f := newFixture(t)
	start := f.begin(t, "google")
	result, err := f.Complete(t.Context(), "", answer(start), cookie(start))
	if err != nil {
		t.Fatal(err)
	}
	if result.Next != "/after?x=1" || !result.DeliverToken || !result.NewUser {
		t.Errorf("Result = %+v", result)
	}
	if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(result.User.ID) || result.User.Email != "ada@example.com" {
		t.Errorf("User = %+v", result.User)
	}
	now := f.clock.Now().Truncate(time.Second)
	want := providers.Session{
		ID: result.Session.ID, UserID: result.User.ID, Provider: "google", ProviderSessionID: "idp-sid",
		CreatedAt: now, LastSeenAt: now, ExpiresAt: now.Add(14 * 24 * time.Hour),
	}
	if result.Session != want || f.store.sessions[want.ID] != want {
		t.Errorf("Session = %+v, stored %+v, want %+v", result.Session, f.store.sessions[want.ID], want)
	}
	// Ruling 3: the store gets the hash of the cookie's value, never the value.
	if got := []byte(f.store.hashes[want.ID]); !bytes.Equal(got, CookieHash(result.Cookie)) || !isSecret(result.Cookie) {
		t.Errorf("cookie %q is stored as %x", result.Cookie, got)
	}

	again := f.signIn(t, "google")
	if again.NewUser || again.User.ID != result.User.ID {
		t.Errorf("the second sign-in made a new user: %+v", again)
	}
	// S31: fresh values per login.
	if again.Cookie == result.Cookie || again.Session.ID == result.Session.ID {
		t.Error("the second session has the first one's name or cookie")
	}
}

// Several tabs: each sign-in has a cookie of its own and none disturbs another.
func TestSeveralSignInsAtOnce(t *testing.T) {
	f := newFixture(t)
	jar := map[string]string{}
	var starts []Start
	for _, provider := range []string{"google", "github", "google"} {
		start := f.begin(t, provider)
		jar[start.State] = start.Binding
		starts = append(starts, start)
	}
	slices.Reverse(starts)
	for _, start := range starts {
		if _, err := f.Complete(t.Context(), "", answer(start), func(state string) string { return jar[state] }); err != nil {
			t.Error(err)
		}
	}
	if f.store.sessionCount() != 3 {
		t.Errorf("%d sessions, want 3", f.store.sessionCount())
	}
}

// The provider gets the parameters of its protocol and nothing else that came
// in the query.
func TestProviderGetsOnlyItsParameters(t *testing.T) {
	f := newFixture(t)
	start := f.begin(t, "google")
	query := answer(start)
	query.Set("iss", "https://accounts.google.com")
	query["jwt"] = []string{"stolen", "twice"}
	query.Set("error_description", "ada@example.com is not in the tenant")
	if _, err := f.Complete(t.Context(), "", query, cookie(start)); err != nil {
		t.Fatal(err)
	}
	want := url.Values{"state": {start.State}, "code": {"the-code-7f3a"}, "iss": {"https://accounts.google.com"}}
	if got := f.google.calls[0].query; got.Encode() != want.Encode() {
		t.Errorf("the provider got %v", got)
	}
	if query.Get("jwt") != "stolen" {
		t.Error("the caller's query was changed")
	}
}

func TestProviderErrors(t *testing.T) {
	for name, test := range map[string]struct {
		err    error
		panics any
		code   string
	}{
		"the person said no":       {err: fmt.Errorf("%w: consent", providers.ErrAccessDenied), code: CodeAccessDenied},
		"provider down":            {err: fmt.Errorf("exchanging the code: %w", providers.ErrUnavailable), code: CodeProviderUnavailable},
		"provider slow":            {err: fmt.Errorf("exchanging the code: %w", context.DeadlineExceeded), code: CodeProviderUnavailable},
		"clocks differ":            {err: fmt.Errorf("id_token: %w", providers.ErrClockSkew), code: CodeClockSkew},
		"bad answer":               {err: errors.New("nonce differs"), code: CodeProviderError},
		"panic":                    {panics: "index out of range", code: CodeProviderError},
		"panic with a known error": {panics: providers.ErrAccessDenied, code: CodeProviderError},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			start := f.begin(t, "google")
			f.google.callbackErr, f.google.panics = test.err, test.panics
			_, err := f.Complete(t.Context(), "", answer(start), cookie(start))
			failure := wantCode(t, err, test.code)
			if failure.Provider != "google" || failure.Attempt == nil || failure.Attempt.Next != "/after?x=1" {
				t.Errorf("failure = %+v", failure)
			}
			if test.err != nil && !errors.Is(err, test.err) {
				t.Error("the cause is lost")
			}
			// S39: a panic or error leaves no user behind.
			if f.store.sessionCount() != 0 || len(f.store.users) != 0 {
				t.Error("there is a user or a session")
			}
		})
	}
}

// A provider that overlooks the error it was sent cannot have an identity.
func TestErrorCallbackNeverSignsIn(t *testing.T) {
	f := newFixture(t)
	start := f.begin(t, "google")
	_, err := f.Complete(t.Context(), "", url.Values{"state": {start.State}, "error": {"access_denied"}}, cookie(start))
	wantCode(t, err, CodeProviderError)
	if f.google.calls[0].query.Get("error") != "access_denied" {
		t.Error("the provider was not told the error")
	}
	if f.store.sessionCount() != 0 {
		t.Error("there is a session")
	}
}

func TestProviderTakenOutOfTheConfiguration(t *testing.T) {
	f := newFixture(t)
	start := f.begin(t, "github")
	reloaded := newFixture(t, func(c *Config) { c.Store, c.Logins = f.store, c.Logins[:1] })
	_, err := reloaded.Complete(t.Context(), "github", answer(start), cookie(start))
	failure := wantCode(t, err, CodeUnknownProvider)
	if failure.Attempt == nil || failure.Attempt.Provider != "github" {
		t.Errorf("Attempt = %+v", failure.Attempt)
	}
}

// S27, ruling 15: an identity that must not become or reach an account.
func TestS27RefusedIdentities(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*providers.Identity)
		code   string
	}{
		"unverified":       {func(id *providers.Identity) { id.EmailVerified = false }, CodeEmailUnverified},
		"no address":       {func(id *providers.Identity) { id.Email = "" }, CodeEmailUnverified},
		"two addresses":    {func(id *providers.Identity) { id.Email = "ada@example.com@evil.example" }, CodeEmailUnverified},
		"look-alike":       {func(id *providers.Identity) { id.Email = "аda@example.com" }, CodeEmailUnverified},
		"line break":       {func(id *providers.Identity) { id.Email = "ada@example.com\nbcc: x" }, CodeEmailUnverified},
		"no issuer":        {func(id *providers.Identity) { id.Issuer = "" }, CodeProviderError},
		"no subject":       {func(id *providers.Identity) { id.Subject = "" }, CodeProviderError},
		"NUL in subject":   {func(id *providers.Identity) { id.Subject = "1\x00" }, CodeProviderError},
		"subject not text": {func(id *providers.Identity) { id.Subject = "\xff" }, CodeProviderError},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			test.change(&f.google.identity)
			start := f.begin(t, "google")
			_, err := f.Complete(t.Context(), "", answer(start), cookie(start))
			wantCode(t, err, test.code)
			if len(f.store.users) != 0 || f.store.sessionCount() != 0 {
				t.Error("there is a user or a session")
			}
		})
	}
}

// S27: accounts are joined by address, unless the provider's addresses prove
// nothing outside itself.
func TestS27Linking(t *testing.T) {
	for name, test := range map[string]struct {
		provider providers.IdentityProvider
		link     bool
		id       string
	}{
		"plain":           {&fakeProvider{identity: ada()}, true, "id-for-ada@example.com"},
		"not separate":    {&separateProvider{&fakeProvider{identity: ada()}, false}, true, "id-for-ada@example.com"},
		"stays separated": {&separateProvider{&fakeProvider{identity: ada()}, true}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(c *Config) {
				c.Logins = []Login{{Name: "corp", Provider: test.provider}}
				c.NewUserID = func(email string) string { return "id-for-" + email }
			})
			f.signIn(t, "corp")
			if f.store.links[0] != test.link || f.store.found[0] != "corp" {
				t.Errorf("FindOrCreateUser got provider %q, link %v", f.store.found[0], f.store.links[0])
			}
			// A separated account must not get a name that its address can guess.
			if test.id == "" && len(f.store.ids[0]) != 32 || test.id != "" && f.store.ids[0] != test.id {
				t.Errorf("new user ID = %q", f.store.ids[0])
			}
		})
	}
}

// Ruling 12: what a provider was called by the original service is its own
// word, whatever name an operator has given it.
func TestLegacyProviders(t *testing.T) {
	for name, test := range map[string]struct {
		provider providers.IdentityProvider
		want     string
	}{
		"google": {&fakeProvider{identity: ada()}, ""},
		"corp":   {&legacyProvider{separateProvider{&fakeProvider{identity: ada()}, false}, "google"}, "google"},
		"other":  {&legacyProvider{separateProvider{&fakeProvider{identity: ada()}, false}, ""}, ""},
		// It reaches no account of the original: link is false.
		"dev": {&legacyProvider{separateProvider{&fakeProvider{identity: ada()}, true}, "google"}, "google"},
	} {
		f := newFixture(t, func(c *Config) { c.Logins = []Login{{Name: name, Provider: test.provider}} })
		f.signIn(t, name)
		if f.store.legacies[0] != test.want || f.store.links[0] == (name == "dev") {
			t.Errorf("%s: FindOrCreateUser got %q, link %v; want %q", name, f.store.legacies[0], f.store.links[0], test.want)
		}
	}
}

func TestAddressOfAnotherAccount(t *testing.T) {
	f := newFixture(t)
	f.signIn(t, "google")
	f.github.identity.Issuer = "https://github.com"
	start := f.begin(t, "github")
	_, err := f.Complete(t.Context(), "github", answer(start), cookie(start))
	failure := wantCode(t, err, CodeAccountExists)
	if failure.Provider != "github" || f.store.sessionCount() != 1 {
		t.Errorf("failure = %+v, %d sessions", failure, f.store.sessionCount())
	}
}

func TestDisabledUserGetsNoSession(t *testing.T) {
	told := &recorder{}
	f := newFixture(t, func(c *Config) { c.Extensions = append(c.Extensions, told) })
	f.store.users["https://idp.example 1815"] = providers.User{ID: "u1", Disabled: true}
	start := f.begin(t, "google")
	_, err := f.Complete(t.Context(), "", answer(start), cookie(start))
	wantCode(t, err, CodeUserDisabled)
	if f.store.sessionCount() != 0 || len(told.all()) != 0 {
		t.Error("a disabled user has a session, or the extensions heard of one")
	}
}

// S39: without our database nobody is signed in.
func TestS39StoreDown(t *testing.T) {
	for _, method := range []string{"TakeAttempt", "FindOrCreateUser", "CreateSession"} {
		t.Run(method, func(t *testing.T) {
			f := newFixture(t)
			start := f.begin(t, "google")
			f.store.fails[method] = errors.New("connection refused")
			result, err := f.Complete(t.Context(), "", answer(start), cookie(start))
			wantCode(t, err, CodeUnavailable)
			if result.Cookie != "" || f.store.sessionCount() != 0 {
				t.Error("there is a session")
			}
			delete(f.store.fails, method)
			_, err = f.Complete(t.Context(), "", answer(start), cookie(start))
			if method == "TakeAttempt" {
				if err != nil {
					t.Errorf("nothing was taken, so the same callback must do: %v", err)
				}
				return
			}
			wantCode(t, err, CodeStateUsed)
		})
	}
}

func TestOddNamesAreTidiedBeforeTheyAreStored(t *testing.T) {
	f := newFixture(t)
	f.google.identity.Name, f.google.identity.AvatarURL = "Ada\x00\n", "javascript:alert(1)"
	if user := f.signIn(t, "google").User; user.Name != "Ada" || user.AvatarURL != "" {
		t.Errorf("User = %+v", user)
	}
}
