package routes

import (
	"encoding/json"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func conditionFrom(t *testing.T, text string) condition {
	t.Helper()
	var route caddyhttp.Route
	if err := json.Unmarshal([]byte(`{"match": `+text+`}`), &route); err != nil {
		t.Fatal(err)
	}
	return conditionOf(&route)
}

// Ruling 25: a gate in another route's matcher guards only what certainly meets
// that matcher. In doubt it does not.
func TestImplies(t *testing.T) {
	for _, test := range []struct {
		narrow, wide string
		want         bool
	}{
		{`[]`, `[]`, true},
		{`[{"path": ["/a"]}]`, `[]`, true},
		{`[]`, `[{"path": ["/a"]}]`, false},
		{`[{"path": ["/a"]}]`, `[{ "path":["/a"] }]`, true},
		{`[{"path": ["/a"], "method": ["GET"]}]`, `[{"path": ["/a"]}]`, true},
		{`[{"path": ["/a"]}]`, `[{"path": ["/a"], "method": ["GET"]}]`, false},
		{`[{"path": ["/a"]}]`, `[{"path": ["/b", "/a"]}]`, true},
		{`[{"path": []}]`, `[{"path": ["/a"]}]`, false},
		{`[{"path": ["/a", "/c"]}]`, `[{"path": ["/b", "/a"]}]`, false},
		{`[{"path": ["/a"]}, {"path": ["/c"]}]`, `[{"path": ["/a"]}]`, false},
		{`[{"path": ["/a"]}, {"path": ["/c"]}]`, `[{"path": ["/c"]}, {"path": ["/a"]}]`, true},
		{`[{"not": [{"path": ["/a"]}]}]`, `[{"not": [{"path": ["/a", "/b"]}]}]`, false},
		{`[{"header": {"A": ["1"]}}]`, `[{"header": {"A": ["1", "2"]}}]`, false},
	} {
		if got := conditionFrom(t, test.narrow).implies(conditionFrom(t, test.wide)); got != test.want {
			t.Errorf("%s implies %s: %t", test.narrow, test.wide, got)
		}
	}
}

func TestIsBelow(t *testing.T) {
	for _, test := range []struct {
		narrow, wide string
		want         bool
	}{
		{"/a/b/*", "/a/*", true},
		{"/A/b", "/a/*", true},
		{"/a/b", "/a*", true},
		{"/a*", "/a/*", false},
		{"/a", "/a/*", false},
		{"/*/b", "/a/*", false},
		{"/a/?b", "/a/*", true},
		{"/a%2fb", "/a*", false}, // it depends on how the path is spelled
		{"/a//b", "/a/*", false},
		{"/{x}", "/*", false},
		{"/a/b", "/*/b*", false},
	} {
		if got := isBelow(test.narrow, test.wide); got != test.want {
			t.Errorf("%s below %s: %t", test.narrow, test.wide, got)
		}
	}
}
