package gate

import (
	"strings"
	"testing"
)

// Ruling 5: query_token lets "?jwt=" count, and takes it away.
func TestQueryToken(t *testing.T) {
	h := newHouse(t)
	for _, tt := range []struct {
		query   string
		headers []string
		want    string
		rest    string
	}{
		{"jwt=our-ada", nil, "", ""},
		{"a=%zz&jwt=our-ada&b=&c", nil, "", "a=%zz&b=&c"},
		{"%6Awt=our-ada", nil, "", ""},
		{"a=b", []string{asAda}, "", "a=b"},
		{"jwt=our-ada", []string{asAda}, "", ""},
		{"jwt=", []string{asAda}, "", ""},
		{"a=b", nil, "not_signed_in", "a=b"},
		{"jwt=our-forged", nil, "token_invalid", ""},
		{"jwt=our-bob&a=b", nil, "permission_missing", "a=b"},
		{"jwt=our-bob", []string{asAda}, "ambiguous_credentials", ""},
		{"jwt=our-ada&a=b&jwt=our-ada", nil, "ambiguous_credentials", "a=b"},
		{"jwt=our-ada", []string{cookie + "bob"}, "ambiguous_credentials", ""},
	} {
		rule := readRule
		rule.QueryToken = true
		r := newRequest("GET", "/data?"+tt.query, tt.headers...)
		if p := admit(r, new(State), h.gate(rule)); code(p) != tt.want {
			t.Errorf("%q with %q: %q; expected %q", tt.query, tt.headers, code(p), tt.want)
		}
		uri := strings.TrimSuffix("/data?"+tt.rest, "?")
		if r.URL.RawQuery != tt.rest || r.URL.RequestURI() != uri || r.RequestURI != uri {
			t.Errorf("%q goes on as %q, %q; expected %q", tt.query, r.URL, r.RequestURI, tt.rest)
		}
	}
	// Where it is off, the parameter is the upstream's.
	r := newRequest("GET", "/data?jwt=x&a=b", asAda)
	mustAdmit(t, r, h.gate(readRule))
	if r.URL.RawQuery != "jwt=x&a=b" {
		t.Errorf("%q is forwarded", r.URL.RawQuery)
	}
}
