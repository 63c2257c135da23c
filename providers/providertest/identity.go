package providertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/providers"
)

const (
	maxPrivate = 4 << 10
	maxSubject = 255
)

// IdentityProviderSuite says how to try an identity provider.
type IdentityProviderSuite struct {
	// New returns a provider that is ready (provisioned and, if it is
	// providers.Mounted, mounted), whose server, real or a stand-in, signs the
	// same person in at every attempt. Called once. Required.
	New func(t testing.TB) providers.IdentityProvider
	// RedirectURI is where the browser comes back to, an absolute URL that need
	// not be served. Default: http://127.0.0.1/auth/oauth_callback.
	RedirectURI string
	// Browse is the person and the browser: it follows location until it is sent
	// to redirectURI, and returns the query it brings there. Default: Browse,
	// which works where nobody has to press a button.
	Browse func(ctx context.Context, location, redirectURI string) (url.Values, error)
}

// RunIdentityProvider tries what providers.IdentityProvider and its optional
// interfaces promise.
func RunIdentityProvider(t *testing.T, suite IdentityProviderSuite) {
	t.Helper()
	runChecks(t, suite.checks(suite.New(t)))
}

func (s IdentityProviderSuite) checks(provider providers.IdentityProvider) []check {
	if s.RedirectURI == "" {
		s.RedirectURI = "http://127.0.0.1/auth/oauth_callback"
	}
	if s.Browse == nil {
		s.Browse = Browse
	}
	c := identityChecks{s, provider}
	return []check{
		{"LoginURL is absolute and carries state and redirect URI", c.loginURL},
		{"private data is small and of one sign-in only", c.privateData},
		{"a sign-in ends in an identity", c.signIn},
		{"an identity belongs to whoever got it", c.notShared},
		{"private data of another sign-in is refused", c.foreignPrivate},
		{"damaged private data is refused", c.damagedPrivate},
		{"a callback without its code is refused", c.badCallback},
		{"a refusal is ErrAccessDenied", c.refusal},
		{"errors repeat neither texts of the provider nor secrets", c.quietErrors},
		{"odd arguments are no panic", c.oddArguments},
		{"a cancelled context ends a call", c.cancelled},
		{"many sign-ins at once", func(ctx context.Context) error {
			return atOnce(func() error { return c.signIn(ctx) })
		}},
		{"optional interfaces", c.optional},
	}
}

type identityChecks struct {
	IdentityProviderSuite
	provider providers.IdentityProvider
}

// signedIn is a sign-in that came back to the redirect URI.
type signedIn struct {
	state    string
	location string
	private  []byte
	query    url.Values
}

func (c identityChecks) begin(ctx context.Context) (signedIn, error) {
	s := signedIn{state: newState()}
	var err error
	if s.location, s.private, err = c.provider.LoginURL(ctx, c.RedirectURI, s.state); err != nil {
		return s, fmt.Errorf("LoginURL: %w", err)
	}
	return s, nil
}

func (c identityChecks) browse(ctx context.Context) (signedIn, error) {
	s, err := c.begin(ctx)
	if err != nil {
		return s, err
	}
	if s.query, err = c.Browse(ctx, s.location, c.RedirectURI); err != nil {
		return s, fmt.Errorf("following LoginURL: %w", err)
	}
	if states := s.query["state"]; len(states) != 1 || states[0] != s.state {
		return s, fmt.Errorf("the callback's state is %q, want %q", states, s.state)
	}
	return s, nil
}

func (c identityChecks) end(ctx context.Context, s signedIn) (providers.Identity, error) {
	return c.provider.HandleCallback(ctx, c.RedirectURI, s.private, s.query)
}

func (c identityChecks) loginURL(ctx context.Context) error {
	s, err := c.begin(ctx)
	if err != nil {
		return err
	}
	u, err := url.Parse(s.location)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("LoginURL gave %q, want an absolute http(s) URL", s.location)
	}
	var values []string
	for _, v := range u.Query() {
		values = append(values, v...)
	}
	if !slices.Contains(values, s.state) {
		return errors.New("no parameter of the login URL is the state")
	}
	if !slices.Contains(values, c.RedirectURI) {
		return errors.New("no parameter of the login URL is the redirect URI")
	}
	return nil
}

func (c identityChecks) privateData(ctx context.Context) error {
	first, err := c.begin(ctx)
	if err != nil {
		return err
	}
	second, err := c.begin(ctx)
	if err != nil {
		return err
	}
	if n := len(first.private); n > maxPrivate {
		return fmt.Errorf("private data has %d bytes, want at most %d", n, maxPrivate)
	}
	if len(first.private) > 0 && bytes.Equal(first.private, second.private) {
		return errors.New("two sign-ins have the same private data: a verifier or nonce must be fresh (S22)")
	}
	return nil
}

func (c identityChecks) signIn(ctx context.Context) error {
	_, err := c.identity(ctx)
	return err
}

// identity signs in and checks what comes out.
func (c identityChecks) identity(ctx context.Context) (providers.Identity, error) {
	s, err := c.browse(ctx)
	if err != nil {
		return providers.Identity{}, err
	}
	who, err := c.end(ctx, s)
	if err != nil {
		return who, fmt.Errorf("HandleCallback: %w", err)
	}
	switch {
	case who.Issuer == "":
		return who, errors.New("the identity has no Issuer")
	case who.Subject == "" || len(who.Subject) > maxSubject:
		return who, fmt.Errorf("the identity's Subject has %d bytes, want 1 to %d", len(who.Subject), maxSubject)
	case who.EmailVerified && who.Email == "":
		return who, errors.New("has EmailVerified without Email")
	case who.Email != "" && strings.Count(who.Email, "@") != 1:
		return who, errors.New("the Email is not an address (S27)")
	}
	for name := range who.Claims {
		if strings.HasSuffix(name, "_token") {
			return who, fmt.Errorf("the Claims have %q: provider tokens are dropped (S45)", name)
		}
	}
	return who, nil
}

func (c identityChecks) notShared(ctx context.Context) error {
	first, err := c.identity(ctx)
	if err != nil {
		return err
	}
	issuer, subject := first.Issuer, first.Subject
	for i := range first.Groups {
		first.Groups[i] = "spoilt"
	}
	for name := range first.Claims {
		first.Claims[name] = "spoilt"
	}
	second, err := c.identity(ctx)
	if err != nil {
		return err
	}
	if second.Issuer != issuer || second.Subject != subject {
		return errors.New("the same person has another issuer or subject at the next sign-in (S27)")
	}
	if slices.Contains(second.Groups, "spoilt") {
		return errors.New("changing Groups of one identity changed another")
	}
	for name, value := range second.Claims {
		if value == "spoilt" {
			return fmt.Errorf("changing Claims of one identity changed %q of another", name)
		}
	}
	return nil
}

// refuses checks that a callback is an error, with no identity beside it.
func (c identityChecks) refuses(ctx context.Context, what string, s signedIn) error {
	who, err := c.end(ctx, s)
	if err == nil {
		return fmt.Errorf("%s was accepted", what)
	}
	if !reflect.DeepEqual(who, providers.Identity{}) {
		return fmt.Errorf("%s: an identity came with the error", what)
	}
	return nil
}

func (c identityChecks) foreignPrivate(ctx context.Context) error {
	s, err := c.browse(ctx)
	if err != nil || len(s.private) == 0 {
		return err
	}
	other, err := c.begin(ctx)
	if err != nil {
		return err
	}
	s.private = other.private
	return c.refuses(ctx, "another sign-in's private data (S21, S22)", s)
}

func (c identityChecks) damagedPrivate(ctx context.Context) error {
	s, err := c.begin(ctx)
	if err != nil || len(s.private) == 0 {
		return err
	}
	private := s.private
	for _, damaged := range [][]byte{nil, {}, []byte("null"), []byte("{}"), []byte("\x00\xff"), private[:len(private)/2]} {
		s, err := c.browse(ctx)
		if err != nil {
			return err
		}
		s.private = damaged
		if err := c.refuses(ctx, fmt.Sprintf("private data %q", damaged), s); err != nil {
			return err
		}
	}
	return nil
}

func (c identityChecks) badCallback(ctx context.Context) error {
	for what, spoil := range map[string]func(url.Values){
		"a callback with nothing":   func(q url.Values) { clear(q) },
		"a callback without a code": func(q url.Values) { q.Del("code") },
		"an empty code":             func(q url.Values) { q.Set("code", "") },
		"a made-up code":            func(q url.Values) { q.Set("code", "made-up") },
	} {
		s, err := c.browse(ctx)
		if err != nil {
			return err
		}
		spoil(s.query)
		if err := c.refuses(ctx, what, s); err != nil {
			return err
		}
	}
	s, err := c.begin(ctx)
	if err != nil {
		return err
	}
	return c.refuses(ctx, "a nil query", s)
}

func (c identityChecks) refusal(ctx context.Context) error {
	s, err := c.browse(ctx)
	if err != nil {
		return err
	}
	s.query.Del("code")
	s.query.Set("error", "access_denied")
	if _, err = c.end(ctx, s); !errors.Is(err, providers.ErrAccessDenied) {
		return fmt.Errorf("error=access_denied gave %v, want an error that wraps ErrAccessDenied", err)
	}
	return nil
}

func (c identityChecks) quietErrors(ctx context.Context) error {
	const text = "<script>alert(1)</script>"
	for _, code := range []string{"access_denied", "server_error", text, strings.Repeat("a", 5000)} {
		s, err := c.browse(ctx)
		if err != nil {
			return err
		}
		s.query.Del("code")
		s.query.Set("error", code)
		s.query.Set("error_description", text)
		_, err = c.end(ctx, s)
		if err == nil {
			return errors.New("a callback with an error was accepted")
		}
		if strings.Contains(err.Error(), text) || len(err.Error()) > 1000 {
			return errors.New("the error repeats what the provider wrote (S25)")
		}
	}
	s, err := c.browse(ctx)
	if err != nil {
		return err
	}
	const code = "made-up-code-that-nobody-gave-out"
	s.query.Set("code", code)
	_, err = c.end(ctx, s)
	if err == nil {
		return errors.New("a made-up code was accepted")
	}
	for what, secret := range map[string]string{"code": code, "state": s.state, "private data": string(s.private)} {
		if secret != "" && strings.Contains(err.Error(), secret) {
			return fmt.Errorf("the error has the %s in it (S41)", what)
		}
	}
	return nil
}

func (c identityChecks) oddArguments(ctx context.Context) error {
	for _, redirectURI := range []string{"", "%", "javascript:alert(1)", c.RedirectURI} {
		location, _, err := c.provider.LoginURL(ctx, redirectURI, "")
		if err == nil && location == "" {
			return errors.New("LoginURL gave neither a location nor an error")
		}
		if _, err := c.provider.HandleCallback(ctx, redirectURI, nil, nil); err == nil {
			return errors.New("HandleCallback accepted nothing at all")
		}
	}
	return nil
}

func (c identityChecks) cancelled(ctx context.Context) error {
	s, err := c.browse(ctx)
	if err != nil {
		return err
	}
	if err := cancelled(ctx, func(over context.Context) error {
		_, _, _ = c.provider.LoginURL(over, c.RedirectURI, newState())
		return nil
	}); err != nil {
		return fmt.Errorf("LoginURL: %w", err)
	}
	return cancelled(ctx, func(over context.Context) error {
		return c.refuses(over, "HandleCallback with a cancelled context", s)
	})
}

func (c identityChecks) optional(ctx context.Context) error {
	if sender, ok := c.provider.(providers.IssuerSender); ok {
		s, err := c.browse(ctx)
		if err != nil {
			return err
		}
		sends, err := sender.SendsIssuer(ctx)
		if err != nil {
			return fmt.Errorf("SendsIssuer: %w", err)
		}
		if sends && len(s.query["iss"]) != 1 {
			return fmt.Errorf("SendsIssuer is true, but the callback has %d iss (S23)", len(s.query["iss"]))
		}
	}
	if logouter, ok := c.provider.(providers.LogoutURLer); ok {
		location, err := logouter.LogoutURL(ctx, providers.Session{}, "https://app.example.com/")
		if err != nil {
			return fmt.Errorf("LogoutURL: %w", err)
		}
		if u, err := url.Parse(location); location != "" && (err != nil || u.Host == "") {
			return errors.New("LogoutURL gave neither an absolute URL nor nothing")
		}
	}
	if logouter, ok := c.provider.(providers.BackChannelLogouter); ok {
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", http.NoBody)
		if _, _, _, err := logouter.BackChannelLogout(r); err == nil {
			return errors.New("BackChannelLogout accepted an empty request")
		}
	}
	return nil
}
