package github

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
			input: `github {
				client_id     gateway
				client_secret {file./run/secrets/github}
				scopes        user:email read:org
				url           https://ghe.corp.example
				api_url       https://ghe.corp.example/api/v3
			}`,
			json: `{"url":"https://ghe.corp.example","api_url":"https://ghe.corp.example/api/v3","client_id":"gateway",` +
				`"client_secret":"{file./run/secrets/github}","scopes":["user:email","read:org"]}`,
		},
		{name: "nothing", input: `github`, json: `{}`},
		{name: "empty block", input: "github {\n}", json: `{}`},
		{
			name:  "misspelled",
			input: "github {\n\tclient_idd x\n}",
			err: "unrecognized option 'client_idd' in login provider github; did you mean 'client_id'? " +
				"(options: client_id, client_secret, scopes, url, api_url), at Testfile:2",
		},
		{
			name: "part of a name", input: "github {\n\tsecret hunter2\n}",
			err: "unrecognized option 'secret' in login provider github; did you mean 'client_secret'?",
		},
		{
			name: "an option of oidc", input: "github {\n\tissuer https://ghe.corp.example\n}",
			err: "unrecognized option 'issuer' in login provider github; did you mean",
		},
		{
			name: "repeated", input: "github {\n\turl https://a\n\turl https://b\n}",
			err: "option 'url' of login provider github is given twice, at Testfile:3",
		},
		{
			name: "no value", input: "github {\n\turl\n}",
			err: "option 'url' of login provider github: found 0 values, expected one (quote a value with blanks), at Testfile:2",
		},
		{
			name: "secret with a blank", input: "github {\n\tclient_secret hunter2 hunter3\n}",
			err: "option 'client_secret' of login provider github: found 2 values, expected one (quote a value with blanks), at Testfile:2",
		},
		{name: "no scopes", input: "github {\n\tscopes\n}", err: "option 'scopes' of login provider github: found no value, expected at least one"},
		{name: "argument", input: "github https://ghe.corp.example", err: "login provider github: expected no argument after its name, only a block"},
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
