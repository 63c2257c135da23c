package token

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// Claims of other types, of other sizes, or missing, under a good signature (S3).
func TestForgedClaims(t *testing.T) {
	long := strings.Repeat("u", 129)
	both := []struct{ name, old, new, reason string }{
		{"no iss", `"iss":"https://app.example.com",`, ``, "iss: "},
		{"other issuer", testIssuer, otherIssuer, "iss: "},
		{"issuer with a slash", testIssuer, testIssuer + "/", "iss: "},
		{"issuer in another case", testIssuer, "https://APP.example.com", "iss: "},
		{"issuer that ours begins", testIssuer, testIssuer + ".evil.example", "iss: "},
		{"issuer in an array", `"` + testIssuer + `"`, `["` + testIssuer + `"]`, "iss: "},
		{"issuer null", `"` + testIssuer + `"`, `null`, "iss: "},
		{"issuer empty", testIssuer, ``, "iss: "},
		{"no userid", `"userid":"user-1",`, ``, "userid: not a string"},
		{"sub is no userid", `"userid"`, `"sub"`, "userid: not a string"},
		{"userid empty", `"user-1"`, `""`, "userid: empty"},
		{"userid of 129 bytes", `user-1`, long, "userid: empty or too long"},
		{"userid a number", `"user-1"`, `1`, "userid: not a string"},
		{"userid null", `"user-1"`, `null`, "userid: not a string"},
		{"userid an object (O4: unhashable)", `"user-1"`, `{"$gt":""}`, "userid: not a string"},
		{"userid an array", `"user-1"`, `["user-1"]`, "userid: not a string"},
		{"userid with NUL", `user-1`, `user-1\u0000`, "userid: has a control"},
		{"userid with a line break", `user-1`, `user-1\r\nX-Auth-User-Id: admin`, "userid: has a control"},
		{"userid with DEL", `user-1`, "user-1\x7f", "userid: has a control"},
		{"no sid", `"sid":"session-1",`, ``, "sid: not a string"},
		{"sid a number", `"session-1"`, `1`, "sid: not a string"},
		{"sid null", `"session-1"`, `null`, "sid: not a string"},
		{"sid of 129 bytes", `session-1`, long, "sid: empty or too long"},
		{"sid with a tab", `session-1`, `\tsession-1`, "sid: has a control"},
		{"an aud", `{`, `{"aud":"storage",`, "aud: "},
		{"an aud array", `{`, `{"aud":["https://app.example.com"],`, "aud: "},
		{"an aud of null", `{`, `{"aud":null,`, "aud: "},
		// encoding/json would take each of these for the claim it resembles; the
		// last has the long s, which folds to an s.
		{"EXP beside exp", `{`, `{"EXP":9999999999,`, "wrong case"},
		{"UserID beside userid", `{`, `{"UserID":"admin",`, "wrong case"},
		{"Iss instead of iss", `"iss"`, `"Iss"`, "wrong case"},
		{"Exp instead of exp", `"exp"`, `"Exp"`, "wrong case"},
		{"u\u017ferid beside userid", `{`, `{"u\u017ferid":"admin",`, "wrong case"},
	}
	permissions := []struct{ name, old, new, reason string }{
		{"no service", `"service":"storage",`, ``, "service: not a string"},
		{"service a number", `"storage"`, `1`, "service: not a string"},
		{"service null", `"storage"`, `null`, "service: not a string"},
		{"service an array (S6)", `"storage"`, `["storage","billing"]`, "service: not a string"},
		{"no permissions", `"permissions":{"read":true},`, ``, "permissions: not an object"},
		{"permissions null", `{"read":true}`, `null`, "permissions: not an object"},
		{"permissions an array", `{"read":true}`, `["read"]`, "permissions: not an object"},
		{"permissions true", `{"read":true}`, `true`, "permissions: not an object"},
		{"permissions a string of JSON", `{"read":true}`, `"{\"read\":true}"`, "permissions: not an object"},
		{"Permissions in capitals", `"permissions"`, `"PERMISSIONS"`, "wrong case"},
		{"jti a number", `"token-1"`, `1`, "jti: not a string"},
		{"jti empty", `"token-1"`, `""`, "jti: empty"},
		{"use a number", `{"iss"`, `{"use":1,"iss"`, "use: not a string"},
		{"use null, as if there were none", `{"iss"`, `{"use":null,"iss"`, "use: not a string"},
		{"use empty, as if there were none", `{"iss"`, `{"use":"","iss"`, "use: empty"},
		{"USE instead of use", `{"iss"`, `{"USE":"upstream","iss"`, "wrong case"},
	}
	var asPermission, asSession []forgery
	for _, c := range both {
		asPermission = append(asPermission, forgery{c.name, forgePermission(t, permissionHeader(t), permissionPayload(c.old, c.new)), c.reason})
		asSession = append(asSession, forgery{c.name, forgeSession(t, sessionHeader(t), sessionPayload(c.old, c.new)), c.reason})
	}
	for _, c := range permissions {
		asPermission = append(asPermission, forgery{c.name, forgePermission(t, permissionHeader(t), permissionPayload(c.old, c.new)), c.reason})
	}
	asPermission = append(asPermission, forgery{"no claims", forgePermission(t, permissionHeader(t), "{}"), "iss: "})
	asSession = append(asSession,
		forgery{"no claims", forgeSession(t, sessionHeader(t), "{}"), "iss: "},
		forgery{"sid empty", forgeSession(t, sessionHeader(t), sessionPayload("session-1", "")), "sid: empty"})
	t.Run("permission", func(t *testing.T) { refusedAsPermission(t, asPermission) })
	t.Run("session", func(t *testing.T) { refusedAsSession(t, asSession) })
}

// S5: exp is required and is a number; nbf and iat are honoured if present, with
// 60 seconds of leeway; exp has none.
func TestTimes(t *testing.T) {
	at := func(d time.Duration) int64 { return testNow.Add(d).Unix() }
	exp := func(text string) []string { return []string{expText(), text} }
	iat := func(text string) []string { return []string{iatText(), text} }
	tests := []struct {
		name    string
		replace []string
		want    error
		reason  string
	}{
		{"good", nil, nil, ""},
		{"exp in a second", exp(fmt.Sprintf(`"exp":%d`, at(time.Second))), nil, ""},
		{"exp in a tenth of a second", exp(fmt.Sprintf(`"exp":%d.1`, at(0))), nil, ""},
		{"exp with an exponent", exp(`"exp":4e9`), nil, ""},
		{"exp in the last year", exp(`"exp":253402300799`), nil, ""},
		{"exp now", exp(fmt.Sprintf(`"exp":%d`, at(0))), ErrExpired, "exp: in the past"},
		{"exp a second ago", exp(fmt.Sprintf(`"exp":%d`, at(-time.Second))), ErrExpired, "exp: in the past"},
		{"exp a tenth of a second ago", exp(fmt.Sprintf(`"exp":%d.9`, at(-time.Second))), ErrExpired, "exp: in the past"},
		{"exp 0", exp(`"exp":0`), ErrExpired, "exp: in the past"},
		{"exp -0", exp(`"exp":-0`), ErrExpired, "exp: in the past"},
		// O6: the original's tokens were good for ever.
		{"no exp", []string{"," + expText(), ""}, ErrInvalid, "exp: not a number"},
		{"exp null", exp(`"exp":null`), ErrInvalid, "exp: not a number"},
		{"exp a string of digits", exp(fmt.Sprintf(`"exp":"%d"`, at(time.Hour))), ErrInvalid, "exp: not a number"},
		{"exp a date", exp(`"exp":"2030-01-01T00:00:00Z"`), ErrInvalid, "exp: not a number"},
		{"exp true", exp(`"exp":true`), ErrInvalid, "exp: not a number"},
		{"exp an array", exp(fmt.Sprintf(`"exp":[%d]`, at(time.Hour))), ErrInvalid, "exp: not a number"},
		{"exp an object", exp(`"exp":{}`), ErrInvalid, "exp: not a number"},
		{"exp negative", exp(`"exp":-1`), ErrInvalid, "exp: out of range"},
		{"exp in the year 10000", exp(`"exp":253402300800`), ErrInvalid, "exp: out of range"},
		{"exp beyond int64", exp(`"exp":1e300`), ErrInvalid, "exp: out of range"},
		{"exp that wraps around int64", exp(`"exp":18446744073709551617`), ErrInvalid, "exp: out of range"},
		{"exp in milliseconds", exp(fmt.Sprintf(`"exp":%d000`, at(time.Hour))), ErrInvalid, "exp: out of range"},

		{"no iat", []string{iatText() + ",", ""}, nil, ""},
		{"iat 60 s ahead", iat(fmt.Sprintf(`"iat":%d`, at(time.Minute))), nil, ""},
		{"iat 61 s ahead", iat(fmt.Sprintf(`"iat":%d`, at(61*time.Second))), ErrInvalid, "iat: in the future"},
		{"iat long ago", iat(`"iat":1`), nil, ""},
		{"iat null", iat(`"iat":null`), ErrInvalid, "iat: not a number"},
		{"iat a string", iat(`"iat":"1"`), ErrInvalid, "iat: not a number"},
		{"iat negative", iat(`"iat":-1`), ErrInvalid, "iat: out of range"},

		{"nbf past", iat(fmt.Sprintf(`%s,"nbf":%d`, iatText(), at(0))), nil, ""},
		{"nbf 60 s ahead", iat(fmt.Sprintf(`%s,"nbf":%d`, iatText(), at(time.Minute))), nil, ""},
		{"nbf 61 s ahead", iat(fmt.Sprintf(`%s,"nbf":%d`, iatText(), at(61*time.Second))), ErrInvalid, "nbf: in the future"},
		{"nbf null", iat(iatText() + `,"nbf":null`), ErrInvalid, "nbf: not a number"},
		{"nbf a string", iat(iatText() + `,"nbf":"0"`), ErrInvalid, "nbf: not a number"},
		{"nbf out of range", iat(iatText() + `,"nbf":1e18`), ErrInvalid, "nbf: out of range"},

		// Only what is right in all else counts as expired.
		{"expired, and of another issuer", []string{testIssuer, otherIssuer, expText(), `"exp":1`}, ErrInvalid, "iss: "},
		{"expired, and not yet valid", []string{expText(), fmt.Sprintf(`"exp":1,"nbf":%d`, at(time.Hour))}, ErrInvalid, "nbf: "},
	}
	ring := testRing(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			permission := forgePermission(t, permissionHeader(t), permissionPayload(test.replace...))
			session := forgeSession(t, sessionHeader(t), sessionPayload(test.replace...))
			_, errPermission := ring.VerifyPermission(permission, testNow)
			_, errSession := ring.VerifySession(session, testNow)
			if test.want == nil {
				if errPermission != nil || errSession != nil {
					t.Errorf("permission: %v, session: %v", errPermission, errSession)
				}
				return
			}
			checkRefused(t, errPermission, test.want, test.reason, permission)
			checkRefused(t, errSession, test.want, test.reason, session)
		})
	}
}

// S5: an expired token whose signature is wrong is not "expired" but forged.
func TestExpiredForgery(t *testing.T) {
	raw := forgePermission(t, permissionHeader(t), permissionPayload(expText(), `"exp":1`))
	raw = raw[:len(raw)-8] + "AAAAAAAA"
	_, err := testRing(t).VerifyPermission(raw, testNow)
	checkRefused(t, err, ErrInvalid, "signature: does not match", raw)
}

// What is read is what the token says.
func TestClaimsAreRead(t *testing.T) {
	raw := forgePermission(t, permissionHeader(t), permissionPayload(
		`{"iss"`, `{"use":"upstream","unknown":{"iss":"x"},"sub":"user-2","iss"`,
		`"user-1"`, `"üser \ud83d\ude00"`,
		`"session-1"`, `""`,
		`"storage"`, `""`,
		`{"read":true}`, `{"read":true,"max":1e2,"tags":["a"],"exp":1}`,
		expText(), fmt.Sprintf(`"exp":%d.5`, testNow.Unix()+1)))
	got, err := testRing(t).VerifyPermission(raw, testNow)
	if err != nil {
		t.Fatal(err)
	}
	want := Permission{
		ID:          "token-1",
		UserID:      "üser 😀",
		Permissions: map[string]any{"read": true, "max": 100.0, "tags": []any{"a"}, "exp": 1.0},
		Use:         "upstream",
		IssuedAt:    testNow,
		ExpiresAt:   testNow.Add(1500 * time.Millisecond),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
