package dev

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

func TestCaddyfile(t *testing.T) {
	tests := []struct{ name, input, json, err string }{
		{name: "nothing", input: "dev", json: `{}`},
		{
			name: "users", input: "dev {\n\tuser grace grace@example.com \"Grace Hopper\"\n\tuser linus linus@example.com\n}",
			json: `{"users":[{"username":"grace","email":"grace@example.com","name":"Grace Hopper"},{"username":"linus","email":"linus@example.com"}]}`,
		},
		{name: "misspelled", input: "dev {\n\tusr grace grace@example.com\n}", err: "unrecognized option 'usr' in login provider dev; did you mean 'user'? (options: user), at Testfile:2"},
		{name: "no address", input: "dev {\n\tuser grace\n}", err: "option 'user' of login provider dev: found 1 values, expected <username> <email> [<display name>]"},
		{name: "name not quoted", input: "dev {\n\tuser grace grace@example.com Grace Brewster Hopper\n}", err: "found 5 values"},
		{name: "argument", input: "dev now", err: "login provider dev: expected no argument after its name, only a block"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := new(Provider)
			err := p.UnmarshalCaddyfile(caddyfile.NewTestDispenser(test.input))
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("error %v\nwant  %s", err, test.err)
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

func TestValidate(t *testing.T) {
	for _, test := range []struct {
		users []User
		want  string
	}{
		{[]User{{"a", "a@example.com", ""}}, ""},
		{[]User{{"Ada", "a@example.com", ""}}, `found the name "Ada"`},
		{[]User{{"", "a@example.com", ""}}, `found the name ""`},
		{[]User{{"typed:1", "a@example.com", ""}}, `found the name "typed:1"`},
		{[]User{{"a", "a", ""}}, "no e-mail address"},
		{[]User{{"a", "a@example.com", ""}, {"a", "b@example.com", ""}}, "twice"},
		{[]User{{"a", "a@example.com", ""}, {"b", "A@example.com", ""}}, "another user has"},
	} {
		err := (&Provider{Samples: test.users}).Validate()
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v, want %q", test.users, err, test.want)
		}
	}
}
