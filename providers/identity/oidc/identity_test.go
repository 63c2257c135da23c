package oidc

import (
	"reflect"
	"strings"
	"testing"
)

// S27: an id_token that says "email_verified" without an address must not
// vouch for the one that the userinfo brings.
func TestVerificationGoesWithItsAddress(t *testing.T) {
	p := &Provider{GroupsClaim: "groups"}
	fromToken := claims{"sub": "1", "email_verified": true, "name": "Ada", "hd": "a.example"}
	fromUserinfo := claims{"sub": "1", "email": "ada@example.com", "name": "Other", "hd": "b.example", "zoneinfo": "UTC"}
	who := p.identity(fromToken.with(fromUserinfo))
	if who.Email != "ada@example.com" || who.EmailVerified {
		t.Errorf("got %q %v, want the address unverified", who.Email, who.EmailVerified)
	}
	if who.Name != "Ada" || who.Claims["hd"] != "a.example" || who.Claims["zoneinfo"] != "UTC" {
		t.Errorf("got %+v: the id_token goes first, and what it lacks is added", who)
	}
}

func TestIdentity(t *testing.T) {
	p := &Provider{issuer: "https://idp.example", GroupsClaim: "roles"}
	tests := []struct {
		name   string
		claims claims
		field  func(claims) any
		want   any
	}{
		{"control characters in a name", claims{"name": " Ada\r\nLovelace\x00 "}, func(c claims) any { return p.identity(c).Name }, "AdaLovelace"},
		{"long name", claims{"name": strings.Repeat("ä", 300)}, func(c claims) any { return p.identity(c).Name }, strings.Repeat("ä", 256)},
		{"name of another type", claims{"name": 1.0}, func(c claims) any { return p.identity(c).Name }, ""},
		{"picture", claims{"picture": "https://img.example/a"}, func(c claims) any { return p.identity(c).AvatarURL }, "https://img.example/a"},
		{"script for a picture", claims{"picture": "javascript:alert(1)"}, func(c claims) any { return p.identity(c).AvatarURL }, ""},
		{"data for a picture", claims{"picture": "data:text/html,x"}, func(c claims) any { return p.identity(c).AvatarURL }, ""},
		{"relative picture", claims{"picture": "/a.png"}, func(c claims) any { return p.identity(c).AvatarURL }, ""},
		{"long picture", claims{"picture": "https://img.example/" + strings.Repeat("a", 512)}, func(c claims) any { return p.identity(c).AvatarURL }, ""},
		{"groups", claims{"roles": []any{"a", 1.0, "b"}}, func(c claims) any { return p.identity(c).Groups }, []string{"a", "b"}},
		{"one group", claims{"roles": "a"}, func(c claims) any { return p.identity(c).Groups }, []string{"a"}},
		{"no groups", claims{"groups": []any{"a"}}, func(c claims) any { return p.identity(c).Groups }, []string(nil)},
		{"session", claims{"sid": "s"}, func(c claims) any { return p.identity(c).SessionID }, "s"},
		{"issuer is the configured one", claims{"iss": "x"}, func(c claims) any { return p.identity(c).Issuer }, "https://idp.example"},
	}
	for _, test := range tests {
		if got := test.field(test.claims); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}
