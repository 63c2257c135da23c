package github

import (
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/providers"
	"github.com/datahq/auth-gateway/providers/providertest/fakegithub"
)

func TestSignIn(t *testing.T) {
	for name, omit := range map[string]bool{"with iss": false, "without iss": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fakegithub.Config{OmitIssuer: omit})
			who, err := w.signIn(t, ada)
			if err != nil {
				t.Fatal(err)
			}
			want := providers.Identity{
				Issuer: w.github.URL(), Subject: "1234", Email: "ada@example.com", EmailVerified: true,
				Name: "Ada Lovelace", Username: "ada", AvatarURL: "https://img.example/ada.png",
				Claims: map[string]any{
					"login": "ada", "html_url": w.github.URL() + "/ada", "type": "User", "site_admin": false,
					"created_at": "2008-01-14T04:33:35Z",
				},
			}
			if !reflect.DeepEqual(who, want) {
				t.Errorf("got  %+v\nwant %+v", who, want)
			}
			for _, endpoint := range []fakegithub.Endpoint{fakegithub.AccessToken, fakegithub.User, fakegithub.Emails} {
				if got := w.github.Requests(endpoint); got != 1 {
					t.Errorf("%s was asked %d times, want once", endpoint, got)
				}
			}
		})
	}
}

// TestFaults: everything that can be wrong with the callback and the token.
// GitHub says most of it with status 200, where a careless client goes on.
func TestFaults(t *testing.T) {
	tests := []struct {
		fault fakegithub.Fault
		rule  string
		is    error  // the sentinel, if any
		text  string // in the error; "" means that it is a sign-in
	}{
		{fakegithub.AccessDenied, "the person's no", providers.ErrAccessDenied, "access_denied"},
		{fakegithub.ApplicationSuspended, "GitHub's no to the app", nil, "application_suspended"},
		{fakegithub.NoState, "S21: the gateway's to judge", nil, ""},
		{fakegithub.NoIssuer, "S23: not everybody's GitHub sends it", nil, ""},
		{fakegithub.WrongIssuer, "S23: mix-up, another provider's code", nil, `"iss"`},
		{fakegithub.BadVerificationCode, "S26: an error with status 200", nil, "bad_verification_code"},
		{fakegithub.IncorrectClientCredentials, "S26: an error with status 200", nil, "incorrect_client_credentials"},
		{fakegithub.RedirectURIMismatch, "S26: an error with status 200", nil, "redirect_uri_mismatch"},
		{fakegithub.UnverifiedUserEmail, "S26: an error with status 200", nil, "unverified_user_email"},
		{fakegithub.NoToken, "S26: neither token nor error", nil, "not a token response"},
		{fakegithub.NoScope, "the operator is told why", nil, "status 404; the app may lack the scope user:email"},
		{fakegithub.RevokedToken, "a token that is no good", nil, "status 401"},
	}
	w := newWorld(t, fakegithub.Config{})
	seen := map[fakegithub.Fault]bool{}
	for _, test := range tests {
		seen[test.fault] = true
		t.Run(string(test.fault), func(t *testing.T) {
			who, err := w.signIn(t, ada, test.fault)
			if test.text == "" {
				if err != nil || who.Subject != "1234" {
					t.Fatalf("%s: %+v, %v; want a sign-in", test.rule, who, err)
				}
				return
			}
			checkRefused(t, who, err, test.is, test.text)
		})
	}
	for _, fault := range fakegithub.Faults() {
		if !seen[fault] {
			t.Errorf("no row for %s", fault)
		}
	}
}

// checkRefused checks that there is an error with text in it, of that sentinel
// alone, and no identity and no text of GitHub's beside it.
func checkRefused(t *testing.T, who providers.Identity, err, is error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Fatalf("error %v, want one with %q", err, text)
	}
	if !reflect.DeepEqual(who, providers.Identity{}) {
		t.Errorf("an identity came with the error: %+v", who)
	}
	for _, sentinel := range []error{providers.ErrAccessDenied, providers.ErrUnavailable, providers.ErrClockSkew} {
		if got, want := errors.Is(err, sentinel), sentinel == is; got != want {
			t.Errorf("%v; is %q: %v, want %v", err, sentinel, got, want)
		}
	}
	if strings.Contains(err.Error(), "<") {
		t.Errorf("S25: GitHub's text is in the error: %v", err)
	}
}

// TestFailures: O20: a GitHub that is in trouble, has had enough or answers
// something else was a 500 in the original, and must never be a sign-in.
func TestFailures(t *testing.T) {
	down := providers.ErrUnavailable
	type want struct {
		is   error
		text string // in the error; "" means that it is a sign-in
	}
	tests := map[fakegithub.Failure]struct{ token, user, emails want }{
		fakegithub.Slow:                 {want{}, want{}, want{}},
		fakegithub.Down:                 {want{down, "status 503"}, want{down, "status 503"}, want{down, "status 503"}},
		fakegithub.ServerError:          {want{down, "status 500"}, want{down, "status 500"}, want{down, "status 500"}},
		fakegithub.Unauthorized:         {want{nil, "with an error"}, want{nil, "status 401"}, want{nil, "status 401"}},
		fakegithub.Forbidden:            {want{nil, "with an error"}, want{nil, "status 403"}, want{nil, "status 403; the app may lack"}},
		fakegithub.RateLimited:          {want{down, "too often"}, want{down, "too often"}, want{down, "too often"}},
		fakegithub.RetryAfter:           {want{down, "too often"}, want{down, "too often"}, want{down, "too often"}},
		fakegithub.SecondaryRateLimited: {want{down, "too often"}, want{down, "too often"}, want{down, "too often"}},
		fakegithub.TooManyRequests:      {want{down, "too often"}, want{down, "too often"}, want{down, "too often"}},
		fakegithub.Redirecting:          {want{down, "status 302"}, want{down, "status 302"}, want{down, "status 302"}},
		fakegithub.HTMLInsteadOfJSON:    {want{down, "Content-Type"}, want{down, "Content-Type"}, want{down, "Content-Type"}},
		fakegithub.ObjectInstead:        {want{nil, "not a token response"}, want{nil, "no id"}, want{nil, "not what it should be"}},
		fakegithub.ListInstead:          {want{nil, "not a token response"}, want{nil, "not what it should be"}, want{nil, "not what it should be"}},
		fakegithub.NullInstead:          {want{nil, "not a token response"}, want{nil, "no id"}, want{nil, "is null"}},
		fakegithub.CutOff:               {want{nil, "not a token response"}, want{nil, "not what it should be"}, want{nil, "not what it should be"}},
		fakegithub.TwoAnswers:           {want{nil, "not a token response"}, want{nil, "something behind it"}, want{nil, "not what it should be"}},
		fakegithub.HugeAnswer:           {want{down, "more than 1048576 bytes"}, want{down, "more than 1048576 bytes"}, want{down, "more than 1048576 bytes"}},
	}
	w := newWorld(t, fakegithub.Config{Delay: 50 * time.Millisecond})
	for _, failure := range fakegithub.Failures() {
		test, ok := tests[failure]
		if !ok {
			t.Errorf("no row for %s", failure)
		}
		for endpoint, want := range map[fakegithub.Endpoint]want{
			fakegithub.AccessToken: test.token, fakegithub.User: test.user, fakegithub.Emails: test.emails,
		} {
			t.Run(string(failure)+string(endpoint), func(t *testing.T) {
				w.github.Break(endpoint, failure)
				defer w.github.Break(endpoint, "")
				who, err := w.signIn(t, ada)
				if want.text == "" {
					if err != nil || who.Subject != "1234" {
						t.Fatalf("%+v, %v; want a sign-in", who, err)
					}
					return
				}
				checkRefused(t, who, err, want.is, want.text)
				if hint := "the app may lack"; strings.Contains(err.Error(), hint) && !strings.Contains(want.text, hint) {
					t.Errorf("the operator is sent to look for a missing permission: %v", err)
				}
			})
		}
	}
}

// The server is not there at all.
func TestUnreachable(t *testing.T) {
	w := newWorld(t, fakegithub.Config{})
	w.github.Next(ada)
	private, query := w.browse(t)
	gone := &Provider{URL: "http://127.0.0.1:1", ClientID: testClientID, ClientSecret: testSecret}
	provision(t, gone)
	query.Del("iss")
	if _, err := gone.HandleCallback(t.Context(), redirectURI, private, query); !errors.Is(err, providers.ErrUnavailable) {
		t.Errorf("error %v, want one that wraps ErrUnavailable", err)
	}
}

// S22: a stolen code is worth nothing without the verifier of its sign-in, nor
// at another redirect URI, nor twice.
func TestCodeIsBound(t *testing.T) {
	w := newWorld(t, fakegithub.Config{})
	w.github.Always(ada)
	first, query := w.browse(t)
	second, _ := w.browse(t)
	a, err := parseAttempt(first)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := parseAttempt(second); err != nil || a.Verifier == b.Verifier || len(a.Verifier) != 43 {
		t.Errorf("two sign-ins have %+v and %+v (%v), want fresh 256 bits each", a, b, err)
	}
	// The attacker injects a victim's code into a sign-in of his own.
	if _, err := w.HandleCallback(t.Context(), redirectURI, second, query); err == nil || !strings.Contains(err.Error(), "bad_verification_code") {
		t.Errorf("another verifier: %v, want bad_verification_code", err)
	}
	first, query = w.browse(t)
	if _, err := w.HandleCallback(t.Context(), registered+"/other", first, query); err == nil || !strings.Contains(err.Error(), "redirect_uri_mismatch") {
		t.Errorf("another redirect URI: %v, want redirect_uri_mismatch", err)
	}
	first, query = w.browse(t)
	if _, err := w.HandleCallback(t.Context(), redirectURI, first, query); err != nil {
		t.Errorf("the good callback: %v", err)
	}
	if _, err := w.HandleCallback(t.Context(), redirectURI, first, query); err == nil {
		t.Error("a code was accepted twice")
	}
}

func TestErrorCallbacks(t *testing.T) {
	w := newWorld(t, fakegithub.Config{})
	w.github.Always(ada)
	private, good := w.browse(t)
	sender := w.github.Issuer()
	tests := []struct {
		query url.Values
		is    error
		text  string
	}{
		{url.Values{"error": {"access_denied"}}, providers.ErrAccessDenied, "access_denied"},
		{url.Values{"error": {"redirect_uri_mismatch"}, "error_description": {"secret text"}}, nil, "redirect_uri_mismatch"},
		{url.Values{"error": {"access_denied"}, "code": good["code"]}, providers.ErrAccessDenied, "access_denied"},
		{url.Values{"error": {"<img src=x>"}}, nil, "with an error"},
		{url.Values{"error": {""}}, nil, "with an error"},
		// S23: "iss" exactly as GitHub writes it, once, or not at all.
		{url.Values{"error": {"access_denied"}, "iss": {"https://attacker.example"}}, nil, `"iss"`},
		{url.Values{"code": good["code"], "iss": {"https://accounts.google.com"}}, nil, `"iss"`},
		{url.Values{"code": good["code"], "iss": {w.github.URL()}}, nil, `"iss"`},
		{url.Values{"code": good["code"], "iss": {sender + "/"}}, nil, `"iss"`},
		{url.Values{"code": good["code"], "iss": {strings.ToUpper(sender)}}, nil, `"iss"`},
		{url.Values{"code": good["code"], "iss": {""}}, nil, `"iss"`},
		{url.Values{"code": good["code"], "iss": {sender, sender}}, nil, `"iss"`},
		{url.Values{"iss": {sender}}, nil, "exactly one code"},
		{url.Values{"iss": {sender}, "code": {"a", "b"}}, nil, "exactly one code"},
	}
	for _, test := range tests {
		_, err := w.HandleCallback(t.Context(), redirectURI, private, test.query)
		if err == nil || !strings.Contains(err.Error(), test.text) || errors.Is(err, providers.ErrAccessDenied) != (test.is != nil) {
			t.Errorf("%v: %v", test.query, err)
			continue
		}
		if strings.Contains(err.Error(), "secret text") || strings.Contains(err.Error(), "<img") {
			t.Errorf("S25: %v", err)
		}
	}
	if got := w.github.Requests(fakegithub.AccessToken); got != 0 {
		t.Errorf("the token endpoint was asked %d times, want never", got)
	}
	if _, err := w.HandleCallback(t.Context(), redirectURI, private, good); err != nil {
		t.Errorf("the good callback: %v", err)
	}
}

func TestNotProvisioned(t *testing.T) {
	p := new(Provider)
	if _, _, err := p.LoginURL(t.Context(), redirectURI, "state"); err == nil {
		t.Error("LoginURL works before Provision")
	}
	if _, err := p.HandleCallback(t.Context(), redirectURI, []byte(`{"verifier":"v"}`), url.Values{"code": {"c"}}); err == nil {
		t.Error("HandleCallback works before Provision")
	}
	if err := p.Cleanup(); err != nil {
		t.Error(err)
	}
}
