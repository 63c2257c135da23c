package authapi

import (
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/authn"
	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/internal/wire"
)

// Interface guards.
var (
	_ Authn = (*authn.Service)(nil)
	_ Authz = (*authz.Authorizer)(nil)
)

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		name, contains string
		change         func(*Config)
	}{
		{"no site", "required", func(c *Config) { c.Site = nil }},
		{"no keys", "required", func(c *Config) { c.Keys = nil }},
		{"default_next elsewhere (S19)", "evil.example", func(c *Config) { c.DefaultNext = "https://evil.example/" }},
		{"the same name twice", "twice", func(c *Config) { c.Logins = []Login{{Name: "a"}, {Name: "a"}} }},
		{"upper case (contract 2a)", `"Google"`, func(c *Config) { c.Logins = []Login{{Name: "Google"}} }},
		{"a slash", `"a/b"`, func(c *Config) { c.Logins = []Login{{Name: "a/b"}} }},
		{"no name", `""`, func(c *Config) { c.Logins = []Login{{}} }},
		{"a dot segment", `".."`, func(c *Config) { c.Logins = []Login{{Name: ".."}} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := site(t, origin)
			next, err := wire.NewNextPolicy(s, true)
			if err != nil {
				t.Fatal(err)
			}
			config := Config{Site: s, Next: next, Authn: &fakeAuthn{}, Authz: newFakeAuthz(), Keys: fakeKeys{}}
			if _, err := New(config); err != nil {
				t.Fatalf("good configuration: %v", err)
			}
			c.change(&config)
			if _, err := New(config); err == nil || !strings.Contains(err.Error(), c.contains) {
				t.Errorf("error %v, want one with %q", err, c.contains)
			}
		})
	}
}

func TestDisplayName(t *testing.T) {
	for name, login := range map[string]Login{
		"Google": {Name: "google"}, "GitHub": {Name: "github"}, "corp": {Name: "corp"}, "Example Corp": {Name: "google", DisplayName: "Example Corp"},
	} {
		if got := login.displayName(); got != name {
			t.Errorf("%+v: %q, want %q", login, got, name)
		}
	}
}
