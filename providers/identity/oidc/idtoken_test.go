package oidc

import (
	"errors"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/providers"
)

func TestTimes(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	at := func(d time.Duration) float64 { return float64(now.Add(d).Unix()) }
	tests := []struct {
		name   string
		claims claims
		ok     bool
		skew   bool
	}{
		{"now", claims{"iat": at(0), "exp": at(time.Minute)}, true, false},
		{"over within the leeway", claims{"iat": at(-time.Minute), "exp": at(-59 * time.Second)}, true, false},
		{"over", claims{"iat": at(-time.Minute), "exp": at(-60 * time.Second)}, false, true},
		{"a little ahead", claims{"iat": at(60 * time.Second), "exp": at(time.Hour)}, true, false},
		{"ahead", claims{"iat": at(61 * time.Second), "exp": at(time.Hour)}, false, true},
		{"old", claims{"iat": at(-11 * time.Minute), "exp": at(time.Hour)}, true, false},
		{"too old", claims{"iat": at(-11*time.Minute - time.Second), "exp": at(time.Hour)}, false, true},
		{"not yet", claims{"iat": at(0), "exp": at(time.Hour), "nbf": at(2 * time.Minute)}, false, true},
		{"nbf now", claims{"iat": at(0), "exp": at(time.Hour), "nbf": at(0)}, true, false},
		{"nbf as a text", claims{"iat": at(0), "exp": at(time.Hour), "nbf": "0"}, false, false},
		{"no exp", claims{"iat": at(0)}, false, false},
		{"no iat", claims{"exp": at(time.Hour)}, false, false},
		{"exp as a text", claims{"iat": at(0), "exp": "1800000000"}, false, false},
		{"exp beyond time", claims{"iat": at(0), "exp": 1e300}, false, false},
	}
	for _, test := range tests {
		err := checkTimes(test.claims, now)
		if (err == nil) != test.ok || errors.Is(err, providers.ErrClockSkew) != test.skew {
			t.Errorf("%s: %v, want ok %v, skew %v", test.name, err, test.ok, test.skew)
		}
	}
}

func TestIssuerClaim(t *testing.T) {
	now := time.Now()
	good := func(issuer any) claims {
		return claims{
			"iss": issuer, "aud": "c", "sub": "1", "nonce": "n",
			"iat": float64(now.Unix()), "exp": float64(now.Add(time.Minute).Unix()),
		}
	}
	for _, test := range []struct {
		configured string
		issuer     any
		ok         bool
	}{
		{"https://idp.example", "https://idp.example", true},
		{"https://idp.example", "https://idp.example/", false},
		{"https://idp.example", "idp.example", false},
		{"https://idp.example", []any{"https://idp.example"}, false},
		{"https://idp.example", nil, false},
		{googleIssuer, "https://accounts.google.com", true},
		{googleIssuer, "accounts.google.com", true}, // as Google documents
		{"https://idp.example", "accounts.google.com", false},
	} {
		p := &Provider{issuer: test.configured, clientID: "c", now: time.Now}
		if err := p.checkClaims(good(test.issuer), "n"); (err == nil) != test.ok {
			t.Errorf("%v at %s: %v, want ok %v", test.issuer, test.configured, err, test.ok)
		}
	}
}

func TestAudienceClaim(t *testing.T) {
	p := &Provider{issuer: "i", clientID: "c", now: time.Now}
	now := time.Now()
	for _, test := range []struct {
		audience, azp any
		ok            bool
	}{
		{"c", nil, true},
		{[]any{"c"}, nil, true},
		{[]any{"c", "d"}, "c", true},
		{[]any{"c", "d"}, nil, false},
		{[]any{"c", "d"}, "d", false},
		{[]any{"d"}, "c", false},
		{"c", "d", false},
		{"c", "", false},
		{"c", 1.0, false},
		{"d", nil, false},
		{"", nil, false},
		{nil, nil, false},
		{[]any{}, nil, false},
		{map[string]any{"c": "c"}, nil, false},
		// S24: whom else it is for cannot be told, so nothing is.
		{[]any{"c", 1.0}, nil, false},
		{[]any{"c", nil}, nil, false},
		{[]any{[]any{"d"}, "c"}, nil, false},
		{[]any{"c", 1.0}, "c", false},
		{[]any{1.0}, "c", false},
		{[]any{"c", ""}, nil, false},
		{[]any{"c", "c"}, nil, false},
	} {
		c := claims{
			"iss": "i", "aud": test.audience, "sub": "1", "nonce": "n",
			"iat": float64(now.Unix()), "exp": float64(now.Add(time.Minute).Unix()),
		}
		if test.azp != nil {
			c["azp"] = test.azp
		}
		if err := p.checkClaims(c, "n"); (err == nil) != test.ok {
			t.Errorf("aud %v, azp %v: %v, want ok %v", test.audience, test.azp, err, test.ok)
		}
	}
}
