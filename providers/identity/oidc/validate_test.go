package oidc

import (
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name string
		p    Provider
		want string // in the error
	}{
		{"least", Provider{Issuer: "https://idp.example", ClientID: "c"}, ""},
		{"path", Provider{Issuer: "https://idp.example/realms/corp", ClientID: "c"}, ""},
		{"trailing slash", Provider{Issuer: "https://idp.example/", ClientID: "c"}, ""},
		{"http on localhost", Provider{Issuer: "http://localhost:8080", ClientID: "c"}, ""},
		{"http on 127.0.0.1", Provider{Issuer: "http://127.1.2.3:8080", ClientID: "c"}, ""},
		{"http on ::1", Provider{Issuer: "http://[::1]:8080", ClientID: "c"}, ""},
		{"no issuer", Provider{ClientID: "c"}, "issuer: found nothing, expected an absolute https URL"},
		{"http", Provider{Issuer: "http://idp.example", ClientID: "c"}, `issuer: found "http://idp.example", expected an absolute https URL`},
		{"http on a name that only looks local", Provider{Issuer: "http://localhost.attacker.example", ClientID: "c"}, "issuer: found"},
		{"http on any.localhost", Provider{Issuer: "http://idp.localhost", ClientID: "c"}, "issuer: found"},
		{"no scheme", Provider{Issuer: "idp.example", ClientID: "c"}, "issuer: found"},
		{"no host", Provider{Issuer: "https:///x", ClientID: "c"}, "issuer: found"},
		{"query", Provider{Issuer: "https://idp.example?a", ClientID: "c"}, "issuer: found"},
		{"empty fragment", Provider{Issuer: "https://idp.example#", ClientID: "c"}, "issuer: found"},
		{"user", Provider{Issuer: "https://u:hunter2@idp.example", ClientID: "c"}, "issuer: found a URL with a user"},
		{"no URL", Provider{Issuer: "https://u:hunter2@idp.example:x", ClientID: "c"}, "issuer: found something that is no URL"},
		{"no client", Provider{Issuer: "https://idp.example"}, "client_id: found nothing, expected"},
		{"no openid", Provider{Issuer: "https://idp.example", ClientID: "c", Scopes: []string{"email"}}, `scopes: found "email", expected openid`},
		{"ES256", Provider{Issuer: "https://idp.example", ClientID: "c", SigningAlgorithm: "ES256"}, ""},
		{"HS256", Provider{Issuer: "https://idp.example", ClientID: "c", SigningAlgorithm: "HS256"}, `signing_algorithm: found "HS256", expected one of RS256`},
		{"none", Provider{Issuer: "https://idp.example", ClientID: "c", SigningAlgorithm: "none"}, "signing_algorithm"},
		{"lower case", Provider{Issuer: "https://idp.example", ClientID: "c", SigningAlgorithm: "rs256"}, "signing_algorithm"},
		{"parameters", Provider{Issuer: "https://idp.example", ClientID: "c", AuthParams: map[string]string{"prompt": "login"}}, ""},
		{"our parameter", Provider{Issuer: "https://idp.example", ClientID: "c", AuthParams: map[string]string{"State": "x"}}, `auth_params: found "State"`},
		{"response_mode", Provider{Issuer: "https://idp.example", ClientID: "c", AuthParams: map[string]string{"response_mode": "fragment"}}, "auth_params"},
		{"unknown placeholder", Provider{Issuer: "https://{env.NO_SUCH_VARIABLE}", ClientID: "c"}, "issuer: evaluated placeholder {env.NO_SUCH_VARIABLE} is empty"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.p.Provision(caddy.Context{})
			if err == nil {
				err = test.p.Validate()
			}
			switch {
			case test.want == "" && err != nil:
				t.Errorf("error %v, want none", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("error %v, want one with %q", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("a password is in the error: %v", err)
			}
		})
	}
}

func TestGoogleIsAPreset(t *testing.T) {
	g := &Google{Provider{ClientID: "c", ClientSecret: "s"}}
	provision(t, g)
	if g.issuer != "https://accounts.google.com" {
		t.Errorf("issuer %q", g.issuer)
	}
	if sends, err := g.SendsIssuer(t.Context()); err != nil || !sends {
		t.Errorf("SendsIssuer: %v, %v; want true without asking", sends, err)
	}
	standIn := &Google{Provider{Issuer: "https://google.test", ClientID: "c", ClientSecret: "s"}}
	provision(t, standIn)
	if standIn.issuer != "https://google.test" {
		t.Errorf("issuer %q, want the stand-in's", standIn.issuer)
	}
}

func TestModulesAreRegistered(t *testing.T) {
	for id, want := range map[string]caddy.Module{
		"auth.identity_providers.oidc":   new(Provider),
		"auth.identity_providers.google": new(Google),
	} {
		info, err := caddy.GetModule(id)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := info.New().CaddyModule().ID; got != want.CaddyModule().ID {
			t.Errorf("%s makes %s", id, got)
		}
	}
}
