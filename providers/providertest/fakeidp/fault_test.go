package fakeidp_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

// TestCallbackFaults: what comes back to the client.
func TestCallbackFaults(t *testing.T) {
	w := newWorld(t, fakeidp.Config{})
	for fault, want := range map[fakeidp.Fault][3]string{ // error, state, iss
		fakeidp.AccessDenied:        {"access_denied", "st", w.Issuer()},
		fakeidp.NoState:             {"", "", w.Issuer()},
		fakeidp.WrongIssParameter:   {"", "st", "https://attacker.example"},
		fakeidp.MissingIssParameter: {"", "st", ""},
	} {
		w.Next(ada, fault)
		query := w.authorize(t, oauth2.GenerateVerifier())
		if got := [3]string{query.Get("error"), query.Get("state"), query.Get("iss")}; got != want {
			t.Errorf("%s: %q, want %q", fault, got, want)
		}
		if query.Has("code") == query.Has("error") {
			t.Errorf("%s: %v has not one of code and error", fault, query)
		}
	}
}

// TestTokenFaults: what go-oidc, which does not look at azp, nonce or iat, says
// of the answer.
func TestTokenFaults(t *testing.T) {
	w := newWorld(t, fakeidp.Config{Delay: time.Millisecond})
	tests := []struct {
		fault fakeidp.Fault
		want  string // in the error
	}{
		{fakeidp.ExpiredCode, "invalid_grant"},
		{fakeidp.UsedCode, "invalid_grant"},
		{fakeidp.NoIDToken, "no id_token"},
		{fakeidp.WrongIssuer, "different provider"},
		{fakeidp.WrongAudience, "expected audience"},
		{fakeidp.BadSignature, "verify"},
		{fakeidp.UnknownKey, "verify"},
		{fakeidp.AlgNone, "malformed jwt"},
		{fakeidp.HS256WithSecret, "malformed jwt"},
		{fakeidp.ExpiredIDToken, "expired"},
		{fakeidp.Down, "503"},
		{fakeidp.HTMLInsteadOfJSON, "cannot parse json"},
		{fakeidp.HugeAnswer, "cannot parse json"},
		{fakeidp.RedirectingToken, "302"},
		{fakeidp.Slow, ""},
		{fakeidp.KeyRotation, ""},
	}
	for _, test := range tests {
		t.Run(string(test.fault), func(t *testing.T) {
			w.Next(ada, test.fault)
			verifier := oauth2.GenerateVerifier()
			token, err := w.exchange(w.authorize(t, verifier).Get("code"), verifier)
			if err == nil {
				_, err = w.claims(token)
			}
			switch {
			case test.want == "" && err != nil:
				t.Errorf("%v, want a sign-in", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("%v, want an error with %q", err, test.want)
			}
		})
	}
}

// TestClaimFaults: how the claims differ from a good id_token's.
func TestClaimFaults(t *testing.T) {
	w := newWorld(t, fakeidp.Config{})
	tests := []struct {
		fault fakeidp.Fault
		wrong func(claims map[string]any, now float64) bool
	}{
		{fakeidp.WrongNonce, func(c map[string]any, _ float64) bool { return c["nonce"] != nil && c["nonce"] != "no" }},
		{fakeidp.NoNonce, func(c map[string]any, _ float64) bool { return c["nonce"] == nil }},
		{fakeidp.ManyAudiences, func(c map[string]any, _ float64) bool {
			aud, _ := c["aud"].([]any)
			return len(aud) == 2 && c["azp"] == nil
		}},
		{fakeidp.WrongAzp, func(c map[string]any, _ float64) bool { return c["azp"] != nil && c["azp"] != "app" }},
		{fakeidp.FutureIDToken, func(c map[string]any, now float64) bool { return c["iat"].(float64) > now+500 }},
		{fakeidp.OldIDToken, func(c map[string]any, now float64) bool {
			return c["iat"].(float64) < now-3500 && c["exp"].(float64) > now
		}},
		{fakeidp.NoEmail, func(c map[string]any, _ float64) bool { return c["email"] == nil && c["email_verified"] == nil }},
		{fakeidp.UnverifiedEmail, func(c map[string]any, _ float64) bool { return c["email"] != nil && c["email_verified"] == false }},
		{fakeidp.EmailVerifiedAsString, func(c map[string]any, _ float64) bool { return c["email_verified"] == "true" }},
		{fakeidp.EmailInUserinfo, func(c map[string]any, _ float64) bool { return c["email"] == nil }},
	}
	for _, test := range tests {
		t.Run(string(test.fault), func(t *testing.T) {
			w.Next(ada, test.fault)
			verifier := oauth2.GenerateVerifier()
			token, err := w.exchange(w.authorize(t, verifier).Get("code"), verifier)
			if err != nil {
				t.Fatal(err)
			}
			claims, err := w.claims(token)
			if err != nil {
				t.Fatal(err)
			}
			if !test.wrong(claims, float64(time.Now().Unix())) {
				t.Errorf("claims %v have nothing wrong", claims)
			}
		})
	}
}

func TestUserinfoFaults(t *testing.T) {
	w := newWorld(t, fakeidp.Config{})
	for fault, want := range map[fakeidp.Fault][2]string{ // sub, email
		fakeidp.EmailInUserinfo:      {"1", "ada@example.com"},
		fakeidp.NoEmail:              {"1", ""},
		fakeidp.UserinfoOtherSubject: {"somebody-else", "ada@example.com"},
	} {
		w.Next(ada, fault)
		verifier := oauth2.GenerateVerifier()
		token, err := w.exchange(w.authorize(t, verifier).Get("code"), verifier)
		if err != nil {
			t.Fatal(err)
		}
		info, err := w.meta.UserInfo(w.ctx, oauth2.StaticTokenSource(token))
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]string{info.Subject, info.Email}; got != want {
			t.Errorf("%s: %q, want %q", fault, got, want)
		}
	}
}

func TestBreak(t *testing.T) {
	w := newWorld(t, fakeidp.Config{})
	for _, endpoint := range []fakeidp.Endpoint{fakeidp.Discovery, fakeidp.JWKS} {
		w.Break(endpoint, fakeidp.Down)
		if status, _, _ := w.get(t, w.Issuer()+string(endpoint)); status != http.StatusServiceUnavailable {
			t.Errorf("%s: %d, want 503", endpoint, status)
		}
		w.Break(endpoint, fakeidp.HugeAnswer)
		if _, _, body := w.get(t, w.Issuer()+string(endpoint)); len(body) <= 1<<20 {
			t.Errorf("%s: %d bytes, want more than 1 MiB", endpoint, len(body))
		}
		w.Break(endpoint, "")
		if status, _, _ := w.get(t, w.Issuer()+string(endpoint)); status != http.StatusOK {
			t.Errorf("%s: %d, want it repaired", endpoint, status)
		}
	}
}

func TestFaultsAreListedOnce(t *testing.T) {
	all := fakeidp.Faults()
	slices.Sort(all)
	if len(slices.Compact(slices.Clone(all))) != len(all) || len(all) != 31 {
		t.Errorf("%d faults: %q", len(all), all)
	}
}
