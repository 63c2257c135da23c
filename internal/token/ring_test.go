package token

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// decodeText decodes the header and the payload of a token.
func decodeText(t *testing.T, raw string) (header, payload string) {
	t.Helper()
	first, second, _, _ := split(raw)
	h, okHeader := decodePart(first)
	p, okPayload := decodePart(second)
	if !okHeader || !okPayload {
		t.Fatal("not a compact token")
	}
	return string(h), string(p)
}

func TestPermissionRoundTrip(t *testing.T) {
	ring := testRing(t)
	tests := []struct {
		name   string
		change func(p *Permission)
	}{
		{"all", func(*Permission) {}},
		{"for an upstream", func(p *Permission) { p.Use = "upstream" }},
		{"no session", func(p *Permission) { p.SessionID = "" }},
		// contract, section 1.2: an empty "service=" counts as present.
		{"empty service", func(p *Permission) { p.Service = "" }},
		{"service of any text", func(p *Permission) { p.Service = "a \x00<&>\u2028\"\\ é😀" }},
		{"no permissions", func(p *Permission) { p.Permissions = map[string]any{} }},
		{"names of 128 bytes", func(p *Permission) {
			p.ID, p.UserID, p.SessionID = strings.Repeat("i", 128), strings.Repeat("é", 64), strings.Repeat("s", 128)
		}},
		{"permissions like claims", func(p *Permission) { p.Permissions = map[string]any{"exp": 1.0, "EXP": 2.0, "userid": "x"} }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := testPermission()
			test.change(&want)
			raw, err := ring.SignPermission(want)
			if err != nil {
				t.Fatal(err)
			}
			got, err := ring.VerifyPermission(raw, testNow)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if again, err := ring.SignPermission(want); err != nil || again != raw {
				t.Errorf("signed again it is another token, error %v", err)
			}
		})
	}
}

// Byte for byte what a permission token is. No aud: PyJWT refuses a token with
// one when it is not told which to expect. No nbf: a service's clock may be slow.
func TestPermissionTokenText(t *testing.T) {
	raw, err := testRing(t).SignPermission(Permission{
		ID: "j", UserID: "u", SessionID: "s", Service: "storage",
		IssuedAt: time.Unix(1000, 999), ExpiresAt: time.Unix(2000, 999),
	})
	if err != nil {
		t.Fatal(err)
	}
	header, payload := decodeText(t, raw)
	if want := permissionHeader(t); header != want {
		t.Errorf("header %s, want %s", header, want)
	}
	if want := `{"iss":"https://app.example.com","userid":"u","sid":"s","service":"storage","permissions":{},"jti":"j","iat":1000,"exp":2000}`; payload != want {
		t.Errorf("payload %s, want %s", payload, want)
	}
}

func TestSessionTokenText(t *testing.T) {
	raw, err := testRing(t).SignSession(Session{UserID: "u", SessionID: "s", IssuedAt: time.Unix(1000, 999), ExpiresAt: time.Unix(2000, 999)})
	if err != nil {
		t.Fatal(err)
	}
	header, payload := decodeText(t, raw)
	if want := sessionHeader(t); header != want {
		t.Errorf("header %s, want %s", header, want)
	}
	if want := `{"iss":"https://app.example.com","userid":"u","sid":"s","iat":1000,"exp":2000}`; payload != want {
		t.Errorf("payload %s, want %s", payload, want)
	}
}

func TestSignPermissionDefaults(t *testing.T) {
	ring := testRing(t)
	before := time.Now().Truncate(time.Second)
	ids := map[string]bool{}
	for range 3 {
		raw, err := ring.SignPermission(Permission{UserID: "u", SessionID: "s", Service: "storage", ExpiresAt: before.Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		got, err := ring.VerifyPermission(raw, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		// 30 s ago: PyJWT 2 refuses an iat that is ahead of its clock.
		if early, late := before.Add(-30*time.Second), time.Now().Add(-30*time.Second); got.IssuedAt.Before(early) || got.IssuedAt.After(late) {
			t.Errorf("iat %v, want %v to %v", got.IssuedAt, early, late)
		}
		if len(got.ID) != 22 {
			t.Errorf("jti %q, want 128 bits", got.ID)
		}
		if got.Permissions == nil || len(got.Permissions) != 0 {
			t.Errorf("permissions %v, want an empty object", got.Permissions)
		}
		ids[got.ID] = true
	}
	if len(ids) != 3 {
		t.Errorf("token IDs %v are not all different", ids)
	}
}

func TestSessionRoundTrip(t *testing.T) {
	ring := testRing(t)
	raw, err := ring.SignSession(testSession())
	if err != nil {
		t.Fatal(err)
	}
	got, err := ring.VerifySession(raw, testNow)
	if err != nil {
		t.Fatal(err)
	}
	if got != testSession() {
		t.Errorf("got %+v", got)
	}
	_, err = ring.VerifySession(raw, testNow.Add(time.Hour))
	checkRefused(t, err, ErrExpired, "exp: in the past", raw)

	before := time.Now().Truncate(time.Second)
	raw, err = ring.SignSession(Session{UserID: "u", SessionID: "s", ExpiresAt: before.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if got, err = ring.VerifySession(raw, time.Now()); err != nil || got.IssuedAt.Before(before) || got.IssuedAt.After(time.Now()) {
		t.Errorf("iat %v, error %v", got.IssuedAt, err)
	}
}

// What no verifier would accept is not signed.
func TestUnsignable(t *testing.T) {
	ring := testRing(t)
	deep := map[string]any{}
	for range 40 {
		deep = map[string]any{"x": deep}
	}
	permissions := []struct {
		name   string
		change func(p *Permission)
	}{
		{"no user", func(p *Permission) { p.UserID = "" }},
		{"user of 129 bytes", func(p *Permission) { p.UserID = strings.Repeat("u", 129) }},
		{"user with a line break", func(p *Permission) { p.UserID = "u\n" }},
		{"user not UTF-8", func(p *Permission) { p.UserID = "u\xff" }},
		{"session of 129 bytes", func(p *Permission) { p.SessionID = strings.Repeat("s", 129) }},
		{"token ID of 129 bytes", func(p *Permission) { p.ID = strings.Repeat("s", 129) }},
		// Encoded, this would name the service "a\ufffd".
		{"service not UTF-8", func(p *Permission) { p.Service = "a\xff" }},
		{"use not UTF-8", func(p *Permission) { p.Use = "\xff" }},
		{"no expiry", func(p *Permission) { p.ExpiresAt = time.Time{} }},
		{"expiry before 1970", func(p *Permission) { p.ExpiresAt = time.Unix(-1, 0) }},
		{"expiry in the year 10000", func(p *Permission) { p.ExpiresAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"too long", func(p *Permission) { p.Service = strings.Repeat("s", maxToken) }},
		{"permissions too many", func(p *Permission) { p.Permissions = map[string]any{"x": strings.Repeat("s", maxToken)} }},
		{"permissions too deep", func(p *Permission) { p.Permissions = deep }},
		{"permissions that are no JSON", func(p *Permission) { p.Permissions = map[string]any{"x": math.NaN()} }},
		{"permissions that are functions", func(p *Permission) { p.Permissions = map[string]any{"x": func() {}} }},
		{"raw JSON with a member twice", func(p *Permission) {
			p.Permissions = map[string]any{"x": json.RawMessage(`{"a":1,"a":2}`)}
		}},
		{"names that encoding makes equal", func(p *Permission) { p.Permissions = map[string]any{"a\xff": 1, "a\xfe": 2} }},
	}
	for _, test := range permissions {
		t.Run("permission: "+test.name, func(t *testing.T) {
			p := testPermission()
			test.change(&p)
			raw, err := ring.SignPermission(p)
			if !errors.Is(err, ErrUnsignable) || raw != "" {
				t.Errorf("got %d bytes, error %v", len(raw), err)
			}
			if errors.Is(err, ErrInvalid) || errors.Is(err, ErrExpired) {
				t.Errorf("error %q is one of verification", err)
			}
		})
	}
	sessions := []struct {
		name   string
		change func(s *Session)
	}{
		{"no user", func(s *Session) { s.UserID = "" }},
		{"user not UTF-8", func(s *Session) { s.UserID = "\xff" }},
		{"no session", func(s *Session) { s.SessionID = "" }},
		{"session of 129 bytes", func(s *Session) { s.SessionID = strings.Repeat("s", 129) }},
		{"session with NUL", func(s *Session) { s.SessionID = "s\x00" }},
		{"no expiry", func(s *Session) { s.ExpiresAt = time.Time{} }},
	}
	for _, test := range sessions {
		t.Run("session: "+test.name, func(t *testing.T) {
			s := testSession()
			test.change(&s)
			if raw, err := ring.SignSession(s); !errors.Is(err, ErrUnsignable) || raw != "" {
				t.Errorf("got %d bytes, error %v", len(raw), err)
			}
		})
	}
	// What is signed may be 8 KiB long, and then verifies.
	p := testPermission()
	for size := maxToken * 3 / 4; ; size-- {
		p.Service = strings.Repeat("s", size)
		raw, err := ring.SignPermission(p)
		if err != nil {
			continue
		}
		if len(raw) <= maxToken-8 {
			t.Errorf("the longest token has %d bytes", len(raw))
		}
		if _, err := ring.VerifyPermission(raw, testNow); err != nil {
			t.Errorf("a token of %d bytes: %v", len(raw), err)
		}
		break
	}
}

// S2, S43: a rotation. The new key signs, the old one's tokens hold, and after
// it has left the ring they do not.
func TestRotation(t *testing.T) {
	session, old, fresh := testSessionKey(t), testSigningKey(t), otherKey(t)
	before := NewRing(testIssuer, session, old, fresh)
	during := NewRing(testIssuer, session, fresh, old, fresh, old)
	after := NewRing(testIssuer, session, fresh)

	oldToken, err := before.SignPermission(testPermission())
	if err != nil {
		t.Fatal(err)
	}
	freshToken, err := during.SignPermission(testPermission())
	if err != nil {
		t.Fatal(err)
	}
	for name, ring := range map[string]*Ring{"before": before, "during": during} {
		for _, raw := range []string{oldToken, freshToken} {
			if _, err := ring.VerifyPermission(raw, testNow); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if _, err := after.VerifyPermission(freshToken, testNow); err != nil {
		t.Errorf("after: %v", err)
	}
	_, err = after.VerifyPermission(oldToken, testNow)
	checkRefused(t, err, ErrInvalid, "unknown kid", oldToken)

	// The active key alone speaks for tokens without kid, and no kid makes one key
	// check another's signature.
	bare := forge(t, jwa.RS256, old.private, `{"alg":"RS256","typ":"JWT"}`, permissionPayload())
	if _, err := before.VerifyPermission(bare, testNow); err != nil {
		t.Errorf("without kid: %v", err)
	}
	_, err = during.VerifyPermission(bare, testNow)
	checkRefused(t, err, ErrInvalid, "signature: does not match", bare)
	crossed := forge(t, jwa.RS256, fresh.private, permissionHeader(t), permissionPayload())
	_, err = during.VerifyPermission(crossed, testNow)
	checkRefused(t, err, ErrInvalid, "signature: does not match", crossed)

	// Sessions are not touched by it.
	raw, err := before.SignSession(testSession())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := after.VerifySession(raw, testNow); err != nil {
		t.Errorf("session: %v", err)
	}
	if !bytes.Equal(before.PublicKeyPEM(), old.PublicPEM()) || !bytes.Equal(during.PublicKeyPEM(), fresh.PublicPEM()) {
		t.Error("public-key does not give the active key")
	}
}

// S43: the public parts only, and all that a verifier needs.
func TestJWKS(t *testing.T) {
	old, fresh := testSigningKey(t), otherKey(t)
	ring := NewRing(testIssuer, testSessionKey(t), fresh, old, old)
	var set struct {
		Keys []map[string]string `json:"keys"`
	}
	if err := json.Unmarshal(ring.JWKS(), &set); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, key := range set.Keys {
		ids = append(ids, key["kid"])
		if key["kty"] != "RSA" || key["alg"] != "RS256" || key["use"] != "sig" || key["e"] != "AQAB" || len(key["n"]) != 342 || len(key) != 6 {
			t.Errorf("key %v", key)
		}
	}
	if want := []string{fresh.ID(), old.ID()}; !slices.Equal(ids, want) {
		t.Errorf("keys %v, want %v", ids, want)
	}
	if bytes.Contains(ring.JWKS(), []byte(testSessionKey(t).ID())) {
		t.Error("the session key is in it")
	}
	// A verifier that knows nothing but the set.
	parsed, err := jwk.Parse(ring.JWKS())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := ring.SignPermission(testPermission())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jws.Verify([]byte(raw), jws.WithKeySet(parsed)); err != nil {
		t.Errorf("verifying with the set: %v", err)
	}
}

func TestKind(t *testing.T) {
	ring := testRing(t)
	permission := must(ring.SignPermission(testPermission()))
	session := must(ring.SignSession(testSession()))
	header := func(text string) string { return b64(text) + ".e30.AA" }
	tests := []struct {
		name, raw string
		want      Kind
	}{
		{"permission", permission, KindPermission},
		{"session", session, KindSession},
		{"permission of another key", must(NewRing(testIssuer, testSessionKey(t), otherKey(t)).SignPermission(testPermission())), KindPermission},
		{"session of another key", must(NewRing(testIssuer, must(GenerateSessionKey()), otherKey(t)).SignSession(testSession())), KindSession},
		{"no typ", header(`{"alg":"RS256"}`), KindPermission},
		{"typ first", header(`{"typ":"session+jwt","alg":"HS256"}`), KindSession},
		{"typ empty", header(`{"alg":"RS256","typ":""}`), KindUnknown},
		{"another typ", header(`{"alg":"RS256","typ":"at+jwt"}`), KindUnknown},
		{"typ in another case", header(`{"alg":"RS256","typ":"jwt"}`), KindUnknown},
		{"typ a number", header(`{"alg":"RS256","typ":1}`), KindUnknown},
		{"typ twice", header(`{"typ":"JWT","typ":"session+jwt"}`), KindUnknown},
		{"a member that is refused", header(`{"typ":"JWT","jku":"x"}`), KindUnknown},
		{"not JSON", header(`x`), KindUnknown},
		{"no header", ".e30.AA", KindUnknown},
		{"two parts", b64(`{"typ":"JWT"}`) + ".e30", KindUnknown},
		{"JWE", b64(`{"typ":"JWT"}`) + ".a.b.c.d", KindUnknown},
		{"opaque", "0123456789abcdef", KindUnknown},
		{"nothing", "", KindUnknown},
		{"too long", permission + strings.Repeat("A", maxToken), KindUnknown},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := ring.Kind(test.raw); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
	if n := testing.AllocsPerRun(100, func() { ring.Kind(session); ring.Kind(permission) }); n != 0 {
		t.Errorf("%v allocations for our own tokens", n)
	}
}

func TestNewRingWantsAllKeys(t *testing.T) {
	for name, make := range map[string]func(){
		// An empty issuer would match none, or be taken for "any".
		"no issuer":      func() { NewRing("", testSessionKey(t), testSigningKey(t)) },
		"no session key": func() { NewRing(testIssuer, nil, testSigningKey(t)) },
		"no signing key": func() { NewRing(testIssuer, testSessionKey(t), nil) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			make()
		})
	}
}
