package static

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/datahq/auth-gateway/providers"
)

// load goes the way of a real configuration: Caddyfile, JSON, Provision.
func load(t *testing.T, text string) *Provider {
	t.Helper()
	var parsed Provider
	if err := parsed.UnmarshalCaddyfile(caddyfile.NewTestDispenser(text)); err != nil {
		t.Fatal(err)
	}
	config, err := json.Marshal(&parsed)
	if err != nil {
		t.Fatal(err)
	}
	var p Provider
	if err := json.Unmarshal(config, &p); err != nil {
		t.Fatal(err)
	}
	if err := p.Provision(caddy.Context{}); err != nil {
		t.Fatal(err)
	}
	return &p
}

func TestPermissions(t *testing.T) {
	p := load(t, `static {
		everyone read quota=5
		user Ada@Example.com write quota=50
		user ada@example.com level=gold
		user 4711 admin
	}`)
	tests := []struct {
		name string
		user providers.User
		want providers.Permissions
	}{
		{"a listed address, in any case", providers.User{ID: "1", Email: "ADA@example.com"}, providers.Permissions{"read": true, "write": true, "quota": 50.0, "level": "gold"}},
		{"a listed ID goes before the address", providers.User{ID: "4711", Email: "ada@example.com"}, providers.Permissions{"read": true, "quota": 5.0, "admin": true}},
		{"somebody else", providers.User{ID: "2", Email: "bob@example.com"}, providers.Permissions{"read": true, "quota": 5.0}},
		// S28: a username is chosen by its owner and must grant nothing.
		{"a username that looks like an ID", providers.User{ID: "3", Username: "4711"}, providers.Permissions{"read": true, "quota": 5.0}},
		{"an address that looks like an ID", providers.User{ID: "3", Email: "4711"}, providers.Permissions{"read": true, "quota": 5.0}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answer, err := p.Permissions(context.Background(), test.user, "any")
			if err != nil || !reflect.DeepEqual(answer.Permissions, test.want) {
				t.Errorf("got %v, %v; want %v", answer.Permissions, err, test.want)
			}
		})
	}
}

func TestNobodyHasAnythingByDefault(t *testing.T) {
	answer, err := load(t, "static").Permissions(context.Background(), providers.User{ID: "1"}, "any")
	if err != nil || answer.Permissions.Granted("read") || len(answer.Permissions) != 0 {
		t.Errorf("got %v, %v", answer, err)
	}
}

func TestCaddyfileErrors(t *testing.T) {
	for text, want := range map[string]string{
		"static read":                "wrong argument count",
		"static {\n everyone\n}":     "no permission is named",
		"static {\n user\n}":         "user names nobody",
		"static {\n user a@b.c\n}":   "no permission is named",
		"static {\n users a read\n}": "unrecognized option \"users\"",
		"static {\n everyone =1\n}":  "names no permission",
	} {
		err := new(Provider).UnmarshalCaddyfile(caddyfile.NewTestDispenser(text))
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}
