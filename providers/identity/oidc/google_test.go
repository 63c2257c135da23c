package oidc

import (
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

// Contract 1.3: GOOGLE_KEY and GOOGLE_SECRET are the defaults, together.
func TestGoogleEnvironment(t *testing.T) {
	t.Setenv("GOOGLE_KEY", "key-of-the-environment")
	t.Setenv("GOOGLE_SECRET", "secret-of-the-environment")
	g := new(Google)
	if err := g.Provision(caddy.Context{}); err != nil {
		t.Fatal(err)
	}
	if g.clientID != "key-of-the-environment" || g.secret() != "secret-of-the-environment" || g.issuer != "https://accounts.google.com" {
		t.Errorf("%s at %s", g.clientID, g.issuer)
	}
	if err := g.Validate(); err != nil {
		t.Error(err)
	}

	// Somebody else's secret must not be sent along with one's own key.
	g = &Google{Provider: Provider{ClientID: "own"}}
	if err := g.Provision(caddy.Context{}); err != nil || g.clientID != "own" || g.secret() != "" {
		t.Errorf("a key of one's own: %v", err)
	}
	if err := g.Validate(); err == nil || !strings.Contains(err.Error(), "client_secret") {
		t.Errorf("without a secret: %v", err)
	}

	t.Setenv("GOOGLE_KEY", "")
	err := new(Google).Provision(caddy.Context{})
	if err == nil || !strings.Contains(err.Error(), "GOOGLE_KEY") {
		t.Errorf("without a key: %v", err)
	}
}

// The original service read Google's older userinfo (contract 1.2).
func TestOldUserinfo(t *testing.T) {
	old := claims{"id": "1001", "email": "ada@example.com", "verified_email": true}.modern()
	if old["sub"] != "1001" || old["email_verified"] != true || old.email() != "ada@example.com" {
		t.Errorf("%v", old)
	}
	// What has the new names is taken by them alone.
	both := claims{"sub": "1001", "id": "1002", "email_verified": false, "verified_email": true}.modern()
	if both["sub"] != "1001" || both["email_verified"] != false {
		t.Errorf("%v", both)
	}
	if none := (claims{"email": "a@b.example"}).modern(); none["email_verified"] == true {
		t.Errorf("%v", none)
	}
}
