package token

import (
	"encoding/json"
	"errors"
	"testing"
	"time"
)

// Nothing but the very tokens that we signed is accepted, and nothing panics.
func FuzzVerify(f *testing.F) {
	ring := testRing(f)
	service := must(NewVerifier("", ring.PublicKeyPEM()))
	upstream := testPermission()
	upstream.Use = "upstream"
	permissions := map[string]bool{must(ring.SignPermission(testPermission())): true, must(ring.SignPermission(upstream)): true}
	sessions := map[string]bool{must(ring.SignSession(testSession())): true}
	for raw := range permissions {
		f.Add(raw)
		f.Add(raw + "=")
		f.Add(raw[:len(raw)-1])
		f.Add("Bearer " + raw)
	}
	for raw := range sessions {
		f.Add(raw)
		f.Add(raw + "\n")
		f.Add(raw + "." + raw)
	}
	for _, raw := range []string{
		"", ".", "..", "...", "....", "e30.e30.e30", "eyJhbGciOiJub25lIn0.e30.", b64(`{"alg":"none"}`) + "." + b64(permissionPayload()) + ".",
		`{"payload":"e30","protected":"e30","signature":"AA"}`,
	} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		_, errPermission := ring.VerifyPermission(raw, testNow)
		_, errService := service.Permission(raw, testNow)
		_, errSession := ring.VerifySession(raw, testNow)
		if (errPermission == nil) != permissions[raw] || (errService == nil) != permissions[raw] || (errSession == nil) != sessions[raw] {
			t.Errorf("%q: permission %v, service %v, session %v", raw, errPermission, errService, errSession)
		}
		for _, err := range []error{errPermission, errService, errSession} {
			if err != nil && errors.Is(err, ErrInvalid) == errors.Is(err, ErrExpired) {
				t.Errorf("%q: error %v", raw, err)
			}
		}
		iss, ok := UnverifiedIssuer(raw)
		kind := ring.Kind(raw)
		if permissions[raw] && (kind != KindPermission || iss != testIssuer) || sessions[raw] && (kind != KindSession || iss != testIssuer) {
			t.Errorf("%q: kind %v, issuer %q", raw, kind, iss)
		}
		if ok != (iss != "") {
			t.Errorf("%q: issuer %q, %v", raw, iss, ok)
		}
	})
}

// Under a good signature, what is accepted is what the strictest reading of the
// claims gives, and encoding/json reads the same: no second reader of the token
// sees another user, service or time than we do.
func FuzzClaims(f *testing.F) {
	ring := testRing(f)
	f.Add(sessionHeader(f), sessionPayload())
	f.Add(`{"alg":"HS256","typ":"session+jwt"}`, `{"iss":"https://app.example.com","userid":"u","sid":"s","exp":4e9,"\u0065xp":1}`)
	f.Add(`{"typ":"session+jwt","alg":"HS256","Alg":"none"}`, sessionPayload(`{`, `{"UserID":"x",`))
	f.Add(sessionHeader(f)+" ", sessionPayload("user-1", `\ud83d\ude00`))
	f.Fuzz(func(t *testing.T, header, payload string) {
		raw := forgeSession(t, header, payload)
		got, err := ring.VerifySession(raw, testNow)
		if err != nil {
			return
		}
		var h struct{ Alg, Typ string }
		var c struct {
			Iss, UserID, SID string
			Exp              float64
		}
		if err := errors.Join(json.Unmarshal([]byte(header), &h), json.Unmarshal([]byte(payload), &c)); err != nil {
			t.Fatalf("%q, %q: encoding/json: %v", header, payload, err)
		}
		if h.Alg != "HS256" || h.Typ != "session+jwt" || c.Iss != testIssuer || c.UserID != got.UserID || c.SID != got.SessionID {
			t.Errorf("%q, %q: got %+v, encoding/json has %+v", header, payload, got, c)
		}
		if !got.ExpiresAt.After(testNow) || c.Exp < float64(testNow.Unix()) {
			t.Errorf("%q: expires %v", payload, got.ExpiresAt)
		}
		if _, err := ring.VerifySession(raw, time.Unix(int64(c.Exp)+1, 0)); !errors.Is(err, ErrExpired) {
			t.Errorf("%q: after its end: %v", payload, err)
		}
		if _, err := ring.VerifyPermission(raw, testNow); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: also a permission: %v", payload, err)
		}
	})
}
