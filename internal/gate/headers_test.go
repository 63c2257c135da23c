package gate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/providers"
)

// S13: each header exactly once, from the decision alone.
func TestIdentityHeaders(t *testing.T) {
	for name, render := range map[string]func(*authz.Decision) any{"rendered by authz": Render, "rendered by the gate": nil} {
		h := newHouse(t)
		h.decider.render = render
		for _, tt := range []struct {
			rule   Rule
			header string
			want   map[string]string
		}{
			{readRule, asAda, adaHeaders()},
			{readRule, adaToken, adaHeaders()},
			{login, asAda, adaWithoutService()},
			{identify, asAda, adaWithoutService()},
			{identify, "Accept: */*", noHeaders()},
			{identify, "Auth-Token: our-ended", noHeaders()},
			// A missing claim is a missing header, and never the client's.
			{login, asBob, map[string]string{"X-Auth-User-Id": "u2", "X-Auth-Username": "bob", "X-Auth-Email": "", "X-Auth-Name": "", "X-Auth-Service": "", "X-Auth-Permissions": ""}},
		} {
			r := newRequest("GET", "/", tt.header)
			for _, header := range identityHeaders {
				r.Header[header] = []string{"forged", "forged"}
			}
			mustAdmit(t, r, h.gate(tt.rule))
			wantHeaders(t, r.Header, tt.want)
			if _, found := r.Header["X-Auth-Token"]; found || t.Failed() {
				t.Fatalf("%s, %s at kind %d: %v", name, tt.header, tt.rule.Kind, r.Header)
			}
		}
	}
}

// Ruling 29, S13: visible ASCII goes as it is; the rest, "%" too, is
// percent-encoded, so that no value ends a header line or reads as two.
func TestHeaderValue(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "",
		"ada":                                  "ada",
		"ada@example.com":                      "ada@example.com",
		`!"#$&'()*+,-./:;<=>?@[\]^_{|}~` + "`": `!"#$&'()*+,-./:;<=>?@[\]^_{|}~` + "`",
		"Ada Lovelace":                         "Ada%20Lovelace",
		" ada ":                                "%20ada%20",
		"100%":                                 "100%25",
		"%20":                                  "%2520",
		"Ädä":                                  "%C3%84d%C3%A4",
		"愛":                                    "%E6%84%9B",
		"😀":                                    "%F0%9F%98%80",
		"a\r\nX-Auth-User-Id: root":            "a%0D%0AX-Auth-User-Id:%20root",
		"a\x00b\tc\x7f":                        "a%00b%09c%7F",
		"\xff\xfe":                             "%FF%FE",
		strings.Repeat("a", 4096):              strings.Repeat("a", 4096),
		strings.Repeat("a", 4097):              "",
		strings.Repeat("ä", 4096/6):            strings.Repeat("%C3%A4", 4096/6),
		strings.Repeat("ä", 4096/6+1):          "",
		strings.Repeat("a", 4095) + " ":        "",
	} {
		if got := headerValue(text); got != want {
			t.Errorf("%.60q: %.60q; expected %.60q", text, got, want)
		}
	}
}

// Ruling 29: compact JSON, keys sorted, ASCII alone, at most 4 KiB.
func TestPermissionsValue(t *testing.T) {
	list := func(n int) providers.Permissions {
		return providers.Permissions{"k": strings.Repeat("x", n-len(`{"k":""}`))}
	}
	for _, tt := range []struct {
		permissions providers.Permissions
		want        string
	}{
		{nil, `{}`},
		{providers.Permissions{}, `{}`},
		{providers.Permissions{"read": true}, `{"read":true}`},
		{providers.Permissions{"write": false, "read": true, "B": nil, "a": 1.5, "max": 50.0}, `{"B":null,"a":1.5,"max":50,"read":true,"write":false}`},
		{providers.Permissions{"roles": []any{"a", map[string]any{"z": 1.0, "b": []any{}}}}, `{"roles":["a",{"b":[],"z":1}]}`},
		{providers.Permissions{"ä": "ö€"}, `{"\u00e4":"\u00f6\u20ac"}`},
		{providers.Permissions{"x": "😀\U0010ffff"}, `{"x":"\ud83d\ude00\udbff\udfff"}`},
		{providers.Permissions{"x": "a\r\nb\t\x00\x7f\"\\/"}, `{"x":"a\r\nb\t\u0000\u007f\"\\/"}`},
		{providers.Permissions{"x": "<a href='&'>"}, `{"x":"<a href='&'>"}`},
		{providers.Permissions{"x": "\u2028\u2029\ufeff"}, `{"x":"\u2028\u2029\ufeff"}`},
		{providers.Permissions{"x": "\xff"}, `{"x":"\ufffd"}`},
		{providers.Permissions{"x": "a b"}, `{"x":"a b"}`},
		{list(4096), `{"k":"` + strings.Repeat("x", 4096-len(`{"k":""}`)) + `"}`},
		{list(4097), ""},
		{providers.Permissions{"x": strings.Repeat("€", 700)}, ""}, // 2 KiB, but not as \u escapes
		{providers.Permissions{"x": math.NaN()}, ""},               // no JSON
	} {
		got := permissionsValue(tt.permissions)
		if got != tt.want {
			t.Errorf("%.80v:\n got %.80s\nwant %.80s", tt.permissions, got, tt.want)
		}
		for i := range len(got) {
			if got[i] < ' ' || got[i] > '~' {
				t.Errorf("%.80v: byte %#x", tt.permissions, got[i])
			}
		}
		var back map[string]any
		if err := json.Unmarshal([]byte(got), &back); got != "" && err != nil {
			t.Errorf("%.80v: %v", tt.permissions, err)
		}
	}
}

// Ruling 29: what is too long is left out; the rest goes on, and the gate has
// judged by all of it.
func TestLongPermissions(t *testing.T) {
	d := &authz.Decision{User: ada, Service: "storage", Permissions: providers.Permissions{"read": true}}
	for i := range 400 {
		d.Permissions[fmt.Sprintf("permission-%d", i)] = true
	}
	rendered := Render(d).(*Rendered)
	if rendered.values[5] != "" || rendered.values[0] != "u1" || rendered.values[4] != "storage" {
		t.Errorf("%.200q", rendered.values)
	}
}

// Rulings 8 and 9: the token is the decision's, in the header that was asked
// for, and there is none unless it was asked for.
func TestForwardToken(t *testing.T) {
	h := newHouse(t)
	for configured, header := range map[string]string{"X-Auth-Token": "X-Auth-Token", "x-auth-token": "X-Auth-Token", "Auth-Token": "Auth-Token", "my-token": "My-Token"} {
		rule := readRule
		rule.ForwardToken = configured
		r := newRequest("GET", "/", asAda, header+": our-ada")
		if header == "Auth-Token" {
			r = newRequest("GET", "/", asAda)
		}
		mustAdmit(t, r, h.gate(rule))
		wantHeaders(t, r.Header, map[string]string{header: "signed"})
		r.Header[header][0] = "changed"
		if upstreamToken[0] != "signed" {
			t.Fatal("a handler changed the token of all requests")
		}
	}
	// Without a token there is no request: the upstream might take the plain
	// headers of a request that lacks it for a weaker one.
	rule := readRule
	rule.ForwardToken = DefaultForwardToken
	h.decider.tokenErr = errors.New("no key")
	if p := admit(newRequest("GET", "/", asAda), new(State), h.gate(rule)); code(p) != "unavailable" || p.Status != 503 {
		t.Errorf("%q", code(p))
	}
	h.Decider = noToken{h.decider}
	if p := admit(newRequest("GET", "/", asAda), new(State), h.gate(rule)); code(p) != "unavailable" {
		t.Errorf("a token of no value: %q", code(p))
	}
}

type noToken struct{ *fakeDecider }

func (noToken) UpstreamToken(context.Context, *authz.Decision) ([]string, error) { return nil, nil }
