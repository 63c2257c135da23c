package routes

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/datahq/auth-gateway/internal/wire"
)

// walked is what is found in a server of these routes, as JSON.
func walked(t *testing.T, routes string) []Finding {
	t.Helper()
	site, err := wire.NewSite("https://app.example.com", "")
	if err != nil {
		t.Fatal(err)
	}
	server := new(caddyhttp.Server)
	if err := json.Unmarshal([]byte(routes), &server.Routes); err != nil {
		t.Fatal(err)
	}
	return Walk(server, Gateway{
		Gate: "guard", API: "pages", Site: site,
		TurnsAway: func(options json.RawMessage) bool { return strings.Contains(string(options), "strict") },
	})
}

// Ruling 25, S13, S15: what is found in routes that are JSON still. The whole
// table, of loaded routes too, is in the tests of the real gateway.
func TestWalk(t *testing.T) {
	const proxy = `{"handler": "reverse_proxy", "upstreams": [{"dial": "up:1"}, {"dial": "up:2"}]}`
	for name, test := range map[string]struct {
		routes string
		want   []string // how the findings begin
	}{
		"nothing":     {`[]`, nil},
		"guarded":     {`[{"handle": [{"handler": "guard"}, ` + proxy + `]}]`, nil},
		"unguarded":   {`[{"handle": [` + proxy + `]}]`, []string{"a proxied route has no gate before it"}},
		"wrong order": {`[{"handle": [` + proxy + `]}, {"handle": [{"handler": "guard"}]}]`, []string{"a proxied route has no gate before it"}},
		"wider gate":  {`[{"match": [{"path": ["/a/*"]}], "handle": [{"handler": "guard"}]}, {"match": [{"path": ["/a/b"]}], "handle": [` + proxy + `]}]`, nil},
		"rewritten":   {`[{"handle": [{"handler": "guard"}, {"handler": "rewrite", "strip_path_prefix": "/a"}, ` + proxy + `]}]`, []string{"a path is rewritten between"}},
		"pages":       {`[{"handle": [{"handler": "guard"}, {"handler": "pages"}]}]`, []string{"auth_api stands behind a gate"}},
		"other host":  {`[{"match": [{"host": ["b.example.com"]}], "handle": [{"handler": "guard", "kind": "strict"}]}]`, []string{"a gate stands on the host b.example.com"}},
		"own host":    {`[{"match": [{"host": ["APP.example.com"]}], "handle": [{"handler": "guard", "kind": "strict"}]}]`, nil},
		"open gate":   {`[{"match": [{"host": ["b.example.com"]}], "handle": [{"handler": "guard", "kind": "open"}]}]`, nil},
		"trust in all": {
			`[{"handle": [{"handler": "guard"}, {"handler": "reverse_proxy", "trusted_proxies": ["::/1", "8000::/1"]}]}]`,
			[]string{"trusted_proxies covers every address"},
		},
	} {
		found := walked(t, test.routes)
		if !slices.EqualFunc(found, test.want, func(f Finding, begin string) bool { return strings.HasPrefix(f.Problem, begin) }) {
			t.Errorf("%s: found %v, want %q", name, found, test.want)
		}
	}
}

// A finding says enough to be mended, in an error and in a line of the log.
func TestFinding(t *testing.T) {
	found := walked(t, `[{"match": [{"path": ["/a", "/b"], "method": ["GET"]}], "handle": [{"handler": "reverse_proxy", "upstreams": [{"dial": "up:1"}, {"dial": "up:2"}]}]}]`)
	if len(found) != 1 {
		t.Fatalf("found %v", found)
	}
	text := found[0].String()
	for _, want := range []string{"method GET, path /a /b", "upstream up:1 up:2", "): put require_permission, "} {
		if !strings.Contains(text, want) {
			t.Errorf("%q does not say %q", text, want)
		}
	}
	var keys []string
	for _, field := range found[0].Fields() {
		keys = append(keys, field.Key)
	}
	if !slices.Equal(keys, []string{"advice", "server", "route", "upstream"}) {
		t.Errorf("the log has %q", keys)
	}
}
