package caddymodule_test

import (
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"
)

// S3, S5: the keys are right, and the form or the time is not.
func TestBadTokensOfTheRightKey(t *testing.T) {
	f := newForge(t)
	f.test(t)
	permission := func(changes object) string {
		return mint(f.head, f.claims.with(changes), rs(f.signing, crypto.SHA256))
	}
	session := func(changes object) string {
		return mint(f.sessionHead, f.session.with(changes), hs(sha256.New, f.secret))
	}
	// raw signs a payload that no JSON library writes.
	raw := func(old, new string) string {
		changed := strings.Replace(text(f.claims), old, new, 1)
		if changed == text(f.claims) {
			t.Fatalf("%s is not in the claims", old)
		}
		return mint(f.head, changed, rs(f.signing, crypto.SHA256))
	}
	now := time.Now().Unix()
	parts := strings.Split(f.permission, ".")
	for name, token := range map[string]string{
		// S3
		"padded":                  parts[0] + "." + parts[1] + "." + parts[2] + "==",
		"standard base64":         strings.NewReplacer("-", "+", "_", "/").Replace(permission(object{"jti": "\u00ff\u00ff\u00ff\u00fb\u00ef\u00be~~~???>>>"})) + "=",
		"blank within":            parts[0] + ". " + parts[1] + "." + parts[2],
		"stray bits":              strayBits(f.permission),
		"two parts":               parts[0] + "." + parts[1],
		"four parts":              f.permission + "." + parts[2],
		"five parts (JWE)":        strings.Join([]string{part(`{"alg":"RSA-OAEP","enc":"A256GCM"}`), "a", "b", "c", "d"}, "."),
		"empty header":            "." + parts[1] + "." + parts[2],
		"empty payload":           parts[0] + ".." + parts[2],
		"two dots":                "..",
		"JSON serialisation":      text(object{"protected": parts[0], "payload": parts[1], "signature": parts[2]}),
		"repeated claim":          raw(`"userid":`, `"userid":"mallory","userid":`),
		"repeated, escaped":       raw(`"userid":`, `"\u0075serid":"mallory","userid":`),
		"claim in another case":   raw(`"userid":`, `"UserID":"mallory","userid":`),
		"trailing text":           mint(f.head, text(f.claims)+"{}", rs(f.signing, crypto.SHA256)),
		"broken UTF-8":            raw(`"userid":`, "\"x\":\"\xff\",\"userid\":"),
		"deep":                    raw(`"userid":`, `"x":`+strings.Repeat("[", 100)+strings.Repeat("]", 100)+`,"userid":`),
		"a list":                  mint(f.head, "["+text(f.claims)+"]", rs(f.signing, crypto.SHA256)),
		"null":                    mint(f.head, "null", rs(f.signing, crypto.SHA256)),
		"repeated header":         mint(strings.Replace(text(f.head), "{", `{"alg":"none",`, 1), f.claims, rs(f.signing, crypto.SHA256)),
		"more than 8 KiB":         permission(object{"jti": strings.Repeat("j", 100), "x": strings.Repeat("x", 8<<10)}),
		"user ID is a number":     permission(object{"userid": 1}),
		"user ID is a list":       permission(object{"userid": []string{f.ada.ID}}),
		"no user ID":              permission(object{"userid": nil}),
		"empty user ID":           permission(object{"userid": ""}),
		"permissions are a list":  permission(object{"permissions": []string{"read"}}),
		"no permissions":          permission(object{"permissions": nil}),
		"sid is a number":         permission(object{"sid": 1}),
		"session without user ID": session(object{"userid": nil}),
		"session without sid":     session(object{"sid": nil}),
		// The issuer
		"no issuer":              permission(object{"iss": nil}),
		"another issuer":         permission(object{"iss": "https://evil.example"}),
		"issuer with a slash":    permission(object{"iss": f.URL + "/"}),
		"issuer in another case": permission(object{"iss": strings.ToUpper(f.URL)}),
		"issuer is a list":       permission(object{"iss": []string{f.URL}}),
		"session's issuer":       session(object{"iss": "https://evil.example"}),
		"an audience":            permission(object{"aud": f.URL}),
		// S5
		"expired":               permission(object{"exp": now - 1}),
		"expired long ago":      permission(object{"exp": 1}),
		"expires now":           permission(object{"exp": now}),
		"no exp":                permission(object{"exp": nil}),
		"exp is a text":         permission(object{"exp": "9999999999"}),
		"exp is null":           raw(`"exp":`, `"exp":null,"x":`),
		"exp is negative":       permission(object{"exp": -1}),
		"exp is beyond all":     raw(`"exp":`, `"exp":1e300,"x":`),
		"exp is true":           permission(object{"exp": true}),
		"not yet":               permission(object{"nbf": now + 120}),
		"nbf is a text":         permission(object{"nbf": "0"}),
		"issued in the future":  permission(object{"iat": now + 120}),
		"session expired":       session(object{"exp": now - 1}),
		"session without exp":   session(object{"exp": nil}),
		"session of the future": session(object{"iat": now + 120}),
		// S4
		"session as permission":   mint(f.head, f.session, rs(f.signing, crypto.SHA256)),
		"permission as session":   mint(f.sessionHead, f.claims.with(object{"service": nil, "permissions": nil, "iss": "https://evil.example"}), hs(sha256.New, f.secret)),
		"session's typ is JWT":    mint(f.sessionHead.with(object{"typ": "JWT"}), f.session, hs(sha256.New, f.secret)),
		"permission's typ":        mint(f.head.with(object{"typ": "session+jwt"}), f.claims, rs(f.signing, crypto.SHA256)),
		"no typ":                  mint(f.head.with(object{"typ": nil}), f.claims, rs(f.signing, crypto.SHA256)),
		"typ in lower case":       mint(f.head.with(object{"typ": "jwt"}), f.claims, rs(f.signing, crypto.SHA256)),
		"permission, session key": mint(f.head.with(object{"alg": "HS256", "kid": f.sessionHead["kid"]}), f.claims, hs(sha256.New, f.secret)),
		"session, signing key":    mint(f.sessionHead.with(object{"alg": "RS256", "kid": f.head["kid"]}), f.session, rs(f.signing, crypto.SHA256)),
		"an id_token's claims": permission(object{
			"iss": f.URL + "/auth/login/dev", "sub": "ada", "aud": "auth-gateway", "nonce": "n", "userid": nil, "service": nil, "permissions": nil,
		}),
		"a state": mint(object{"typ": "JWT", "alg": "HS256"}, object{"next": "/", "provider": "dev", "exp": now + 600}, hs(sha256.New, f.secret)),
		// S6
		"another service":         permission(object{"service": "other"}),
		"service in another case": permission(object{"service": "Storage"}),
		"service with a blank":    permission(object{"service": "storage "}),
		"service is a list":       permission(object{"service": []string{"storage"}}),
		"no service":              permission(object{"service": nil}),
		"empty service":           permission(object{"service": ""}),
		// Somebody else's
		"another user":          permission(object{"userid": "mallory"}),
		"another user, session": session(object{"userid": "mallory"}),
	} {
		t.Run(name, func(t *testing.T) { f.wantNothing(t, token) })
	}
	// The session is not known: nothing is wrong with the token but that.
	for name, token := range map[string]string{"permission": permission(object{"sid": "unknown"}), "session": session(object{"sid": "unknown"})} {
		t.Run("unknown session, "+name, func(t *testing.T) {
			wantProblem(t, call(t, f.Gateway, "/storage/", "Auth-Token", token), http.StatusUnauthorized, "session_ended")
			wantUnseen(t, f.upstream)
			f.wantNobody(t, token)
		})
	}
}

// strayBits sets bits in the last character that decoding drops.
func strayBits(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	return token[:len(token)-1] + string(alphabet[last|1])
}

// S4, S6, rulings 8 and 9: genuine tokens where they do not count.
func TestTokensInTheWrongPlace(t *testing.T) {
	f := newForge(t)
	for _, c := range []struct{ name, token, path string }{
		{"permission token, login", f.permission, "/login/"},
		{"permission token, another service", f.permission, "/reports/"},
		{"permission token of another service", permissionToken(t, f.Gateway, f.ada.Token, "reports"), "/storage/"},
		{"token of an unknown service", permissionToken(t, f.Gateway, f.ada.Token, "unknown"), "/storage/"},
		{"token of the empty service", permissionToken(t, f.Gateway, f.ada.Token, ""), "/storage/"},
		{"upstream token", f.forwarded, "/storage/"},
		{"upstream token, login", f.forwarded, "/login/"},
		{"upstream token, another service", f.forwarded, "/reports/"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantProblem(t, call(t, f.Gateway, c.path, "Auth-Token", c.token), http.StatusUnauthorized, "token_invalid")
			wantProblem(t, call(t, f.Gateway, c.path, "Authorization", "Bearer "+c.token), http.StatusUnauthorized, "token_invalid")
			wantUnseen(t, f.upstream)
			f.wantNobody(t, c.token) // also: no token renews itself
			if answer := call(t, f.Gateway, "/open", "Auth-Token", c.token); answer.Status != http.StatusOK {
				t.Errorf("identify: got %d", answer.Status)
			}
			if found := identity(wantSeen(t, f.upstream)); len(found) > 0 {
				t.Errorf("identify: the upstream saw %v", found)
			}
		})
	}
	if head, claims := decoded(t, f.forwarded); claims["use"] != "upstream" || head["typ"] != "JWT" || claims["exp"].(float64) > float64(time.Now().Add(10*time.Minute).Unix()) {
		t.Errorf("the upstream token is %v %v", head, claims)
	}
	// A cookie's value is no token, and a token no cookie.
	f.wantNothing(t, f.ada.Cookie)
	f.wantNothing(t, base64.RawURLEncoding.EncodeToString([]byte(f.ada.Cookie)))
	for _, value := range []string{f.ada.Token, f.permission} {
		wantProblem(t, call(t, f.Gateway, "/storage/", "Cookie", "auth_session="+value), http.StatusUnauthorized, "token_invalid")
		wantUnseen(t, f.upstream)
	}
}

// S5: a token ends when it says, also one that has just been seen good.
func TestTokenLifetime(t *testing.T) {
	f := newForge(t)
	token := permissionToken(t, f.Gateway, f.ada.Token, "brief")
	_, claims := decoded(t, token)
	end := time.Unix(int64(claims["exp"].(float64)), 0)
	if left := time.Until(end); left > 2*time.Second {
		t.Fatalf("the token lives for %s", left)
	}
	if _, storage := decoded(t, f.permission); storage["exp"].(float64)-storage["iat"].(float64) > (12*time.Hour).Seconds()+31 {
		t.Errorf("a token of another service has %v", storage)
	}
	for time.Now().Before(end) {
		asked := time.Now()
		answer := call(t, f.Gateway, "/brief/", "Auth-Token", token)
		if answered := time.Now(); answer.Status != http.StatusOK && answered.Before(end) {
			t.Fatalf("%s before its end: got %d %s", end.Sub(answered), answer.Status, answer.Body)
		} else if answer.Status == http.StatusOK && asked.After(end) {
			t.Fatalf("%s after its end: got 200", asked.Sub(end))
		}
		time.Sleep(50 * time.Millisecond)
	}
	f.upstream.Take()
	f.wantNothing(t, token)
	wantProblem(t, call(t, f.Gateway, "/brief/", "Auth-Token", token), http.StatusUnauthorized, "token_invalid")
	wantUnseen(t, f.upstream)
	if answer := call(t, f.Gateway, "/brief/", "Auth-Token", f.ada.Token); answer.Status != http.StatusOK {
		t.Errorf("the session ended with the token: %d", answer.Status)
	}
}
