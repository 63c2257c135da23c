package token

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// S1-S4: nothing but the very tokens that we signed is accepted, each as the
// kind it is.
func FuzzVerify(f *testing.F) {
	ring, legacy := testRing(f), NewLegacy(testPEM)
	service := must(NewVerifier("", ring.PublicKeyPEM()))
	upstream := testPermission()
	upstream.Use = "upstream"
	old := forge(f, "HS256", testPEM, `{"typ":"JWT","alg":"HS256"}`, `{"userid":"user-1",`+expText()+`}`)
	kinds := map[string]Kind{
		must(ring.SignPermission(testPermission())): KindPermission,
		must(ring.SignPermission(upstream)):         KindPermission,
		must(ring.SignSession(testSession())):       KindSession,
	}
	for raw := range kinds {
		f.Add(raw)
		f.Add(raw + "=")
		f.Add(raw[:len(raw)-1])
		f.Add("Bearer " + raw)
		f.Add(raw + "\n")
		f.Add(raw + "." + raw)
	}
	for _, raw := range []string{
		"", ".", "..", "...", "....", "e30.e30.e30", "eyJhbGciOiJub25lIn0.e30.", b64(`{"alg":"none"}`) + "." + b64(permissionPayload()) + ".",
		`{"payload":"e30","protected":"e30","signature":"AA"}`, old, old + "=",
	} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		_, errPermission := ring.VerifyPermission(raw, testNow)
		_, errService := service.Permission(raw, testNow)
		_, errSession := ring.VerifySession(raw, testNow)
		_, _, errLegacy := legacy.Verify(raw, testNow)
		permission, session := kinds[raw] == KindPermission, kinds[raw] == KindSession
		if (errPermission == nil) != permission || (errService == nil) != permission || (errSession == nil) != session || (errLegacy == nil) != (raw == old) {
			t.Errorf("%q: permission %v, service %v, session %v, legacy %v", raw, errPermission, errService, errSession, errLegacy)
		}
		for _, err := range []error{errPermission, errService, errSession, errLegacy} {
			if err != nil && errors.Is(err, ErrInvalid) == errors.Is(err, ErrExpired) {
				t.Errorf("%q: error %v", raw, err)
			}
		}
		iss, ok := UnverifiedIssuer(raw)
		if kind := kinds[raw]; kind != KindUnknown && (ring.Kind(raw) != kind || iss != testIssuer || !ring.HasOwnHeader(raw)) {
			t.Errorf("%q: kind %v, issuer %q", raw, ring.Kind(raw), iss)
		}
		if ok != (iss != "") {
			t.Errorf("%q: issuer %q, %v", raw, iss, ok)
		}
	})
}

// S1-S5: under a good signature of either kind, we accept exactly what the
// reference accepts, and read in it what the reference reads: no second reader
// of a token sees another user, service or time than we do.
func FuzzSigned(f *testing.F) {
	ring, legacy := testRing(f), NewLegacy(testPEM)
	upstream := permissionPayload(`"jti"`, `"use":"upstream","jti"`)
	for kind, seeds := range map[Kind][][2]string{
		KindSession: {
			{sessionHeader(f), sessionPayload()},
			{`{"alg":"HS256","typ":"session+jwt"}`, `{"iss":"https://app.example.com","userid":"u","sid":"s","exp":4e9,"\u0065xp":1}`},
			{`{"typ":"session+jwt","alg":"HS256","Alg":"none"}`, sessionPayload(`{`, `{"UserID":"x",`)},
			{sessionHeader(f) + " ", sessionPayload("user-1", `\ud83d\ude00`)},
			{extend(sessionHeader(f), `"x5t":"a"`), sessionPayload(iatText(), `"nbf":1.5e9`)},
		},
		KindPermission: {
			{permissionHeader(f), permissionPayload()},
			{permissionHeader(f), upstream},
			{`{"alg":"RS256","typ":"JWT"}`, permissionPayload(`"read":true`, `"read":true,"read":false`)},
			{extend(permissionHeader(f), `"crit":["exp"]`), permissionPayload(`"sid":"session-1"`, `"sid":""`)},
			{extend(permissionHeader(f), `"b64":false`), permissionPayload(`"service":"storage"`, `"service":"Storage","aud":"x"`)},
			{permissionHeader(f), permissionPayload(expText(), `"exp":"9999999999"`)},
		},
		KindUnknown: {
			{`{"typ":"JWT","alg":"HS256"}`, `{"userid":"user-1",` + expText() + `}`},
			{`{"typ":"JWT","alg":"HS256"}`, `{"userid":"user-1","exp":4e9}`},
			{`{"typ":"JWT","alg":"HS256"}`, `{"userid":"user-1",` + expText() + `,"next":"/"}`},
		},
	} {
		for _, seed := range seeds {
			f.Add(byte(kind), seed[0], seed[1])
		}
	}
	public := &testPrivate(f).PublicKey
	f.Fuzz(func(t *testing.T, kind byte, header, payload string) {
		var c struct {
			iss, user, sid, service, use, id string
			permissions                      any
			expires                          time.Time
		}
		var raw string
		var err, errOther error
		var head, claims map[string]any
		var errReference error
		switch Kind(kind % 3) {
		case KindSession:
			raw = forgeSession(t, header, payload)
			var s Session
			s, err = ring.VerifySession(raw, testNow)
			_, errOther = ring.VerifyPermission(raw, testNow)
			c.user, c.sid, c.expires = s.UserID, s.SessionID, s.ExpiresAt
			head, claims, errReference = referenceToken(raw, jose.HS256, testSessionKey(t).secret)
			if definite(errReference) == nil && (head["typ"] != "session+jwt" || head["kid"] != nil && head["kid"] != testSessionKey(t).ID()) {
				errReference = errors.New("kind")
			}
			errReference = worse(errReference, referenceClaims(claims, testIssuer, testNow, map[string]int{"userid": 1, "sid": 1}))
		case KindPermission:
			raw = forgePermission(t, header, payload)
			var p Permission
			p, err = ring.VerifyPermission(raw, testNow)
			_, errOther = ring.VerifySession(raw, testNow)
			c.user, c.sid, c.service, c.use, c.id, c.permissions, c.expires = p.UserID, p.SessionID, p.Service, p.Use, p.ID, p.Permissions, p.ExpiresAt
			head, claims, errReference = referenceToken(raw, jose.RS256, public)
			if definite(errReference) == nil && (head["typ"] != "JWT" || head["kid"] != nil && head["kid"] != testSigningKey(t).ID()) {
				errReference = errors.New("kind")
			}
			errReference = worse(errReference, referenceClaims(claims, testIssuer, testNow, map[string]int{"userid": 1, "sid": 0, "use": -1, "jti": -1}))
			_, isText := claims["service"].(string)
			_, isObject := claims["permissions"].(map[string]any)
			if definite(errReference) == nil && (!isText || !isObject) {
				errReference = errors.New("service or permissions")
			}
		default:
			raw = forge(t, "HS256", testPEM, header, payload)
			c.user, c.expires, err = legacy.Verify(raw, testNow)
			_, errOther = ring.VerifySession(raw, testNow)
			head, claims, errReference = referenceToken(raw, jose.HS256, []byte(testPEM))
			user, _ := claims["userid"].(string)
			exp, _ := claims["exp"].(float64)
			if definite(errReference) == nil && (head["typ"] != "JWT" || head["kid"] != nil || len(claims) != 2 || user == "" || len(user) > 128 ||
				strings.ContainsFunc(user, func(r rune) bool { return r < ' ' || r == 0x7f }) ||
				exp <= float64(testNow.Unix()) || exp > float64(testNow.Add(14*24*time.Hour+time.Minute).Unix())) {
				errReference = errors.New("no session of the original")
			}
		}
		if err == nil && errOther == nil {
			t.Errorf("%q, %q: accepted as two kinds", header, payload)
		}
		if (err == nil) != (errReference == nil) && !errors.Is(errReference, errUnsure) {
			t.Errorf("%q, %q: we say %v, the reference %v", header, payload, err, errReference)
		}
		if err != nil {
			return
		}
		if definite(errReference) != nil {
			t.Fatalf("%q, %q: accepted, the reference says %v", header, payload, errReference)
		}
		text := func(name string) string { s, _ := claims[name].(string); return s }
		if c.user != text("userid") || c.sid != text("sid") || c.service != text("service") || c.use != text("use") || c.id != text("jti") {
			t.Errorf("%q: got %+v, the reference %v", payload, c, claims)
		}
		if c.permissions != nil && !reflect.DeepEqual(c.permissions, claims["permissions"]) {
			t.Errorf("%q: permissions %v, the reference has %v", payload, c.permissions, claims["permissions"])
		}
		if exp := claims["exp"].(float64); !c.expires.After(testNow) || c.expires.Unix() != int64(exp) {
			t.Errorf("%q: expires %v", payload, c.expires)
		}
		if Kind(kind%3) != KindUnknown {
			if iss, _ := UnverifiedIssuer(raw); iss != testIssuer || ring.Kind(raw) != Kind(kind%3) {
				t.Errorf("%q, %q: issuer %q, kind %v", header, payload, iss, ring.Kind(raw))
			}
		}
	})
}

// definite is nil for what the reference cannot tell.
func definite(err error) error {
	if errors.Is(err, errUnsure) {
		return nil
	}
	return err
}

// worse is a reason to refuse, if one of the two is.
func worse(a, b error) error {
	if definite(a) == nil && b != nil {
		return b
	}
	return a
}

// S3, S7: what is signed reads back as what was asked for, to us and to a
// service that uses another library; what would not is refused.
func FuzzSign(f *testing.F) {
	ring := testRing(f)
	public := &testPrivate(f).PublicKey
	f.Add("user-1", "session-1", "storage", "", "token-1", `{"read":true}`)
	f.Add("user-1", "", "", "upstream", "", `{"max":50,"tags":["a","\u00e9"],"deep":{"x":null}}`)
	f.Add("\xff", "s", "s\x00", "", "id", `{}`)
	f.Add("u\u2028<>&", "s", "\U0001f600", "", "id", `{"":0}`)
	f.Add("", "s", "s", "", "id", `null`)
	f.Add("u", "s", "s", "", "id", `{"a":`+strings.Repeat("[", 31)+strings.Repeat("]", 31)+`}`)
	f.Add("u", "s", strings.Repeat("s", 8000), "", "id", `{}`)
	f.Fuzz(func(t *testing.T, user, sid, service, use, id, permissions string) {
		p := Permission{
			UserID: user, SessionID: sid, Service: service, Use: use, ID: id,
			IssuedAt: testNow.Add(-time.Minute), ExpiresAt: testNow.Add(time.Hour),
		}
		if json.Unmarshal([]byte(permissions), &p.Permissions) != nil {
			return
		}
		raw, err := ring.SignPermission(p)
		if err != nil {
			if !errors.Is(err, ErrUnsignable) {
				t.Errorf("%+v: %v", p, err)
			}
			return
		}
		got, err := ring.VerifyPermission(raw, testNow)
		if err != nil {
			t.Fatalf("%+v is signed and not accepted: %v", p, err)
		}
		if p.Permissions == nil {
			p.Permissions = map[string]any{}
		}
		if p.ID == "" {
			p.ID = got.ID
		}
		if !reflect.DeepEqual(got, p) || got.ID == "" {
			t.Errorf("signed %+v, read %+v", p, got)
		}
		_, claims, err := referenceToken(raw, jose.RS256, public)
		if definite(err) != nil || claims["userid"] != user || claims["service"] != service || !reflect.DeepEqual(claims["permissions"], any(p.Permissions)) {
			t.Errorf("signed %+v, the reference reads %v, %v", p, claims, err)
		}
		if claims["aud"] != nil || claims["nbf"] != nil { // S6
			t.Errorf("claims that old verifiers refuse: %v", claims)
		}
	})
}

// S43, S41: a key that is accepted is strong enough, and no text that is
// refused comes back in the error.
func FuzzKeys(f *testing.F) {
	public := testSigningKey(f).PublicPEM()
	f.Add(testPEM, public, testSecret)
	f.Add([]byte(strings.ReplaceAll(string(testPEM), "\n", `\n`)), []byte{}, strings.Repeat("0f", 32))
	f.Add([]byte("\""+string(testPEM)+"\""), []byte("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"), string(testPEM))
	f.Add(public, testPEM, " "+testSecret+"=\n")
	f.Add([]byte("hunter2-hunter2-hunter2"), []byte("hunter2-hunter2"), "hunter2-hunter2-hunter2")
	f.Fuzz(func(t *testing.T, private, public []byte, secret string) {
		key, err := ParseSigningKey(private, public)
		silent(t, err, string(private), string(public))
		if err == nil {
			if bits := key.private.N.BitLen(); bits < 2048 || key.private.Validate() != nil {
				t.Errorf("a key of %d bits, %v", bits, key.private.Validate())
			}
			if again, err := ParseSigningKey(key.PrivatePEM(), key.PublicPEM()); err != nil || again.ID() != key.ID() {
				t.Errorf("not read back: %v", err)
			}
			if strings.Contains(string(key.PublicPEM()), "PRIVATE") {
				t.Errorf("the public key shows %s", key.PublicPEM())
			}
		}
		verifier, err := NewVerifier(testIssuer, public)
		silent(t, err, string(public))
		if err == nil && verifier.active.N.BitLen() < 2048 {
			t.Errorf("a key of %d bits", verifier.active.N.BitLen())
		}
		session, err := ParseSessionKey([]byte(secret))
		silent(t, err, secret)
		if err == nil {
			again, err := ParseSessionKey(session.Text())
			// Of 10^20 keys one has a text that looks like hex.
			hex := strings.Trim(string(session.Text()), "0123456789abcdefABCDEF") == ""
			if len(session.secret) < 32 || !hex && (err != nil || again.ID() != session.ID()) {
				t.Errorf("%q: %d bytes; read back: %v", secret, len(session.secret), err)
			}
			if strings.Contains(secret, "BEGIN") {
				t.Errorf("%q is a PEM text", secret)
			}
		}
	})
}

// silent checks that an error has no line of the texts in it.
func silent(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		return
	}
	for _, text := range texts {
		for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\\' || r == '"' }) {
			if len(line) >= 16 && !strings.Contains(line, "-----") && strings.Contains(err.Error(), line) {
				t.Errorf("the error repeats %q: %v", line, err)
			}
		}
	}
}
