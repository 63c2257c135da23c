package github

import (
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

func TestValidate(t *testing.T) {
	with := func(change func(*Provider)) Provider {
		p := Provider{ClientID: "c", ClientSecret: "s"}
		change(&p)
		return p
	}
	tests := []struct {
		name string
		p    Provider
		want string // in the error
	}{
		{"least", with(func(*Provider) {}), ""},
		{"Enterprise Server", with(func(p *Provider) { p.URL = "https://ghe.corp.example" }), ""},
		{"http on localhost", with(func(p *Provider) { p.URL = "http://localhost:8080" }), ""},
		{"http on 127.0.0.1", with(func(p *Provider) { p.URL = "http://127.1.2.3:8080" }), ""},
		{"http on ::1", with(func(p *Provider) { p.URL = "http://[::1]:8080" }), ""},
		{"API on localhost", with(func(p *Provider) { p.APIURL = "http://localhost:8080" }), ""},
		{"http", with(func(p *Provider) { p.URL = "http://ghe.corp.example" }), `url: found "http://ghe.corp.example", expected an absolute https URL`},
		{"API on http", with(func(p *Provider) { p.APIURL = "http://ghe.corp.example/api/v3" }), `api_url: found "http://ghe.corp.example/api/v3", expected an absolute https URL`},
		{"http on a name that only looks local", with(func(p *Provider) { p.URL = "http://localhost.attacker.example" }), "url: found"},
		{"no scheme", with(func(p *Provider) { p.URL = "ghe.corp.example" }), "url: found"},
		{"query", with(func(p *Provider) { p.URL = "https://ghe.corp.example?a" }), "url: found"},
		{"user", with(func(p *Provider) { p.URL = "https://u:hunter2@ghe.corp.example" }), "url: found a URL with a user"},
		{"no URL", with(func(p *Provider) { p.APIURL = "https://u:hunter2@ghe.corp.example:x" }), "api_url: found something that is no URL"},
		{"no client", with(func(p *Provider) { p.ClientID = "" }), "client_id: found nothing, expected"},
		{"no secret", with(func(p *Provider) { p.ClientSecret = "" }), "client_secret: found nothing, expected"},
		{"wider scope", with(func(p *Provider) { p.Scopes = []string{"user"} }), ""},
		{"more scopes", with(func(p *Provider) { p.Scopes = []string{"read:org", "user:email"} }), ""},
		{"scopes without addresses", with(func(p *Provider) { p.Scopes = []string{"read:user", "read:org"} }), `scopes: found "read:user read:org", expected user:email (or user) among them`},
		{"scopes in one word", with(func(p *Provider) { p.Scopes = []string{"read:org,user:email"} }), "scopes: found"},
		{"unknown placeholder", with(func(p *Provider) { p.URL = "https://{env.NO_SUCH_VARIABLE}" }), "url: evaluated placeholder {env.NO_SUCH_VARIABLE} is empty"},
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
