package authn

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/providers"
)

func TestBeginSendsTheBrowserToTheProvider(t *testing.T) {
	f := newFixture(t)
	start := f.begin(t, "google")
	location, err := url.Parse(start.Location)
	if err != nil || location.Host != "idp.example" || location.Query().Get("state") != start.State {
		t.Errorf("Location = %q, %v", start.Location, err)
	}
	if want := f.clock.Now().Add(10 * time.Minute); !start.ExpiresAt.Equal(want) {
		t.Errorf("ExpiresAt = %v, want %v", start.ExpiresAt, want)
	}
	if f.google.states[0] != start.State {
		t.Error("the provider got another state")
	}
}

// S21: at least 128 bits, fresh for each sign-in; the browser's secret is not
// the state, which travels in URLs.
func TestS21StateAndBindingAreFreshSecrets(t *testing.T) {
	f := newFixture(t)
	seen := map[string]bool{}
	for range 20 {
		start := f.begin(t, "github")
		for _, secret := range []string{start.State, start.Binding} {
			if raw, err := base64.RawURLEncoding.DecodeString(secret); err != nil || len(raw) < 16 {
				t.Fatalf("%q has %d bytes, %v", secret, len(raw), err)
			}
			if seen[secret] {
				t.Fatal("a secret came twice")
			}
			seen[secret] = true
		}
		if strings.Contains(start.Location, start.Binding) {
			t.Fatal("the provider is told the browser's secret")
		}
	}
}

// S21: whoever reads the attempts of the database can end none of them.
func TestS21StoredAttemptHoldsNeitherStateNorBinding(t *testing.T) {
	f := newFixture(t)
	start := f.begin(t, "google")
	if len(f.store.attempts) != 1 {
		t.Fatalf("%d attempts stored", len(f.store.attempts))
	}
	for key, attempt := range f.store.attempts {
		if !bytes.Equal([]byte(key[1:]), hash(start.State)) {
			t.Error("the key is not the hash of the state")
		}
		for _, secret := range []string{start.State, start.Binding} {
			if strings.Contains(key, secret) || bytes.Contains(attempt.value, []byte(secret)) {
				t.Error("a secret is stored in clear")
			}
		}
		if !attempt.expires.Equal(start.ExpiresAt) {
			t.Errorf("stored until %v, want %v", attempt.expires, start.ExpiresAt)
		}
	}
}

// S23, ruling 19: against mix-up each provider has a redirect URI of its own,
// unless its answers say whose they are.
func TestS23RedirectURIs(t *testing.T) {
	const old = "https://app.example.com/oauth/google_callback"
	for name, test := range map[string]struct {
		provider providers.IdentityProvider
		address  string
		want     string
	}{
		"sends its issuer":                      {&issuerProvider{&fakeProvider{identity: ada()}, true, nil}, "", testCallbackURL},
		"could, but does not":                   {&issuerProvider{&fakeProvider{identity: ada()}, false, nil}, "", testCallbackURL + "/corp"},
		"knows nothing about an issuer":         {&fakeProvider{identity: ada()}, "", testCallbackURL + "/corp"},
		"sends its issuer to an address of old": {&issuerProvider{&fakeProvider{identity: ada()}, true, nil}, old, old},
		"has an address of old":                 {&fakeProvider{identity: ada()}, old, old},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(c *Config) {
				c.Logins = []Login{{Name: "corp", Provider: test.provider, CallbackURL: test.address}}
			})
			fake, ok := test.provider.(*fakeProvider)
			if !ok {
				fake = test.provider.(*issuerProvider).fakeProvider
			}
			f.signIn(t, "corp")
			if fake.begun[0] != test.want {
				t.Errorf("LoginURL got %q, want %q", fake.begun[0], test.want)
			}
			if fake.calls[0].redirectURI != test.want {
				t.Errorf("HandleCallback got %q, want the same as LoginURL", fake.calls[0].redirectURI)
			}
		})
	}
}

// S22: verifier and nonce are made by the provider for each attempt; what it
// hands over comes back to the same attempt unchanged.
func TestS22PrivateDataStaysWithItsAttempt(t *testing.T) {
	f := newFixture(t)
	f.github.private = []byte("first \x00\xff")
	first := f.begin(t, "github")
	f.github.private = []byte("second")
	second := f.begin(t, "github")
	for _, start := range []Start{second, first} {
		if _, err := f.Complete(t.Context(), "github", answer(start), cookie(start)); err != nil {
			t.Fatal(err)
		}
	}
	if f.github.calls[0].private != "second" || f.github.calls[1].private != "first \x00\xff" {
		t.Errorf("private data came back as %q and %q", f.github.calls[0].private, f.github.calls[1].private)
	}
}

func TestBeginFailures(t *testing.T) {
	down := fmt.Errorf("fetching discovery: %w", providers.ErrUnavailable)
	for name, test := range map[string]struct {
		provider string
		next     string
		prepare  func(*fixture)
		code     string
	}{
		"unknown provider":            {"gitlab", "/", nil, CodeUnknownProvider},
		"provider in another case":    {"Google", "/", nil, CodeUnknownProvider},
		"next too long":               {"github", "/" + strings.Repeat("a", maxNext), nil, CodeBadNext},
		"next not text":               {"github", "/\xff", nil, CodeBadNext},
		"provider down":               {"github", "/", func(f *fixture) { f.github.loginErr = down }, CodeProviderUnavailable},
		"provider too slow":           {"github", "/", func(f *fixture) { f.github.loginErr = context.DeadlineExceeded }, CodeProviderUnavailable},
		"provider's mistake":          {"github", "/", func(f *fixture) { f.github.loginErr = errors.New("bad discovery") }, CodeProviderError},
		"provider panics":             {"github", "/", func(f *fixture) { f.github.panics = "nil map" }, CodeProviderError},
		"private data too long":       {"github", "/", func(f *fixture) { f.github.private = make([]byte, maxPrivate+1) }, CodeProviderError},
		"login address relative":      {"github", "/", func(f *fixture) { f.github.location = "/authorize" }, CodeProviderError},
		"login address of no browser": {"github", "/", func(f *fixture) { f.github.location = "javascript://x/%0aalert(1)" }, CodeProviderError},
		"store down":                  {"github", "/", func(f *fixture) { f.store.fails["PutAttempt"] = errors.New("connection refused") }, CodeUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			if test.prepare != nil {
				test.prepare(f)
			}
			start, err := f.Begin(t.Context(), test.provider, Request{Next: test.next, DeliverToken: true})
			failure := wantCode(t, err, test.code)
			if start != (Start{}) {
				t.Errorf("a failed Begin returned %+v", start)
			}
			if len(f.store.attempts) != 0 {
				t.Error("a failed Begin left an attempt")
			}
			switch test.code {
			case CodeUnknownProvider:
				if failure.Attempt != nil || failure.Provider != "" {
					t.Errorf("an unknown provider is spoken of: %+v", failure)
				}
			case CodeBadNext:
				if failure.Attempt == nil || failure.Attempt.Next != "" {
					t.Errorf("Attempt = %+v, want one without next", failure.Attempt)
				}
			default:
				if want := (Attempt{"github", "/", true}); failure.Attempt == nil || *failure.Attempt != want {
					t.Errorf("Attempt = %+v, want %+v", failure.Attempt, want)
				}
			}
		})
	}
}

func TestSendsIssuerThatCannotTell(t *testing.T) {
	down := fmt.Errorf("fetching discovery: %w", providers.ErrUnavailable)
	f := newFixture(t, func(c *Config) {
		c.Logins = []Login{{Name: "corp", Provider: &issuerProvider{&fakeProvider{}, true, down}}}
	})
	_, err := f.Begin(t.Context(), "corp", Request{})
	wantCode(t, err, CodeProviderUnavailable)
}

// The store is promised values of at most 64 KiB; JSON makes some characters
// six times as long.
func TestLargestAttemptFitsTheStore(t *testing.T) {
	for _, filler := range []string{"<", "\x01", "\u2028", `"`, "é"} {
		f := newFixture(t)
		f.github.private = bytes.Repeat([]byte{0xff}, maxPrivate)
		next := strings.Repeat(filler, maxNext/len(filler))
		start, err := f.Begin(t.Context(), "github", Request{Next: next})
		if err != nil {
			t.Fatalf("next of %q: %v", filler, err)
		}
		if size := len(f.store.attemptOf(start.State).value); size > 64<<10 {
			t.Errorf("next of %q makes %d bytes", filler, size)
		}
		result, err := f.Complete(t.Context(), "github", answer(start), cookie(start))
		if err != nil || result.Next != next {
			t.Errorf("next of %q does not come back: %v", filler, err)
		}
	}
}

// A "next" is full of what JSON for HTML pages escapes with six bytes. Anybody
// may start sign-ins, so each takes no more room than it must.
func TestAttemptIsStoredCompactly(t *testing.T) {
	f := newFixture(t)
	next := "https://app.example.com/?" + strings.Repeat("&<>", 2000)
	start, err := f.Begin(t.Context(), "google", Request{Next: next})
	if err != nil {
		t.Fatal(err)
	}
	stored := f.store.attemptOf(start.State).value
	if len(stored) > len(next)+1024 || !json.Valid(stored) {
		t.Errorf("%d bytes are stored for %d", len(stored), len(next))
	}
	kept := new(record)
	if err := json.Unmarshal(stored, kept); err != nil || kept.Next != next {
		t.Errorf("it is read back as %.80q, %v", kept.Next, err)
	}
}
