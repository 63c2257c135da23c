package oidc

import (
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/providers"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

func TestSignIn(t *testing.T) {
	w := newWorld(t, fakeidp.Config{})
	who, err := w.signIn(t, ada)
	if err != nil {
		t.Fatal(err)
	}
	if who.SessionID == "" {
		t.Error("no SessionID")
	}
	who.SessionID = ""
	want := providers.Identity{
		Issuer: w.idp.Issuer(), Subject: "1234", Email: "ada@example.com", EmailVerified: true,
		Name: "Ada Lovelace", Username: "ada", AvatarURL: "https://img.example/ada.png",
		Groups: []string{"staff", "admin"},
		Claims: map[string]any{"groups": []any{"staff", "admin"}, "hd": "example.com"},
	}
	if !reflect.DeepEqual(who, want) {
		t.Errorf("got  %+v\nwant %+v", who, want)
	}
}

// TestFaults: everything that a provider, or somebody between, can get wrong.
// Nothing of it ends in an identity but what says so.
func TestFaults(t *testing.T) {
	tests := []struct {
		fault fakeidp.Fault
		rule  string
		is    error  // the sentinel, if any
		text  string // in the error; "" means that it is a sign-in
	}{
		{fakeidp.AccessDenied, "the person's no", providers.ErrAccessDenied, "access_denied"},
		{fakeidp.WrongIssParameter, "S23: mix-up, another provider's code", nil, `"iss"`},
		{fakeidp.MissingIssParameter, "S23: announced, so its absence is an attack", nil, `no "iss"`},
		{fakeidp.ExpiredCode, "S26: no user from an error", nil, "invalid_grant"},
		{fakeidp.UsedCode, "S26: a stolen code was faster", nil, "invalid_grant"},
		{fakeidp.NoIDToken, "S24: id_token required", nil, "no id_token"},
		{fakeidp.WrongNonce, "S24: an injected code's id_token", nil, `"nonce"`},
		{fakeidp.NoNonce, "S24: no nonce is not any nonce", nil, `"nonce"`},
		{fakeidp.WrongIssuer, "S24: iss", nil, `"iss"`},
		{fakeidp.WrongAudience, "S24: a token for another client", nil, `"aud"`},
		{fakeidp.ManyAudiences, "S24: several aud without azp", nil, `"azp"`},
		{fakeidp.WrongAzp, "S24: azp", nil, `"azp"`},
		{fakeidp.BadSignature, "S24: signature", nil, "signature"},
		{fakeidp.UnknownKey, "S24: a key that is not published", nil, "publishes no key"},
		{fakeidp.AlgNone, "S24: alg none", nil, "RS256"},
		{fakeidp.HS256WithSecret, "S24: HMAC with a secret that others know", nil, "RS256"},
		{fakeidp.ExpiredIDToken, "S24: exp", providers.ErrClockSkew, `"exp"`},
		{fakeidp.FutureIDToken, "S24: iat", providers.ErrClockSkew, `"iat"`},
		{fakeidp.OldIDToken, "S24: iat, an id_token from a drawer", providers.ErrClockSkew, `"iat"`},
		{fakeidp.UserinfoOtherSubject, "S24: userinfo.sub", nil, `"sub"`},
		{fakeidp.Down, "S26", providers.ErrUnavailable, "status 503"},
		{fakeidp.HTMLInsteadOfJSON, "S26: content type", providers.ErrUnavailable, "Content-Type"},
		{fakeidp.HugeAnswer, "S26: 1 MiB", providers.ErrUnavailable, "more than 1048576 bytes"},
		{fakeidp.RedirectingToken, "S26: no redirects", providers.ErrUnavailable, "status 302"},
		{fakeidp.NoState, "S21: the gateway's to judge", nil, ""},
		{fakeidp.NoEmail, "S27: told as absent", nil, ""},
		{fakeidp.UnverifiedEmail, "S27: told as unverified", nil, ""},
		{fakeidp.EmailVerifiedAsString, "S27: told as unverified", nil, ""},
		{fakeidp.EmailInUserinfo, "userinfo is asked", nil, ""},
		{fakeidp.KeyRotation, "S24: new keys are fetched", nil, ""},
		{fakeidp.Slow, "within the time-out", nil, ""},
	}
	w := newWorld(t, fakeidp.Config{Delay: 50 * time.Millisecond})
	if _, err := w.signIn(t, ada); err != nil { // the keys are cached from here on
		t.Fatal(err)
	}
	seen := map[fakeidp.Fault]bool{}
	for _, test := range tests {
		seen[test.fault] = true
		t.Run(string(test.fault), func(t *testing.T) {
			who, err := w.signIn(t, ada, test.fault)
			if test.text == "" {
				if err != nil || who.Subject != ada.Subject {
					t.Fatalf("%s: %+v, %v; want a sign-in", test.rule, who, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.text) {
				t.Fatalf("%s: error %v, want one with %q", test.rule, err, test.text)
			}
			if !reflect.DeepEqual(who, providers.Identity{}) {
				t.Errorf("%s: an identity came with the error: %+v", test.rule, who)
			}
			for _, sentinel := range []error{providers.ErrAccessDenied, providers.ErrUnavailable, providers.ErrClockSkew} {
				if got, want := errors.Is(err, sentinel), sentinel == test.is; got != want {
					t.Errorf("%s: %v; is %q: %v, want %v", test.rule, err, sentinel, got, want)
				}
			}
			if strings.Contains(err.Error(), "<b>") || strings.Contains(err.Error(), "<script>") {
				t.Errorf("S25: the provider's text is in the error: %v", err)
			}
		})
	}
	for _, fault := range fakeidp.Faults() {
		if !seen[fault] {
			t.Errorf("no row for %s", fault)
		}
	}
}

// S27: what is believed of an address.
func TestEmail(t *testing.T) {
	tests := []struct {
		name     string
		email    string
		verified any
		fault    fakeidp.Fault
		want     string
		trusted  bool
	}{
		{"verified", "ada@example.com", true, "", "ada@example.com", true},
		{"unverified", "ada@example.com", true, fakeidp.UnverifiedEmail, "ada@example.com", false},
		{"verified as a text", "ada@example.com", true, fakeidp.EmailVerifiedAsString, "ada@example.com", false},
		{"verified as a number", "ada@example.com", 1, "", "ada@example.com", false},
		{"verification not mentioned", "ada@example.com", nil, "", "ada@example.com", false},
		{"in the userinfo only", "ada@example.com", true, fakeidp.EmailInUserinfo, "ada@example.com", true},
		{"none", "", true, fakeidp.NoEmail, "", false},
		{"two @", "ada@evil.example@example.com", true, "", "", false},
		{"with a name", "Ada <ada@example.com>", true, "", "", false},
		{"with a line break", "ada@example.com\nbcc: eve@example.com", true, "", "", false},
		{"full-width letters", "ａda@example.com", true, "", "", false},
		{"case is kept", "Ada@Example.COM", true, "", "Ada@Example.COM", true},
	}
	w := newWorld(t, fakeidp.Config{})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			person := ada
			person.Email, person.EmailVerified = test.email, test.verified
			who, err := w.signIn(t, person, test.fault)
			if err != nil {
				t.Fatal(err)
			}
			if who.Email != test.want || who.EmailVerified != test.trusted {
				t.Errorf("got %q %v, want %q %v", who.Email, who.EmailVerified, test.want, test.trusted)
			}
			if who.Claims["email"] != nil || who.Claims["email_verified"] != nil {
				t.Error("the raw address is in Claims, past the checks")
			}
		})
	}
}

// S24: the subject is the account key.
func TestSubject(t *testing.T) {
	w := newWorld(t, fakeidp.Config{})
	for _, subject := range []string{"", "\n", "ädä", strings.Repeat("x", 256), "a\x00b"} {
		if who, err := w.signIn(t, fakeidp.Person{Subject: subject}); err == nil {
			t.Errorf("subject %q was accepted: %+v", subject, who)
		}
	}
	for _, wrong := range []any{1234, true, nil, []string{"1234"}} {
		person := fakeidp.Person{Subject: "1234", Extra: map[string]any{"sub": wrong}}
		if who, err := w.signIn(t, person); err == nil {
			t.Errorf("subject %v was accepted: %+v", wrong, who)
		}
	}
	if _, err := w.signIn(t, fakeidp.Person{Subject: strings.Repeat("x", 255)}); err != nil {
		t.Errorf("255 characters: %v", err)
	}
}

// S24: encoding/json takes "SUB" for a field "sub". A provider that lets people
// add claims of their own must not let them be somebody else thereby.
func TestClaimNamesAreExact(t *testing.T) {
	w := newWorld(t, fakeidp.Config{})
	mallory := fakeidp.Person{Subject: "mallory", Extra: map[string]any{
		"SUB": "1234", "Sub": "1234", "EMAIL": "ada@example.com", "Email_Verified": true,
	}}
	who, err := w.signIn(t, mallory)
	if err != nil || who.Subject != "mallory" || who.Email != "" || who.EmailVerified {
		t.Errorf("got %+v, %v", who, err)
	}
	if who, err := w.signIn(t, fakeidp.Person{Subject: "1", Extra: map[string]any{"AUD": testClientID}}, fakeidp.WrongAudience); err == nil {
		t.Errorf(`"AUD" was taken for "aud": %+v`, who)
	}
}

// S45: the provider's tokens are in nothing that is kept.
func TestTokensAreDropped(t *testing.T) {
	w := newWorld(t, fakeidp.Config{})
	person := ada
	person.Extra = map[string]any{"access_token": "a", "refresh_token": "b", "_claim_sources": map[string]any{}, "at_hash": "x"}
	who, err := w.signIn(t, person)
	if err != nil {
		t.Fatal(err)
	}
	if len(who.Claims) != 0 {
		t.Errorf("claims %v, want none", who.Claims)
	}
}

// S22: the code is worth nothing without the verifier of its sign-in, and the
// id_token nothing without its nonce.
func TestVerifierAndNonceAreNeeded(t *testing.T) {
	w := newWorld(t, fakeidp.Config{})
	w.idp.Always(ada)
	first, query := w.browse(t)
	second, _ := w.browse(t)
	a, err := parseAttempt(first)
	if err != nil {
		t.Fatal(err)
	}
	b, err := parseAttempt(second)
	if err != nil {
		t.Fatal(err)
	}
	if a.Verifier == b.Verifier || a.Nonce == b.Nonce || len(a.Verifier) != 43 || len(a.Nonce) != 43 {
		t.Errorf("two sign-ins have %+v and %+v, want fresh 256 bits each", a, b)
	}
	// The attacker injects a victim's code into a sign-in of his own.
	mixed := fmt.Sprintf(`{"verifier":%q,"nonce":%q}`, b.Verifier, a.Nonce)
	if _, err := w.HandleCallback(t.Context(), redirectURI, []byte(mixed), query); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("another verifier: %v, want invalid_grant", err)
	}
	_, query = w.browse(t)
	first, query2 := w.browse(t)
	a, err = parseAttempt(first)
	if err != nil {
		t.Fatal(err)
	}
	mixed = fmt.Sprintf(`{"verifier":%q,"nonce":%q}`, a.Verifier, b.Nonce)
	if _, err := w.HandleCallback(t.Context(), redirectURI, []byte(mixed), query2); err == nil || !strings.Contains(err.Error(), `"nonce"`) {
		t.Errorf("another nonce: %v", err)
	}
	if _, err := w.HandleCallback(t.Context(), redirectURI+"/other", first, query); err == nil {
		t.Error("another redirect URI was accepted")
	}
}

func TestLoginURL(t *testing.T) {
	w := newWorld(t, fakeidp.Config{}, func(p *Provider) {
		p.AuthParams = map[string]string{"prompt": "select_account", "hd": "example.com"}
		p.Scopes = []string{"openid", "groups"}
	})
	location, private, err := w.LoginURL(t.Context(), redirectURI, "st&ate")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	a, err := parseAttempt(private)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"response_type": "code", "client_id": testClientID, "redirect_uri": redirectURI, "state": "st&ate",
		"scope": "openid groups", "nonce": a.Nonce, "code_challenge_method": "S256",
		"prompt": "select_account", "hd": "example.com",
	} {
		if values := query[name]; len(values) != 1 || values[0] != want {
			t.Errorf("%s is %q, want %q", name, values, want)
		}
	}
	if strings.Contains(location, a.Verifier) || strings.Contains(location, testSecret) {
		t.Error("the URL has the verifier or the secret in it")
	}
}

func TestErrorCallbacks(t *testing.T) {
	w := newWorld(t, fakeidp.Config{})
	w.idp.Always(ada)
	private, good := w.browse(t)
	tests := []struct {
		query url.Values
		is    error
		text  string
	}{
		{url.Values{"error": {"access_denied"}}, providers.ErrAccessDenied, "access_denied"},
		{url.Values{"error": {"login_required"}}, providers.ErrAccessDenied, "login_required"},
		{url.Values{"error": {"consent_required"}}, providers.ErrAccessDenied, "consent_required"},
		{url.Values{"error": {"interaction_required"}}, providers.ErrAccessDenied, "interaction_required"},
		{url.Values{"error": {"server_error"}, "error_description": {"secret text"}}, nil, "server_error"},
		{url.Values{"error": {"server_error"}, "code": good["code"]}, nil, "server_error"},
		{url.Values{"error": {"<img src=x>"}}, nil, "with an error"},
		{url.Values{"error": {"Access_Denied"}}, nil, "with an error"},
		{url.Values{"error": {""}}, nil, "with an error"},
		{url.Values{"error": {strings.Repeat("a", 41)}}, nil, "with an error"},
		{url.Values{"error": {"access_denied"}, "iss": {"https://attacker.example"}}, nil, `"iss"`},
		{url.Values{"code": good["code"], "iss": {w.idp.Issuer(), w.idp.Issuer()}}, nil, `"iss"`},
		{url.Values{"code": good["code"], "iss": {w.idp.Issuer() + "/"}}, nil, `"iss"`},
		{url.Values{"code": good["code"], "iss": {""}}, nil, `"iss"`},
		{url.Values{"iss": {w.idp.Issuer()}}, nil, "exactly one code"},
		{url.Values{"iss": {w.idp.Issuer()}, "code": {"a", "b"}}, nil, "exactly one code"},
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
	if got := w.idp.Requests(fakeidp.Token); got != 0 {
		t.Errorf("the token endpoint was asked %d times, want never", got)
	}
	if _, err := w.HandleCallback(t.Context(), redirectURI, private, good); err != nil {
		t.Errorf("the good callback: %v", err)
	}
}

// S23: a provider that does not announce "iss" need not send it.
func TestIssuerNotAnnounced(t *testing.T) {
	w := newWorld(t, fakeidp.Config{OmitIssuer: true})
	if _, err := w.signIn(t, ada); err != nil {
		t.Errorf("without iss: %v", err)
	}
	if _, err := w.signIn(t, ada, fakeidp.WrongIssParameter); err == nil {
		t.Error("a foreign iss was accepted since none was announced")
	}
	if sends, err := w.SendsIssuer(t.Context()); err != nil || sends {
		t.Errorf("SendsIssuer: %v, %v", sends, err)
	}
}

// A code that was tried by one method of authentication is gone: the method
// must be right at the first try.
func TestAuthStyle(t *testing.T) {
	tests := []struct {
		name    string
		methods []string
		secret  string
	}{
		{"basic", []string{"client_secret_basic"}, testSecret},
		{"post", []string{"client_secret_post"}, testSecret},
		{"both", []string{"client_secret_post", "client_secret_basic"}, testSecret},
		{"public client", []string{"none"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, fakeidp.Config{
				AuthMethods: test.methods,
				Clients:     []fakeidp.Client{{ID: testClientID, Secret: test.secret, RedirectURIs: []string{redirectURI}}},
			}, func(p *Provider) { p.ClientSecret = test.secret })
			if _, err := w.signIn(t, ada); err != nil {
				t.Error(err)
			}
			if got := w.idp.Requests(fakeidp.Token); got != 1 {
				t.Errorf("the token endpoint was asked %d times, want 1", got)
			}
		})
	}
}

func TestNotProvisioned(t *testing.T) {
	for _, p := range []providers.IdentityProvider{new(Provider), new(Google)} {
		if _, _, err := p.LoginURL(t.Context(), redirectURI, "state"); err == nil {
			t.Errorf("%T: LoginURL works before Provision", p)
		}
		if _, err := p.HandleCallback(t.Context(), redirectURI, nil, nil); err == nil {
			t.Errorf("%T: HandleCallback works before Provision", p)
		}
	}
	if _, err := new(Provider).SendsIssuer(t.Context()); err == nil {
		t.Error("SendsIssuer works before Provision")
	}
	if err := new(Provider).Cleanup(); err != nil {
		t.Error(err)
	}
}
