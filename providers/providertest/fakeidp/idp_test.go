package fakeidp_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

const redirectURI = "http://client.example/cb"

var ada = fakeidp.Person{
	Subject: "1", Email: "ada@example.com", EmailVerified: true, Name: "Ada", Username: "ada",
	Picture: "https://img.example/1.png", Extra: map[string]any{"groups": []string{"staff"}},
}

// world is a provider with go-oidc and x/oauth2 as its client: what they accept
// follows the standard.
type world struct {
	*fakeidp.IdP
	server *httptest.Server
	config oauth2.Config
	meta   *oidc.Provider
	ctx    context.Context
}

func newWorld(t *testing.T, config fakeidp.Config) *world {
	t.Helper()
	w := &world{server: httptest.NewUnstartedServer(nil)}
	config.Issuer = "http://" + w.server.Listener.Addr().String()
	if config.Clients == nil {
		config.Clients = []fakeidp.Client{{ID: "app", Secret: "s:e+c", RedirectURIs: []string{redirectURI}}}
	}
	w.IdP = fakeidp.New(config)
	w.server.Config.Handler = w.IdP
	w.server.Start()
	t.Cleanup(w.server.Close)
	client := w.server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	w.ctx = oidc.ClientContext(t.Context(), client)
	var err error
	if w.meta, err = oidc.NewProvider(w.ctx, config.Issuer); err != nil {
		t.Fatal(err)
	}
	w.config = oauth2.Config{
		ClientID: "app", ClientSecret: "s:e+c", RedirectURL: redirectURI,
		Endpoint: w.meta.Endpoint(), Scopes: []string{"openid", "email", "profile"},
	}
	w.config.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	return w
}

// get asks for a URL without following a redirect.
func (w *world) get(t *testing.T, location string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, location, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := w.server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(body)
}

// authorize begins a sign-in and returns what comes back.
func (w *world) authorize(t *testing.T, verifier string) url.Values {
	t.Helper()
	status, header, body := w.get(t, w.config.AuthCodeURL("st", oauth2.S256ChallengeOption(verifier), oidc.Nonce("no")))
	location, err := url.Parse(header.Get("Location"))
	if status != http.StatusFound || err != nil || !strings.HasPrefix(location.String(), redirectURI+"?") {
		t.Fatalf("authorize: %d %q %q", status, location, body)
	}
	return location.Query()
}

func (w *world) exchange(code, verifier string) (*oauth2.Token, error) {
	return w.config.Exchange(w.ctx, code, oauth2.VerifierOption(verifier))
}

// claims returns the claims of an id_token that go-oidc accepts.
func (w *world) claims(token *oauth2.Token) (map[string]any, error) {
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return nil, errors.New("no id_token")
	}
	idToken, err := w.meta.Verifier(&oidc.Config{ClientID: "app"}).Verify(w.ctx, raw)
	if err != nil {
		return nil, err
	}
	claims := map[string]any{}
	return claims, idToken.Claims(&claims)
}

func TestSignIn(t *testing.T) {
	w := newWorld(t, fakeidp.Config{})
	w.Next(ada)
	verifier := oauth2.GenerateVerifier()
	query := w.authorize(t, verifier)
	if query.Get("state") != "st" || query.Get("iss") != w.Issuer() {
		t.Errorf("callback %v", query)
	}
	token, err := w.exchange(query.Get("code"), verifier)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := w.claims(token)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"sub": "1", "email": "ada@example.com", "email_verified": "true", "name": "Ada",
		"preferred_username": "ada", "picture": "https://img.example/1.png", "nonce": "no", "groups": "[staff]",
	} {
		if got := fmt.Sprint(claims[name]); got != want {
			t.Errorf("claim %s is %q, want %q", name, got, want)
		}
	}
	info, err := w.meta.UserInfo(w.ctx, oauth2.StaticTokenSource(token))
	if err != nil || info.Subject != "1" || info.Email != "ada@example.com" {
		t.Errorf("userinfo %+v, %v", info, err)
	}
	if got := w.Requests(fakeidp.Token); got != 1 {
		t.Errorf("the token endpoint was asked %d times, want 1", got)
	}
}

func TestScopesDecide(t *testing.T) {
	w := newWorld(t, fakeidp.Config{})
	w.config.Scopes = []string{"openid"}
	w.Next(ada)
	verifier := oauth2.GenerateVerifier()
	token, err := w.exchange(w.authorize(t, verifier).Get("code"), verifier)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := w.claims(token)
	if err != nil {
		t.Fatal(err)
	}
	if claims["email"] != nil || claims["name"] != nil {
		t.Errorf("claims %v, want neither e-mail nor name", claims)
	}
}

func TestCodes(t *testing.T) {
	now := time.Now()
	w := newWorld(t, fakeidp.Config{Now: func() time.Time { return now }, Clients: []fakeidp.Client{
		{ID: "app", Secret: "s:e+c", RedirectURIs: []string{redirectURI, redirectURI + "2"}},
		{ID: "other", Secret: "s:e+c", RedirectURIs: []string{redirectURI}},
	}})
	w.Always(ada)
	verifier := oauth2.GenerateVerifier()
	config := w.config
	tests := []struct {
		name  string
		spoil func(*string) // the verifier
		want  string
	}{
		{"right", func(*string) {}, ""},
		{"wrong verifier", func(v *string) { *v = oauth2.GenerateVerifier() }, "invalid_grant"},
		{"no verifier", func(v *string) { *v = "" }, "invalid_grant"},
		{"other redirect URI", func(*string) { w.config.RedirectURL = redirectURI + "2" }, "invalid_grant"},
		{"other client", func(*string) { w.config.ClientID = "other" }, "invalid_grant"},
		{"wrong secret", func(*string) { w.config.ClientSecret = "x" }, "invalid_client"},
		{"no secret", func(*string) {
			w.config.ClientSecret, w.config.Endpoint.AuthStyle = "", oauth2.AuthStyleInParams
		}, "invalid_client"},
		{"59 s later", func(*string) { now = now.Add(59 * time.Second) }, ""},
		{"60 s later", func(*string) { now = now.Add(60 * time.Second) }, "invalid_grant"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w.config = config
			code, v := w.authorize(t, verifier).Get("code"), verifier
			test.spoil(&v)
			_, err := w.exchange(code, v)
			if got := errorCode(err); got != test.want {
				t.Fatalf("got %q (%v), want %q", got, err, test.want)
			}
			// Whatever came of it, the code is gone.
			w.config = config
			if _, err := w.exchange(code, verifier); errorCode(err) != "invalid_grant" {
				t.Errorf("a second try: %v, want invalid_grant", err)
			}
		})
	}
}

func errorCode(err error) string {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		return refused.ErrorCode
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func TestAuthorizeRefuses(t *testing.T) {
	w := newWorld(t, fakeidp.Config{})
	w.Always(ada)
	good := w.config.AuthCodeURL("st", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))
	tests := []struct {
		name, param, value string
		status             int
		code               string
	}{
		{"unknown client", "client_id", "x", 400, ""},
		{"foreign redirect URI", "redirect_uri", "https://attacker.example/", 400, ""},
		{"no redirect URI", "redirect_uri", "", 400, ""},
		{"implicit flow", "response_type", "id_token", 302, "unsupported_response_type"},
		{"not OpenID", "scope", "email", 302, "invalid_scope"},
		{"no PKCE", "code_challenge", "", 302, "invalid_request"},
		{"plain PKCE", "code_challenge_method", "plain", 302, "invalid_request"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			u, err := url.Parse(good)
			if err != nil {
				t.Fatal(err)
			}
			query := u.Query()
			query.Set(test.param, test.value)
			u.RawQuery = query.Encode()
			status, header, _ := w.get(t, u.String())
			location, err := url.Parse(header.Get("Location"))
			if err != nil || status != test.status || location.Query().Get("error") != test.code || location.Query().Has("code") {
				t.Errorf("got %d %q, want %d and error %q", status, location, test.status, test.code)
			}
		})
	}
}

func TestNobodyChooses(t *testing.T) {
	w := newWorld(t, fakeidp.Config{})
	if got := w.authorize(t, oauth2.GenerateVerifier()).Get("error"); got != "login_required" {
		t.Errorf("error %q, want login_required", got)
	}
}

func TestChoose(t *testing.T) {
	var idp *fakeidp.IdP
	w := newWorld(t, fakeidp.Config{Choose: func(rw http.ResponseWriter, r *http.Request, req fakeidp.AuthorizeRequest) {
		if req.ClientID != "app" || req.State != "st" || req.Nonce != "no" || req.RedirectURI != redirectURI {
			t.Errorf("request %+v", req)
		}
		idp.Finish(rw, r, req, ada)
	}})
	idp = w.IdP
	if query := w.authorize(t, oauth2.GenerateVerifier()); query.Get("code") == "" {
		t.Errorf("callback %v, want a code", query)
	}
	w.Next(ada, fakeidp.AccessDenied)
	if got := w.authorize(t, oauth2.GenerateVerifier()).Get("error"); got != "access_denied" {
		t.Errorf("error %q: a script goes before Choose", got)
	}
}

func TestAuthMethods(t *testing.T) {
	w := newWorld(t, fakeidp.Config{AuthMethods: []string{"client_secret_post"}})
	w.Always(ada)
	for style, want := range map[oauth2.AuthStyle]string{
		oauth2.AuthStyleInHeader: "invalid_client", oauth2.AuthStyleInParams: "",
	} {
		w.config.Endpoint.AuthStyle = style
		verifier := oauth2.GenerateVerifier()
		if _, err := w.exchange(w.authorize(t, verifier).Get("code"), verifier); errorCode(err) != want {
			t.Errorf("style %d: %v, want %q", style, err, want)
		}
	}
}

func TestKeyIsMadeOnce(t *testing.T) {
	w := newWorld(t, fakeidp.Config{})
	jwks := w.Issuer() + string(fakeidp.JWKS)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, jwks, http.NoBody)
			if err != nil {
				t.Error(err)
				return
			}
			resp, err := w.server.Client().Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
		})
	}
	wg.Wait()
	_, _, first := w.get(t, jwks)
	_, _, second := w.get(t, jwks)
	w.RotateKey()
	_, _, third := w.get(t, jwks)
	if first != second || second == third {
		t.Error("the key changes by itself, or not by RotateKey")
	}
	if strings.Contains(first, `"d"`) {
		t.Error("the JWKS has the private key")
	}
}

func TestMetadata(t *testing.T) {
	w := newWorld(t, fakeidp.Config{OmitIssuer: true, Metadata: map[string]any{"userinfo_endpoint": nil, "x": 1}})
	_, _, body := w.get(t, w.Issuer()+string(fakeidp.Discovery))
	var metadata map[string]any
	if err := json.Unmarshal([]byte(body), &metadata); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"userinfo_endpoint", "authorization_response_iss_parameter_supported"} {
		if metadata[name] != nil {
			t.Errorf("%s is %v, want nothing", name, metadata[name])
		}
	}
	if metadata["x"] != 1.0 {
		t.Errorf("x is %v, want 1", metadata["x"])
	}
	w.Always(ada)
	if query := w.authorize(t, oauth2.GenerateVerifier()); query.Has("iss") {
		t.Errorf("callback %v has iss", query)
	}
}

func TestMethodsAndPaths(t *testing.T) {
	w := newWorld(t, fakeidp.Config{})
	for path, want := range map[string]int{"/": 404, "/elsewhere": 404, "/token": 405, "/userinfo": 401} {
		if got, _, _ := w.get(t, w.Issuer()+path); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
}
