package oidc

import (
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/datahq/auth-gateway/providers"
)

// Ruling 12: an old "google:1234" is about Google's 1234, and nobody else's.
func TestLegacyProviderName(t *testing.T) {
	plain := func(issuer string) providers.LegacyProvider { return &Provider{Issuer: issuer, ClientID: "c"} }
	named := func(issuer string) providers.LegacyProvider {
		return &Google{Provider{Issuer: issuer, ClientID: "c"}}
	}
	for _, test := range []struct {
		issuer string
		make   func(issuer string) providers.LegacyProvider
		want   string
	}{
		{"", named, "google"},
		{"https://accounts.google.com", named, "google"},
		{"http://localhost:9000", named, "google"},
		{"http://127.0.0.1:9000/idp", named, "google"},
		{"http://[::1]:9000", named, "google"},
		{"https://accounts.google.com", plain, "google"},
		// The attack: the operator's own provider goes by Google's name, and lets
		// somebody choose a subject that is the victim's at Google.
		{"https://login.corp.example", named, ""},
		{"https://accounts.google.com.evil.example", named, ""},
		{"https://localhost.evil.example", named, ""},
		{"https://login.corp.example", plain, ""},
		{"http://localhost:9000", plain, ""},
	} {
		p := test.make(test.issuer)
		if err := p.(caddy.Provisioner).Provision(caddy.Context{}); err != nil {
			t.Fatal(err)
		}
		if got := p.LegacyProviderName(); got != test.want {
			t.Errorf("%T with issuer %q: %q, want %q", p, test.issuer, got, test.want)
		}
	}
}
