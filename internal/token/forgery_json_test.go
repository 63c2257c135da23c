package token

import (
	"strings"
	"testing"
)

// S3: header and payload are strict JSON, even with a good signature.
func TestForgedJSON(t *testing.T) {
	deep := func(levels int) string {
		return `"permissions":{"x":` + strings.Repeat("[", levels-2) + strings.Repeat("]", levels-2) + "}"
	}
	permissions := []forgery{
		{"header: text after", forgePermission(t, permissionHeader(t)+" ", permissionPayload()), "header: text after"},
		{"header: second object", forgePermission(t, permissionHeader(t)+"{}", permissionPayload()), "header: text after"},
		{"header: array", forgePermission(t, "["+permissionHeader(t)+"]", permissionPayload()), "header: not a JSON object"},
		{"header: byte order mark", forgePermission(t, "\ufeff"+permissionHeader(t), permissionPayload()), "header: not a JSON object"},
		{"header: empty object", forgePermission(t, "{}", permissionPayload()), "wrong alg"},
		{"header: alg twice", forgePermission(t, extend(permissionHeader(t), `"alg":"none"`), permissionPayload()), "header: a member is given twice"},
		{"header: alg twice, escaped", forgePermission(t, extend(permissionHeader(t), `"al\u0067":"none"`), permissionPayload()), "header: a member is given twice"},
		{"header: typ twice", forgePermission(t, extend(permissionHeader(t), `"typ":"session+jwt"`), permissionPayload()), "header: a member is given twice"},
		{"header: invalid UTF-8", forgePermission(t, extend(permissionHeader(t), "\"x5t\":\"\xff\""), permissionPayload()), "header: not valid UTF-8"},
		{"header: deep", forgePermission(t, extend(permissionHeader(t), `"x5t":`+strings.Repeat(`{"a":`, 500)), permissionPayload()), "header: nested too deeply"},
		{"payload: text after", forgePermission(t, permissionHeader(t), permissionPayload()+"\n"), "payload: text after"},
		{"payload: second object", forgePermission(t, permissionHeader(t), permissionPayload()+permissionPayload()), "payload: text after"},
		{"payload: string", forgePermission(t, permissionHeader(t), `"user-1"`), "payload: not a JSON object"},
		{"payload: nested JWT", forgePermission(t, permissionHeader(t), forgePermission(t, permissionHeader(t), permissionPayload())), "payload: not a JSON object"},
		{"payload: userid twice", forgePermission(t, permissionHeader(t), extend(permissionPayload(), `"userid":"admin"`)), "payload: a member is given twice"},
		{"payload: userid twice, escaped", forgePermission(t, permissionHeader(t), extend(permissionPayload(), `"\u0075serid":"admin"`)), "payload: a member is given twice"},
		{"payload: exp twice", forgePermission(t, permissionHeader(t), extend(permissionPayload(), `"exp":9999999999`)), "payload: a member is given twice"},
		{"payload: a permission twice", forgePermission(t, permissionHeader(t), permissionPayload(`{"read":true}`, `{"read":false,"read":true}`)), "payload: a member is given twice"},
		{"payload: a member twice, deep", forgePermission(t, permissionHeader(t), permissionPayload(`{"read":true}`, `{"read":[{"a":[{"b":1,"b":1}]}]}`)), "payload: a member is given twice"},
		{"payload: invalid UTF-8", forgePermission(t, permissionHeader(t), permissionPayload("user-1", "user-\xff")), "payload: not valid UTF-8"},
		{"payload: lone surrogate", forgePermission(t, permissionHeader(t), permissionPayload("user-1", `user-\ud800`)), "payload: not JSON"},
		{"payload: number out of range", forgePermission(t, permissionHeader(t), permissionPayload("true", "1e400")), "payload: a number"},
		{"payload: 33 levels", forgePermission(t, permissionHeader(t), permissionPayload(`"permissions":{"read":true}`, deep(33))), "payload: nested too deeply"},
		{"payload: 2000 levels", forgePermission(t, permissionHeader(t), permissionPayload(`"permissions":{"read":true}`, deep(2000))), "payload: nested too deeply"},
		{"payload: single quotes", forgePermission(t, permissionHeader(t), strings.ReplaceAll(permissionPayload(), `"`, `'`)), "payload: not JSON"},
		{"payload: comment", forgePermission(t, permissionHeader(t), extend(permissionPayload(), `/*`)), "payload: not JSON"},
		{"payload: NaN", forgePermission(t, permissionHeader(t), permissionPayload(expText(), `"exp":NaN`)), "payload: not JSON"},
	}
	t.Run("permission", func(t *testing.T) { refusedAsPermission(t, permissions) })
	t.Run("session", func(t *testing.T) {
		refusedAsSession(t, []forgery{
			{"header: alg twice", forgeSession(t, extend(sessionHeader(t), `"alg":"none"`), sessionPayload()), "header: a member is given twice"},
			{"payload: userid twice", forgeSession(t, sessionHeader(t), extend(sessionPayload(), `"userid":"admin"`)), "payload: a member is given twice"},
			{"payload: text after", forgeSession(t, sessionHeader(t), sessionPayload()+" "), "payload: text after"},
			{"payload: invalid UTF-8", forgeSession(t, sessionHeader(t), sessionPayload("user-1", "user-\xff")), "payload: not valid UTF-8"},
		})
	})

	// 32 levels are what is promised to be read.
	raw := forgePermission(t, permissionHeader(t), permissionPayload(`"permissions":{"read":true}`, deep(32)))
	if _, err := testRing(t).VerifyPermission(raw, testNow); err != nil {
		t.Errorf("32 levels: %v", err)
	}
}
