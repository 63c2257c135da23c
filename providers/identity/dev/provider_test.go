package dev

import (
	"context"
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/datahq/auth-gateway/providers"
	"github.com/datahq/auth-gateway/providers/providertest"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

func TestContract(t *testing.T) {
	w := newWorld(t)
	providertest.RunIdentityProvider(t, providertest.IdentityProviderSuite{
		New:         func(testing.TB) providers.IdentityProvider { return w.Provider },
		RedirectURI: w.redirectURI,
		Browse: func(ctx context.Context, location, redirectURI string) (url.Values, error) {
			page, err := url.Parse(location)
			if err != nil {
				return nil, err
			}
			return providertest.Browse(ctx, with(page, paramUser, "ada"), redirectURI)
		},
	})
}

func TestSignIn(t *testing.T) {
	w := newWorld(t)
	page, private := w.begin(t)
	who, err := w.HandleCallback(t.Context(), w.redirectURI, private, w.choose(t, with(page, paramUser, "ada")))
	if err != nil {
		t.Fatal(err)
	}
	who.SessionID = ""
	want := providers.Identity{
		Issuer: w.base.String(), Subject: "ada", Email: "ada@example.com", EmailVerified: true,
		Name: "Ada Lovelace", Username: "ada",
	}
	if !reflect.DeepEqual(who, want) {
		t.Errorf("got  %+v\nwant %+v", who, want)
	}
	if !w.SeparateAccounts() {
		t.Error("ruling 16: its accounts must never be linked")
	}
	if sends, err := w.SendsIssuer(t.Context()); err != nil || !sends {
		t.Errorf("SendsIssuer: %v, %v", sends, err)
	}
}

func TestTypedPerson(t *testing.T) {
	w := newWorld(t)
	signIn := func(name, email string) providers.Identity {
		t.Helper()
		page, private := w.begin(t)
		query := w.choose(t, with(page, paramName, name, paramEmail, email, paramGo, "1"))
		who, err := w.HandleCallback(t.Context(), w.redirectURI, private, query)
		if err != nil {
			t.Fatal(err)
		}
		return who
	}
	grace := signIn("Grace Hopper", "Grace@example.com")
	if grace.Name != "Grace Hopper" || grace.Email != "Grace@example.com" || !grace.EmailVerified || grace.Username != "grace" {
		t.Errorf("got %+v", grace)
	}
	if again := signIn("", "grace@EXAMPLE.com"); again.Subject != grace.Subject || again.Name != "grace" {
		t.Errorf("the same address is %+v, want the account of %+v", again, grace)
	}
	if other := signIn("Grace Hopper", "hopper@example.com"); other.Subject == grace.Subject {
		t.Error("another address is the same account")
	}
	if ada := signIn("Whoever", "Ada@example.com"); ada.Subject != "ada" || ada.Name != "Ada Lovelace" {
		t.Errorf("the address of a sample user is %+v", ada)
	}
}

// Each failure that the page offers fails, and each oddity works.
func TestFaultsFromThePage(t *testing.T) {
	w := newWorld(t)
	for _, text := range faultTexts() {
		if text.fault == fakeidp.Slow {
			continue // 12 s: the gateway's time-out is tested elsewhere
		}
		t.Run(string(text.fault), func(t *testing.T) {
			page, private := w.begin(t)
			query := w.choose(t, with(page, paramUser, "ada", paramFault, string(text.fault)))
			who, err := w.HandleCallback(t.Context(), w.redirectURI, private, query)
			// These are the gateway's to refuse: no state, and no verified address (ruling 15).
			refused := err != nil || !query.Has("state") || !who.EmailVerified
			if refused == text.works {
				t.Errorf("got %+v, %v; want works %v", who, err, text.works)
			}
		})
	}
}

func TestEveryFaultIsOffered(t *testing.T) {
	offered := map[fakeidp.Fault]bool{}
	for _, text := range faultTexts() {
		if offered[text.fault] || text.title == "" || text.detail == "" {
			t.Errorf("%s is offered twice or without words", text.fault)
		}
		offered[text.fault] = true
	}
	for _, fault := range fakeidp.Faults() {
		if !offered[fault] {
			t.Errorf("%s is not offered", fault)
		}
	}
}

// Keys and codes outlive a reload: the new configuration is mounted before the
// old one is cleaned up, and a sign-in that began before ends after.
func TestReload(t *testing.T) {
	w := newWorld(t)
	page, private := w.begin(t)
	query := w.choose(t, with(page, paramUser, "bob"))

	before := w.Provider
	after := load(t, User{Username: "carol", Email: "carol@example.com"})
	if err := after.Mount(w.base); err != nil {
		t.Fatal(err)
	}
	w.Provider = after
	if err := before.Cleanup(); err != nil {
		t.Fatal(err)
	}
	if refs, _ := idps.References(w.base.String()); refs != 1 {
		t.Errorf("%d references, want the new configuration's only", refs)
	}
	// A request of the old configuration that is still being served goes on.
	if _, _, err := before.LoginURL(t.Context(), w.redirectURI, "state"); err != nil {
		t.Errorf("a sign-in that began in the old configuration: %v", err)
	}
	if who, err := w.HandleCallback(t.Context(), w.redirectURI, private, query); err != nil || who.Subject != "bob" {
		t.Errorf("the sign-in from before: %+v, %v", who, err)
	}
	// The page is the new configuration's.
	page, private = w.begin(t)
	if _, _, body := get(t, page.String()); !strings.Contains(body, "carol@example.com") || strings.Contains(body, "bob@example.com") {
		t.Error("the page shows the old users")
	}
	if who, err := w.HandleCallback(t.Context(), w.redirectURI, private, w.choose(t, with(page, paramUser, "carol"))); err != nil || who.Subject != "carol" {
		t.Errorf("a new sign-in: %+v, %v", who, err)
	}
}

// Caddy cleans up after a failed Provision too: a provider that was never
// mounted must not give back what the living configuration holds.
func TestCleanupGivesBackOnlyItsOwn(t *testing.T) {
	w := newWorld(t)
	failed := load(t)
	if err := failed.Cleanup(); err != nil {
		t.Fatal(err)
	}
	if refs, _ := idps.References(w.base.String()); refs != 1 {
		t.Errorf("%d references, want 1", refs)
	}
	for range 2 {
		if err := w.Cleanup(); err != nil {
			t.Fatal(err)
		}
	}
	if _, held := idps.References(w.base.String()); held {
		t.Error("something is left in the pool")
	}
}

func TestNotMounted(t *testing.T) {
	p := load(t)
	if _, _, err := p.LoginURL(t.Context(), "http://localhost/cb", "state"); err == nil {
		t.Error("LoginURL works before Mount")
	}
	if _, err := p.HandleCallback(t.Context(), "http://localhost/cb", nil, nil); err == nil {
		t.Error("HandleCallback works before Mount")
	}
	var zero Provider
	if err := zero.Cleanup(); err != nil {
		t.Error(err)
	}
	if got := zero.Users(); len(got) != 3 || got[0].Username != "ada" {
		t.Errorf("users %v, want the default ones", got)
	}
}

func TestUsersAreACopy(t *testing.T) {
	p := load(t)
	p.Users()[0].Username = "spoilt"
	if got := p.Users()[0].Username; got != "ada" {
		t.Errorf("user %q", got)
	}
}

func TestModuleIsRegistered(t *testing.T) {
	info, err := caddy.GetModule("auth.identity_providers.dev")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := info.New().(*Provider); !ok {
		t.Errorf("it makes a %T", info.New())
	}
}

func TestProviderDown(t *testing.T) {
	p := load(t)
	base, err := url.Parse("http://127.0.0.1:1/auth/login/dev")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Mount(base); err != nil {
		t.Fatalf("Mount asks nobody: %v", err)
	}
	if _, _, err := p.LoginURL(t.Context(), "http://127.0.0.1:1/cb", "state"); !errors.Is(err, providers.ErrUnavailable) {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
}
