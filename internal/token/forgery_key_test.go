package token

import (
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwa"
)

// S2: the key comes from the ring, by exact kid. Nothing in the token is a key
// or says where one is.
func TestForgedKeyChoice(t *testing.T) {
	theirs := otherKey(t)
	jwkText := string(theirs.public.jwk)
	kid := `"kid":"` + testSigningKey(t).ID() + `"`
	sessionKID := `"kid":"` + testSessionKey(t).ID() + `"`

	var permissions, sessions []forgery
	// kid, with the right signature.
	for _, test := range []struct{ name, kid, reason string }{
		{"unknown", `"kid":"k"`, "unknown kid"},
		{"theirs", `"kid":"` + theirs.ID() + `"`, "unknown kid"},
		{"in another case", `"kid":"` + strings.ToLower(testSigningKey(t).ID()) + `"`, "unknown kid"},
		{"with a blank", `"kid":"` + testSigningKey(t).ID() + ` "`, "unknown kid"},
		{"cut off", `"kid":"` + testSigningKey(t).ID()[:42] + `"`, "unknown kid"},
		{"a path", `"kid":"../../../../dev/null"`, "unknown kid"},
		{"an URL", `"kid":"https://evil.example/key.pem"`, "unknown kid"},
		{"SQL", `"kid":"x' UNION SELECT 'secret' --"`, "unknown kid"},
		{"a command", `"kid":"|/usr/bin/id"`, "unknown kid"},
		{"NUL", `"kid":"\u0000"`, "unknown kid"},
		{"128 bytes", `"kid":"` + strings.Repeat("k", 128) + `"`, "unknown kid"},
		{"129 bytes", `"kid":"` + strings.Repeat("k", 129) + `"`, "kid is empty or too long"},
		{"empty", `"kid":""`, "kid is empty or too long"},
		{"a number", `"kid":0`, "not a string"},
		{"null", `"kid":null`, "not a string"},
		{"true", `"kid":true`, "not a string"},
		{"an array", `"kid":["` + testSigningKey(t).ID() + `"]`, "nested too deeply"},
		{"an object", `"kid":{}`, "nested too deeply"},
		{"twice", kid + "," + kid, "given twice"},
		{"twice, once escaped", kid + `,"\u006bid":"k"`, "given twice"},
		{"the session key's", sessionKID, "unknown kid"},
	} {
		header := strings.Replace(permissionHeader(t), kid, test.kid, 1)
		permissions = append(permissions, forgery{"kid " + test.name, forgePermission(t, header, permissionPayload()), test.reason})
		if test.name == "the session key's" {
			test.kid = kid
		}
		header = strings.Replace(sessionHeader(t), sessionKID, test.kid, 1)
		sessions = append(sessions, forgery{"kid " + test.name, forgeSession(t, header, sessionPayload()), test.reason})
	}

	// Embedded and referenced keys (CVE-2018-0114): signed with their key, which
	// the header carries or points to. And with ours, since a header member that
	// we do not honour is none that we overlook.
	for _, member := range []string{
		`"jwk":` + jwkText,
		`"jwk":"` + theirs.ID() + `"`,
		`"jku":"https://evil.example/jwks.json"`,
		`"jku":"https://app.example.com/auth/jwks.json"`,
		`"x5u":"https://evil.example/cert.pem"`,
		`"x5c":["MIIB"]`,
		`"x5c":"MIIB"`,
		`"crit":["exp"]`,
		`"crit":[]`,
		`"crit":"exp"`,
		`"b64":false`,
		`"b64":true`,
		`"b64":false,"crit":["b64"]`,
		`"zip":"DEF"`,
		`"zip":""`,
		`"enc":"A256GCM"`,
		`"cty":"JWT"`,
		`"epk":"x"`,
		`"p2c":"1000000"`,
		`"x5t":7`,
		`"Alg":"none"`,
		`"ALG":"RS256"`,
		`"Kid":"k"`,
		`"TYP":"JWT"`,
		`"alg ":"RS256"`,
		`"JWK":"x"`,
	} {
		for _, key := range []struct {
			name   string
			key    any
			secret []byte
		}{
			{"theirs", theirs.private, []byte("a secret of theirs")},
			{"ours", testPrivate(t), testSessionKey(t).secret},
		} {
			name := member + " signed with " + key.name
			permissions = append(permissions, forgery{name, forge(t, jwa.RS256, key.key, extend(permissionHeader(t), member), permissionPayload()), "header: "})
			sessions = append(sessions, forgery{name, forge(t, jwa.HS256, key.secret, extend(sessionHeader(t), member), sessionPayload()), "header: "})
		}
	}
	t.Run("permission", func(t *testing.T) { refusedAsPermission(t, permissions) })
	t.Run("session", func(t *testing.T) { refusedAsSession(t, sessions) })
}

// extend puts a member in front of the others of an object.
func extend(object, member string) string { return "{" + member + "," + object[1:] }

// S2: no kid means the one active key; a certificate's thumbprint is only a name.
func TestHeadersThatAreAccepted(t *testing.T) {
	ring := testRing(t)
	for _, header := range []string{
		`{"alg":"RS256","typ":"JWT"}`,
		`{"typ":"JWT","alg":"RS256"}`,
		"{ \"alg\" : \"RS256\",\n\t\"typ\": \"JWT\" }",
		`{"\u0061lg":"RS\u0032\u00356","typ":"JWT"}`,
		extend(permissionHeader(t), `"x5t":"k"`),
		extend(permissionHeader(t), `"x5t#S256":"k"`),
	} {
		if _, err := ring.VerifyPermission(forgePermission(t, header, permissionPayload()), testNow); err != nil {
			t.Errorf("permission, %s: %v", header, err)
		}
	}
	if _, err := ring.VerifySession(forgeSession(t, `{"alg":"HS256","typ":"session+jwt"}`, sessionPayload()), testNow); err != nil {
		t.Errorf("session without kid: %v", err)
	}
}
