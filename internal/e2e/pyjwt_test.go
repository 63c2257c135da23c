//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// pyjwt verifies as the services do that exist: with the key alone, and no
// audience named (contract 1.2).
const pyjwt = `
import json, sys
import jwt
given = json.load(sys.stdin)
try:
    print(json.dumps(jwt.decode(given["token"], given["pem"], algorithms=["RS256"])))
except jwt.InvalidTokenError as e:
    print(json.dumps({"refused": type(e).__name__}))
`

// debianPython is the Python that has Debian's PyJWT.
const debianPython = "/usr/bin/python3"

// decode lets PyJWT verify a token.
func decode(t testing.TB, token, pem string) map[string]any {
	t.Helper()
	input, err := json.Marshal(map[string]string{"token": token, "pem": pem})
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program(t, debianPython), "-I", "-c", pyjwt)
	command.Stdin = bytes.NewReader(input)
	var problems bytes.Buffer
	command.Stderr = &problems
	output, err := command.Output()
	if err != nil {
		t.Fatalf("PyJWT: %v; if a module is missing, %s:\n%s", err, install, &problems)
	}
	return parseJSON(t, string(output))
}

// A service that verifies permission tokens with PyJWT and the public key can
// do so, and the token opens the gate of its own service and nothing else.
func TestPermissionTokenWithPyJWT(t *testing.T) {
	upstream := gatewaytest.NewUpstream(t)
	g := gatewaytest.Start(t, gatewaytest.Config{
		Auth: "login dev\n" + storage + "service billing static {\n user ada@example.com read\n}",
		Site: gates(upstream) + `
	handle /billing/* {
		require_permission billing read
		reverse_proxy ` + upstream.Address() + `
	}`,
	})
	session := sessionToken(t, g, "ada")
	b := gatewaytest.NewBrowser(t)
	before := time.Now()
	answer := parseJSON(t, withToken(b, g.URL+"/auth/authorize?service=storage", session).Body)
	token, _ := answer["token"].(string)
	userID, _ := answer["userid"].(string)
	pem := b.Fetch(g.URL + "/auth/public-key").Body
	if token == "" || userID == "" || !strings.HasPrefix(pem, "-----BEGIN PUBLIC KEY-----") {
		t.Fatalf("authorize: %v\npublic-key: %s", answer, pem)
	}

	t.Run("claims", func(t *testing.T) {
		claims := decode(t, token, pem)
		want := map[string]any{
			"userid": userID, "service": "storage", "permissions": map[string]any{"read": true, "write": true}, "iss": g.URL,
		}
		for name, value := range want {
			if value == nil || !reflect.DeepEqual(claims[name], value) {
				t.Errorf("%s is %v, want %v", name, claims[name], value)
			}
		}
		for _, name := range []string{"sid", "jti"} {
			if text, ok := claims[name].(string); !ok || text == "" {
				t.Errorf("%s is %v, want a string", name, claims[name])
			}
		}
		// iat lies back for clocks that are slow; S5: it ends after 12 hours.
		issued, ends := unix(t, claims, "iat"), unix(t, claims, "exp")
		if issued.After(before) || issued.Before(before.Add(-2*time.Minute)) {
			t.Errorf("iat is %s, asked at %s", issued, before)
		}
		if life := ends.Sub(before); life > 12*time.Hour+time.Minute || life < 12*time.Hour-2*time.Minute {
			t.Errorf("S5: it lives %s, want 12h", life)
		}
		for _, name := range []string{"aud", "nbf"} {
			if _, there := claims[name]; there {
				t.Errorf("%s is there, which old verifiers refuse", name)
			}
		}
	})

	// A verifier that takes everything would prove nothing.
	t.Run("not with a changed payload", func(t *testing.T) {
		parts := strings.Split(token, ".")
		other := strings.Split(parseJSON(t, withToken(b, g.URL+"/auth/authorize?service=billing", session).Body)["token"].(string), ".")
		forged := parts[0] + "." + other[1] + "." + parts[2]
		if got := decode(t, forged, pem); got["refused"] != "InvalidSignatureError" {
			t.Errorf("PyJWT says %v", got)
		}
	})
	t.Run("not a session token", func(t *testing.T) { // S4
		if got := decode(t, session, pem); got["refused"] == nil {
			t.Errorf("S4: a service takes a session token for a permission token: %v", got)
		}
	})

	// S6: it opens only routes of exactly its service; it is no sign-in (ruling 8).
	gates := map[string]int{
		"/storage/report": http.StatusOK,
		"/billing/report": http.StatusUnauthorized,
		"/me":             http.StatusUnauthorized,
	}
	carriers := map[string]http.Header{
		"Authorization": {"Authorization": {"Bearer " + token}},
		"Auth-Token":    {"Auth-Token": {token}},
	}
	for place, want := range gates {
		for carrier, header := range carriers {
			t.Run(fmt.Sprintf("%s in %s", place, carrier), func(t *testing.T) {
				upstream.Take()
				answer := b.Do(http.MethodGet, g.URL+place, nil, header)
				if answer.Status != want {
					t.Fatalf("S6: %d, want %d: %s", answer.Status, want, answer.Body)
				}
				seen := upstream.Take()
				if want != http.StatusOK {
					if code := parseJSON(t, answer.Body)["code"]; code != "token_invalid" || len(seen) != 0 {
						t.Errorf("code %v, and the upstream saw %d requests", code, len(seen))
					}
					return
				}
				if len(seen) != 1 || seen[0].Header.Get("X-Auth-User-Id") != userID || seen[0].Header[carrier] != nil {
					t.Errorf("the upstream saw %+v", seen)
				}
			})
		}
	}
}

// sessionToken signs somebody in at the development provider as an application
// does that wants a token.
func sessionToken(t testing.TB, g *gatewaytest.Gateway, user string) string {
	t.Helper()
	b := gatewaytest.NewBrowser(t)
	_, at := b.SignIn(g.URL+"/auth/login/dev?deliver=jwt&next="+url.QueryEscape("http://localhost:3000/"), user)
	_, token, found := strings.Cut(at, "?jwt=")
	if !found {
		t.Fatalf("no token in %s", at)
	}
	return token
}

// unix reads a time of a token.
func unix(t testing.TB, claims map[string]any, name string) time.Time {
	t.Helper()
	seconds, ok := claims[name].(float64)
	if !ok {
		t.Fatalf("%s is %v, want a number", name, claims[name])
	}
	return time.Unix(int64(seconds), 0)
}
