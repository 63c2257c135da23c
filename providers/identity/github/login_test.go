package github

import (
	"net/url"
	"strings"
	"testing"
)

// The authorize request is the original's (contract 1.2), with PKCE.
func TestLoginURL(t *testing.T) {
	p := &Provider{ClientID: testClientID, ClientSecret: testSecret}
	provision(t, p)
	location, private, err := p.LoginURL(t.Context(), redirectURI, "st&ate")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(location, "https://github.com/login/oauth/authorize?") {
		t.Errorf("the person is sent to %q", location)
	}
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	for name, want := range map[string]string{
		"response_type": "code", "client_id": testClientID, "redirect_uri": redirectURI, "state": "st&ate",
		"scope": "user:email", "code_challenge_method": "S256",
	} {
		if values := query[name]; len(values) != 1 || values[0] != want {
			t.Errorf("%s is %q, want %q", name, values, want)
		}
	}
	if len(query) != 7 || len(query.Get("code_challenge")) != 43 {
		t.Errorf("parameters %v, want those above and a code_challenge", query)
	}
	a, err := parseAttempt(private)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(location, a.Verifier) || strings.Contains(location, testSecret) {
		t.Error("the URL has the verifier or the secret in it")
	}
}

func TestScopes(t *testing.T) {
	p := &Provider{ClientID: testClientID, ClientSecret: testSecret, Scopes: []string{"user:email", "read:org"}}
	provision(t, p)
	location, _, err := p.LoginURL(t.Context(), redirectURI, "state")
	if err != nil || !strings.Contains(location, "&scope=user%3Aemail+read%3Aorg&") {
		t.Errorf("%s, %v", location, err)
	}
}
