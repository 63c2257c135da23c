package fakegithub_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/datahq/auth-gateway/providers/providertest/fakegithub"
)

const callbackURL = "https://client.example/cb"

var ada = fakegithub.Person{
	ID: 1, Login: "ada", Name: "Ada", AvatarURL: "https://img.example/1.png",
	Emails: fakegithub.Verified("ada@example.com", "ada@other.example"),
}

// world is a GitHub with x/oauth2 as its client, as everybody has it.
type world struct {
	*fakegithub.GitHub
	client *http.Client
	config oauth2.Config
}

func newWorld(t *testing.T, config fakegithub.Config) *world {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	config.URL = "http://" + server.Listener.Addr().String()
	config.Clients = []fakegithub.Client{{ID: "app", Secret: "s:e+c", CallbackURL: callbackURL}}
	w := &world{GitHub: fakegithub.New(config)}
	server.Config.Handler = w.GitHub
	server.Start()
	t.Cleanup(server.Close)
	w.client = server.Client()
	w.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	w.config = oauth2.Config{
		ClientID: "app", ClientSecret: "s:e+c", RedirectURL: callbackURL, Scopes: []string{"user:email"},
		Endpoint: oauth2.Endpoint{
			AuthURL: config.URL + "/login/oauth/authorize", TokenURL: config.URL + "/login/oauth/access_token",
			AuthStyle: oauth2.AuthStyleInParams,
		},
	}
	return w
}

func (w *world) get(t *testing.T, location, token string) (status int, header http.Header, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, location, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := w.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

// authorize begins a sign-in and returns where the browser is sent.
func (w *world) authorize(t *testing.T, options ...oauth2.AuthCodeOption) *url.URL {
	t.Helper()
	status, header, body := w.get(t, w.config.AuthCodeURL("st", options...), "")
	location, err := url.Parse(header.Get("Location"))
	if err != nil || status != http.StatusFound {
		t.Fatalf("authorize: %d %q %q", status, location, body)
	}
	return location
}

func (w *world) exchange(t *testing.T, code string, options ...oauth2.AuthCodeOption) (*oauth2.Token, error) {
	t.Helper()
	return w.config.Exchange(context.WithValue(t.Context(), oauth2.HTTPClient, w.client), code, options...)
}

// token signs in and returns the token.
func (w *world) token(t *testing.T, person fakegithub.Person, faults ...fakegithub.Fault) string {
	t.Helper()
	w.Next(person, faults...)
	token, err := w.exchange(t, w.authorize(t).Query().Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	return token.AccessToken
}

func TestSignIn(t *testing.T) {
	w := newWorld(t, fakegithub.Config{})
	w.Next(ada)
	verifier := oauth2.GenerateVerifier()
	location := w.authorize(t, oauth2.S256ChallengeOption(verifier))
	query := location.Query()
	if query.Get("state") != "st" || query.Get("iss") != w.URL()+"/login/oauth" || !strings.HasPrefix(location.String(), callbackURL+"?") {
		t.Errorf("callback %v", location)
	}
	token, err := w.exchange(t, query.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	if scope := token.Extra("scope"); scope != "user:email" || token.Type() != "Bearer" {
		t.Errorf("scope %v, type %s", scope, token.Type())
	}
	for _, api := range []string{w.URL(), w.URL() + "/api/v3"} {
		var user map[string]any
		_, _, body := w.get(t, api+"/user", token.AccessToken)
		if err := json.Unmarshal([]byte(body), &user); err != nil || user["login"] != "ada" || user["id"] != 1.0 || user["email"] != nil {
			t.Errorf("user %s, %v", body, err)
		}
		var emails []map[string]any
		_, _, body = w.get(t, api+"/user/emails", token.AccessToken)
		if err := json.Unmarshal([]byte(body), &emails); err != nil || len(emails) != 2 ||
			emails[0]["email"] != "ada@example.com" || emails[0]["primary"] != true || emails[1]["primary"] != false || emails[1]["verified"] != true {
			t.Errorf("emails %s, %v", body, err)
		}
	}
}

// The token endpoint speaks JSON only to who asks for it, and says errors with
// status 200 either way.
func TestTokenAnswers(t *testing.T) {
	w := newWorld(t, fakegithub.Config{})
	for accept, want := range map[string]string{
		"": "application/x-www-form-urlencoded", "application/json": "application/json", "*/*": "application/x-www-form-urlencoded",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.URL()+"/login/oauth/access_token",
			strings.NewReader(url.Values{"client_id": {"app"}, "client_secret": {"s:e+c"}, "code": {"made-up"}}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if accept != "" {
			r.Header.Set("Accept", accept)
		}
		resp, err := w.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), want) || !strings.Contains(string(body), "bad_verification_code") {
			t.Errorf("%q: %d %s %s", accept, resp.StatusCode, resp.Header.Get("Content-Type"), body)
		}
	}
}

func TestTokenErrors(t *testing.T) {
	now := time.Now()
	w := newWorld(t, fakegithub.Config{Now: func() time.Time { return now }})
	w.Always(ada)
	verifier := oauth2.GenerateVerifier()
	code := func() string {
		return w.authorize(t, oauth2.S256ChallengeOption(verifier)).Query().Get("code")
	}
	right := oauth2.VerifierOption(verifier)
	check := func(what, code, want string, options ...oauth2.AuthCodeOption) {
		t.Helper()
		_, err := w.exchange(t, code, options...)
		var refused *oauth2.RetrieveError
		if want == "" && err != nil || want != "" && (!errors.As(err, &refused) || refused.ErrorCode != want) {
			t.Errorf("%s: %v, want %q", what, err, want)
		}
	}
	used := code()
	check("good", used, "", right)
	check("a second time", used, "bad_verification_code", right)
	check("no verifier", code(), "bad_verification_code")
	check("another verifier", code(), "bad_verification_code", oauth2.VerifierOption(oauth2.GenerateVerifier()))
	check("another redirect URI", code(), "redirect_uri_mismatch", right, oauth2.SetAuthURLParam("redirect_uri", callbackURL+"/x"))
	late := code()
	now = now.Add(11 * time.Minute)
	check("late", late, "bad_verification_code", right)
	w.config.ClientSecret = "wrong"
	check("wrong secret", code(), "incorrect_client_credentials", right)
	w.config.ClientSecret, w.config.Endpoint.AuthStyle = "s:e+c", oauth2.AuthStyleInHeader
	check("secret in the header", code(), "incorrect_client_credentials", right)
}

// Redirect URIs: the registered one, and below it.
func TestRedirectURIs(t *testing.T) {
	w := newWorld(t, fakegithub.Config{})
	w.Always(ada)
	for asked, want := range map[string]bool{
		callbackURL: true, callbackURL + "/github": true, callbackURL + "/a/b": true, "": true,
		callbackURL + "x": false, "https://client.example/": false, "http://client.example/cb": false,
		"https://client.example:8443/cb": false, "https://attacker.example/cb": false, callbackURL + "/../other": false,
		"https://u@client.example/cb": false,
	} {
		w.config.RedirectURL = asked
		location := w.authorize(t)
		if got := location.Query().Get("code") != ""; got != want {
			t.Errorf("%q: accepted: %v, want %v", asked, got, want)
		}
		if !want && (location.Query().Get("error") != "redirect_uri_mismatch" || !strings.HasPrefix(location.String(), callbackURL+"?")) {
			t.Errorf("%q: sent to %s", asked, location)
		}
	}
}

func TestAPI(t *testing.T) {
	w := newWorld(t, fakegithub.Config{})
	token := w.token(t, ada)
	for path, want := range map[string]int{
		"/user": 200, "/user/emails": 200, "/api/v3/user": 200, "/users": 404, "/api/v3/login/oauth/authorize": 404,
	} {
		if status, _, body := w.get(t, w.URL()+path, token); status != want {
			t.Errorf("%s: %d %s, want %d", path, status, body, want)
		}
	}
	for _, bad := range []string{"", "made-up", w.token(t, ada, fakegithub.RevokedToken)} {
		if status, _, _ := w.get(t, w.URL()+"/user", bad); status != http.StatusUnauthorized {
			t.Errorf("token %q: %d, want 401", bad, status)
		}
	}
	if status, _, _ := w.get(t, w.URL()+"/user/emails", w.token(t, ada, fakegithub.NoScope)); status != http.StatusNotFound {
		t.Errorf("without the scope: %d, want 404", status)
	}
	_, header, body := w.get(t, w.URL()+"/user/emails?per_page=1&page=2", token)
	if !strings.Contains(body, "ada@other.example") || strings.Contains(body, "ada@example.com") || header.Get("Link") != "" {
		t.Errorf("page 2: %s %s", body, header)
	}
	if _, header, body = w.get(t, w.URL()+"/user/emails?per_page=1", token); !strings.Contains(header.Get("Link"), "page=2") || strings.Contains(body, "other") {
		t.Errorf("page 1: %s %s", body, header)
	}
	if _, _, body = w.get(t, w.URL()+"/user/emails?page=9", token); body != "[]" {
		t.Errorf("page 9: %s", body)
	}
}

func TestFaultsOfTheCallback(t *testing.T) {
	w := newWorld(t, fakegithub.Config{})
	if got := w.authorize(t).Query().Get("error"); got != "access_denied" {
		t.Errorf("without a script: %q, want access_denied", got)
	}
	for fault, want := range map[fakegithub.Fault]url.Values{
		fakegithub.AccessDenied:         {"error": {"access_denied"}, "state": {"st"}, "iss": {w.Issuer()}, "code": {""}},
		fakegithub.ApplicationSuspended: {"error": {"application_suspended"}, "state": {"st"}, "iss": {w.Issuer()}},
		fakegithub.NoState:              {"error": {""}, "state": {""}, "iss": {w.Issuer()}},
		fakegithub.NoIssuer:             {"error": {""}, "state": {"st"}, "iss": {""}},
		fakegithub.WrongIssuer:          {"error": {""}, "state": {"st"}, "iss": {"https://attacker.example/login/oauth"}},
	} {
		w.Next(ada, fault)
		query := w.authorize(t).Query()
		for name := range want {
			if query.Get(name) != want.Get(name) {
				t.Errorf("%s: %s is %q, want %q", fault, name, query.Get(name), want.Get(name))
			}
		}
	}
	if old := newWorld(t, fakegithub.Config{OmitIssuer: true}); old.authorize(t).Query().Has("iss") {
		t.Error("OmitIssuer: there is an iss")
	}
}

// Each failure is what it says, at any endpoint, until it is repaired.
func TestFailures(t *testing.T) {
	w := newWorld(t, fakegithub.Config{Delay: time.Millisecond})
	token := w.token(t, ada)
	want := map[fakegithub.Failure]int{
		fakegithub.Slow: 200, fakegithub.Down: 503, fakegithub.ServerError: 500, fakegithub.Unauthorized: 401,
		fakegithub.Forbidden: 403, fakegithub.RateLimited: 403, fakegithub.RetryAfter: 403,
		fakegithub.SecondaryRateLimited: 403, fakegithub.TooManyRequests: 429, fakegithub.Redirecting: 302,
		fakegithub.HTMLInsteadOfJSON: 200, fakegithub.ObjectInstead: 200, fakegithub.ListInstead: 200,
		fakegithub.NullInstead: 200, fakegithub.CutOff: 200, fakegithub.TwoAnswers: 200, fakegithub.HugeAnswer: 200,
	}
	_, _, good := w.get(t, w.URL()+"/user", token)
	for _, failure := range fakegithub.Failures() {
		w.Break(fakegithub.User, failure)
		status, _, body := w.get(t, w.URL()+"/user", token)
		if status != want[failure] || (body == good) != (failure == fakegithub.Slow) {
			t.Errorf("%s: %d %.80s, want %d", failure, status, body, want[failure])
		}
	}
	w.Break(fakegithub.User, "")
	if _, _, body := w.get(t, w.URL()+"/user", token); body != good {
		t.Error("it is not repaired")
	}
	if got := w.Requests(fakegithub.User); got != len(want)+2 {
		t.Errorf("%d requests, want %d", got, len(want)+2)
	}
}
