package oidc

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

func TestCaddyfile(t *testing.T) {
	tests := []struct {
		name, input, json, err string
	}{
		{
			name: "everything",
			input: `oidc {
				issuer            https://idp.example
				client_id         gateway
				client_secret     {file./run/secrets/corp}
				scopes            openid email groups
				signing_algorithm ES256
				groups_claim      roles
				auth_params {
					prompt select_account
					hd     example.com
				}
			}`,
			json: `{"issuer":"https://idp.example","client_id":"gateway","client_secret":"{file./run/secrets/corp}",` +
				`"scopes":["openid","email","groups"],"signing_algorithm":"ES256",` +
				`"auth_params":{"hd":"example.com","prompt":"select_account"},"groups_claim":"roles"}`,
		},
		{name: "nothing", input: `oidc`, json: `{}`},
		{name: "empty block", input: "oidc {\n}", json: `{}`},
		{
			name:  "misspelled",
			input: "oidc {\n\tclient_idd x\n}",
			err: "unrecognized option 'client_idd' in login provider oidc; did you mean 'client_id'? " +
				"(options: issuer, client_id, client_secret, scopes, signing_algorithm, auth_params, groups_claim), at Testfile:2",
		},
		{
			name: "misspelled scope", input: "oidc {\n\tscope x\n}",
			err: "unrecognized option 'scope' in login provider oidc; did you mean 'scopes'?",
		},
		{
			name: "repeated", input: "oidc {\n\tissuer https://a\n\tissuer https://b\n}",
			err: "option 'issuer' of login provider oidc is given twice, at Testfile:3",
		},
		{
			name: "no value", input: "oidc {\n\tissuer\n}",
			err: "option 'issuer' of login provider oidc: found 0 values, expected one (quote a value with blanks), at Testfile:2",
		},
		{
			name: "secret with a blank", input: "oidc {\n\tclient_secret hunter2 hunter3\n}",
			err: "option 'client_secret' of login provider oidc: found 2 values, expected one (quote a value with blanks), at Testfile:2",
		},
		{name: "no scopes", input: "oidc {\n\tscopes\n}", err: "option 'scopes' of login provider oidc: found no value, expected at least one"},
		{name: "argument", input: "oidc https://idp.example", err: "login provider oidc: expected no argument after its name, only a block"},
		{name: "parameters in a line", input: "oidc {\n\tauth_params prompt\n}", err: "option 'auth_params' of login provider oidc: expected a block"},
		{name: "parameter twice", input: "oidc {\n\tauth_params {\n\t\thd a\n\t\thd b\n\t}\n}", err: "parameter 'hd' in auth_params of login provider oidc is given twice, at Testfile:4"},
		{name: "parameter without value", input: "oidc {\n\tauth_params {\n\t\thd\n\t}\n}", err: "parameter 'hd' in auth_params of login provider oidc: found 0 values, expected one"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := new(Provider)
			err := p.UnmarshalCaddyfile(caddyfile.NewTestDispenser(test.input))
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("error %v\nwant  %s", err, test.err)
				}
				if err != nil && strings.Contains(err.Error(), "hunter") {
					t.Errorf("the secret is in the error: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != test.json {
				t.Errorf("got  %s\nwant %s", got, test.json)
			}
		})
	}
}

func TestGoogleCaddyfile(t *testing.T) {
	g := new(Google)
	if err := g.UnmarshalCaddyfile(caddyfile.NewTestDispenser("google {\n\tclient_id a\n\tclient_secret b\n\tissuer http://localhost:1\n}")); err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"issuer":"http://localhost:1","client_id":"a","client_secret":"b"}`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	err = new(Google).UnmarshalCaddyfile(caddyfile.NewTestDispenser("google {\n\tclientid a\n}"))
	if err == nil || !strings.Contains(err.Error(), "in login provider google; did you mean 'client_id'?") {
		t.Errorf("error %v", err)
	}
}
