package routes

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/datahq/auth-gateway/internal/wire"
)

// found is what is found about admin API and metrics in a server of these
// routes.
func found(t *testing.T, listen, admin, routes string) []string {
	t.Helper()
	site, err := wire.NewSite("https://app.example.com", "")
	if err != nil {
		t.Fatal(err)
	}
	server := &caddyhttp.Server{Listen: []string{listen}}
	if err := json.Unmarshal([]byte(routes), &server.Routes); err != nil {
		t.Fatal(err)
	}
	var problems []string
	for _, f := range Walk(server, Gateway{
		Gate: "guard", API: "pages", Site: site, Admin: admin,
		TurnsAway: func(options json.RawMessage) bool { return strings.Contains(string(options), "strict") },
	}) {
		if strings.Contains(f.Problem, "metrics") || strings.Contains(f.Problem, "admin API") {
			problems = append(problems, f.Problem)
		}
	}
	return problems
}

// S42: metrics are not for everybody who reaches the site. A gate that lets
// everybody through changes nothing about it.
func TestMetricsAreFound(t *testing.T) {
	const (
		metrics = `{"handler": "metrics"}`
		strict  = `{"handler": "guard", "kind": "strict"}`
		open    = `{"handler": "guard", "kind": "open"}`
	)
	for name, test := range map[string]struct {
		listen, routes string
		want           bool
	}{
		"alone":                     {":443", `[{"handle": [` + metrics + `]}]`, true},
		"at a path":                 {":443", `[{"match": [{"path": ["/metrics"]}], "handle": [` + metrics + `]}]`, true},
		"behind an open gate":       {":443", `[{"handle": [` + open + `, ` + metrics + `]}]`, true},
		"before a gate":             {":443", `[{"handle": [` + metrics + `, ` + strict + `]}]`, true},
		"behind a gate":             {":443", `[{"handle": [` + strict + `, ` + metrics + `]}]`, false},
		"behind both":               {":443", `[{"handle": [` + strict + `, ` + open + `, ` + metrics + `]}]`, false},
		"behind its path's gate":    {":443", `[{"match": [{"path": ["/m*"]}], "handle": [` + strict + `]}, {"match": [{"path": ["/metrics"]}], "handle": [` + metrics + `]}]`, false},
		"behind another's gate":     {":443", `[{"match": [{"path": ["/a"]}], "handle": [` + strict + `]}, {"match": [{"path": ["/metrics"]}], "handle": [` + metrics + `]}]`, true},
		"behind its open gate":      {":443", `[{"match": [{"path": ["/metrics"]}], "handle": [` + open + `]}, {"match": [{"path": ["/metrics"]}], "handle": [` + metrics + `]}]`, true},
		"behind a changed path":     {":443", `[{"match": [{"path": ["/metrics"]}], "handle": [` + strict + `]}, {"handle": [{"handler": "rewrite", "uri": "/metrics"}]}, {"match": [{"path": ["/metrics"]}], "handle": [` + metrics + `]}]`, true},
		"in a subroute":             {":443", `[{"handle": [{"handler": "subroute", "routes": [{"handle": [` + metrics + `]}]}]}]`, true},
		"with a password":           {":443", `[{"handle": [{"handler": "authentication"}, ` + metrics + `]}]`, false},
		"for addresses":             {":443", `[{"match": [{"remote_ip": {"ranges": ["10.0.0.0/8"]}}], "handle": [` + metrics + `]}]`, false},
		"for addresses or hosts":    {":443", `[{"match": [{"client_ip": {"ranges": ["10.0.0.0/8"]}}, {"host": ["a"]}], "handle": [` + metrics + `]}]`, true},
		"for other addresses":       {":443", `[{"match": [{"not": [{"remote_ip": {"ranges": ["10.0.0.0/8"]}}]}], "handle": [` + metrics + `]}]`, true},
		"on one address":            {"192.0.2.1:443", `[{"handle": [` + metrics + `]}]`, true},
		"on any address":            {"0.0.0.0:443", `[{"handle": [` + metrics + `]}]`, true},
		"on a name":                 {"app.example.com:443", `[{"handle": [` + metrics + `]}]`, true},
		"on loopback":               {"127.0.0.1:443", `[{"handle": [` + metrics + `]}]`, false},
		"on loopback by name":       {"tcp/localhost:443", `[{"handle": [` + metrics + `]}]`, false},
		"on loopback by IPv6":       {"[::1]:443", `[{"handle": [` + metrics + `]}]`, false},
		"on a socket":               {"unix//run/site.sock", `[{"handle": [` + metrics + `]}]`, false},
		"on a socket with its mode": {"unix//run/site.sock|0660", `[{"handle": [` + metrics + `]}]`, false},
		"none":                      {":443", `[{"handle": [` + open + `]}]`, false},
	} {
		if got := found(t, test.listen, "", test.routes); len(got) > 1 || (len(got) == 1) != test.want {
			t.Errorf("%s: found %q", name, got)
		}
	}
}

// S42: no route leads to the admin API, whatever stands before it: not under
// any spelling of its address.
func TestAdminIsFound(t *testing.T) {
	for _, test := range []struct {
		admin, dial string
		want        bool
	}{
		{"localhost:2019", "localhost:2019", true},
		{"localhost:2019", "tcp/LOCALHOST.:2019", true},
		{"localhost:2019", "127.0.0.1:2019", true},
		{"localhost:2019", "127.0.0.9:2019", true},
		{"localhost:2019", "[::1]:2019", true},
		{"localhost:2019", "[::ffff:127.0.0.1]:2019", true},
		{"localhost:2019", "0.0.0.0:2019", true},
		{"localhost:2019", "[::]:2019", true},
		{"localhost:2019", ":2019", true},
		{"localhost:2019", "admin.localhost:2019", true},
		{"localhost:2019", "{env.ADMIN_UPSTREAM}", true},
		{"localhost:2019", "localhost:2020", false},
		{"localhost:2019", "10.0.0.1:2019", false},
		{"localhost:2019", "localhost.example.com:2019", false},
		{"localhost:2019", "unix//run/caddy.sock", false},
		{"localhost:2019", "{http.request.host}", false},
		{"127.0.0.1:3000", "localhost:3000", true},
		{"127.0.0.1:3000", "localhost:2019", false},
		{":2019", "localhost:2019", true},
		{"0.0.0.0:2019", "[::1]:2019", true},
		{"10.0.0.1:2019", "10.0.0.1:2019", true},
		{"10.0.0.1:2019", "localhost:2019", false},
		{"unix//run/caddy.sock", "unix//run/caddy.sock", true},
		{"unix//run/caddy.sock|0660", "unix//run/x/../caddy.sock", true},
		{"unix//run/caddy.sock", "unix+h2c//run/caddy.sock", true},
		{"unix//run/caddy.sock", "unix//run/app.sock", false},
		{"unix//run/caddy.sock", "localhost:2019", false},
		{"", "localhost:2019", false},
		{"", ":0", false},
	} {
		t.Setenv("ADMIN_UPSTREAM", "127.0.0.1:2019")
		dial, err := json.Marshal(test.dial)
		if err != nil {
			t.Fatal(err)
		}
		routes := `[{"handle": [{"handler": "guard", "kind": "strict"}, {"handler": "reverse_proxy", "upstreams": [{"dial": "up:1"}, {"dial": ` + string(dial) + `}]}]}]`
		if got := found(t, "127.0.0.1:443", test.admin, routes); len(got) > 1 || (len(got) == 1) != test.want {
			t.Errorf("admin %q, upstream %q: found %q", test.admin, test.dial, got)
		}
	}
}

// S31, S42: which of a server's addresses others may reach.
func TestOpen(t *testing.T) {
	got := Open([]string{"127.0.0.1:80", "localhost:80", ":80", "unix//run/x.sock", "[::1]:80", "udp/[::]:443", "fd/3", "10.0.0.1:80"})
	if want := []string{":80", "udp/[::]:443", "fd/3", "10.0.0.1:80"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
