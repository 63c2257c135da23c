package caddymodule_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// The beginnings of what the walk says.
const (
	noGate    = "a proxied route has no gate before it"
	rewritten = "a path is rewritten between its gate and its upstream"
	locked    = "auth_api stands behind a gate"
	foreign   = "a gate stands on the host "
	trusting  = "trusted_proxies covers every address"
)

// walked is one finding, as it is logged.
type walked struct{ Msg, Advice, Server, Route, Upstream string }

func (w walked) String() string { return fmt.Sprintf("%s [%s] -> %s", w.Msg, w.Route, w.Upstream) }

// validate loads a Caddyfile as "validate" does, and returns what the walk
// found.
func validate(t *testing.T, caddyfile string, env ...string) (found []walked, output string, err error) {
	t.Helper()
	g := gatewaytest.New(t, gatewaytest.Config{Env: env})
	file := filepath.Join(g.State, "Caddyfile")
	if err := os.WriteFile(file, []byte(caddyfile), 0o600); err != nil {
		t.Fatal(err)
	}
	output, err = g.Command("validate", "--config", file)
	for line := range strings.Lines(output) {
		i := strings.Index(line, "{")
		if i < 0 || !strings.Contains(line, `"advice"`) {
			continue
		}
		var entry walked
		if json.Unmarshal([]byte(line[i:]), &entry) != nil {
			t.Fatalf("not an entry of the log: %s", line)
		}
		if entry.Msg == "" { // the console's form: level, logger, message, fields
			columns := strings.Split(strings.TrimSpace(line[:i]), "\t")
			entry.Msg = columns[len(columns)-1]
		}
		if entry.Advice == "" || entry.Server == "" || entry.Route == "" {
			t.Errorf("a finding does not say enough to be mended: %+v", entry)
		}
		found = append(found, entry)
	}
	return found, output, err
}

// site is a Caddyfile with one site at the external address.
func site(auth, body string) string {
	return "{\nauth {\nexternal_address https://app.example.com\nservice storage static {\neveryone read\n}\nlogin google {\nclient_id x\nclient_secret x\n}\n" + auth + "\n}\n}\n" +
		"https://app.example.com {\n" + body + "\n}\n"
}

// Ruling 25, S13: a proxied route that no gate stands before on its way is
// named, by matcher and upstream, and no other is.
func TestUnguardedRoutes(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       []string // beginning of the message, then what route and upstream contain
	}{
		{"gate in the site", "auth_api\nrequire_login\nreverse_proxy up:1", nil},
		{"each kind", "auth_api\nhandle /a/* {\nrequire_login\nreverse_proxy up:1\n}\nhandle /b/* {\nrequire_permission storage read\nreverse_proxy up:2\n}\nhandle {\nidentify\nreverse_proxy up:3\n}", nil},
		{"none at all", "auth_api\nreverse_proxy up:1", []string{noGate + "|host app.example.com|up:1"}},
		{"one of two", "auth_api\nhandle /a/* {\nrequire_login\nreverse_proxy up:1\n}\nhandle /b/* {\nreverse_proxy up:2\n}", []string{noGate + "|path /b/*|up:2"}},
		{"one before the first gate", "auth_api\nhandle /a/* {\nreverse_proxy up:1\n}\nhandle {\nrequire_login\nreverse_proxy up:2\n}", []string{noGate + "|path /a/*|up:1"}},
		{"several upstreams", "auth_api\nreverse_proxy up:1 up:2", []string{noGate + "|host app.example.com|up:1 up:2"}},
		{"in a matcher's place", "auth_api\nrequire_login /a/*\nreverse_proxy /a/* up:1", nil},
		{"wider matcher", "auth_api\nrequire_login /a/*\nreverse_proxy /a/b/* up:1", nil},
		{"wider list", "auth_api\n@a path /a/* /b/*\nrequire_login @a\n@b {\npath /b/*\nmethod GET\n}\nreverse_proxy @b up:1", nil},
		{"case of a path", "auth_api\nrequire_login /A/*\nreverse_proxy /a/* up:1", nil},
		{"narrower matcher", "auth_api\nhandle /a/* {\n@write not method GET HEAD\nrequire_permission @write storage write\nreverse_proxy up:1\n}", []string{noGate + "|path /a/*|up:1"}},
		{"narrower path", "auth_api\nrequire_login /a/b/*\nreverse_proxy /a/* up:1", []string{noGate + "|path /a/*|up:1"}},
		{"path without its children", "auth_api\nrequire_login /a\nreverse_proxy /a/* up:1", []string{noGate + "|path /a/*|up:1"}},
		{"another path", "auth_api\nrequire_login /b/*\nreverse_proxy /a/* up:1", []string{noGate + "|path /a/*|up:1"}},
		{"path that only begins so", "auth_api\nrequire_login /a/*\nreverse_proxy /a* up:1", []string{noGate + "|path /a*|up:1"}},
		{"one of a list", "auth_api\nrequire_login /a/*\n@a path /a/* /b/*\nreverse_proxy @a up:1", []string{noGate + "|path /a/* /b/*|up:1"}},
		{"and identify behind", "auth_api\nhandle /a/* {\n@write not method GET HEAD\nrequire_permission @write storage write\nidentify\nreverse_proxy up:1\n}", nil},
		{"other nots", "auth_api\n@a not path /a/*\n@b not path /b/*\nrequire_login @a\nreverse_proxy @b up:1", []string{noGate + "|not|up:1"}},
		{"same nots", "auth_api\n@a not path /a/*\nrequire_login @a\nreverse_proxy @a up:1", nil},
		{"expressions", "auth_api\n@a `path('/a/*')`\nrequire_login @a\nreverse_proxy @a up:1", nil},
		{"matcher rewritten on the way", "auth_api\nroute {\nrequire_login /a/*\nrewrite /b/* /a/x\nreverse_proxy /a/* up:1\n}", []string{noGate + "|path /a/*|up:1"}},
		{"gate outside", "auth_api\nrequire_login\nhandle /a/* {\nreverse_proxy up:1\n}\nhandle {\nreverse_proxy up:2\n}", nil},
		{"gate in a neighbour", "auth_api\nhandle /a/* {\nrequire_login\nrespond hi\n}\nhandle {\nreverse_proxy up:1\n}", []string{noGate + "|host app.example.com|up:1"}},
		{"gate behind", "auth_api\nroute {\nreverse_proxy up:1\nrequire_login\n}", []string{noGate + "|host app.example.com|up:1"}},
		{"gate in a route before", "auth_api\nroute {\nidentify\n}\nroute {\nreverse_proxy up:1\n}", nil},
		{"deep", "auth_api\nhandle /a/* {\nroute {\nhandle_path /a/b/* {\nreverse_proxy up:1\n}\nidentify\n}\n}", []string{noGate + "|path /a/* and path /a/b/*|up:1"}},
		{"forward_auth", "auth_api\nforward_auth up:1 {\nuri /verify\n}\nrequire_login\nreverse_proxy up:2", []string{noGate + "|host app.example.com|up:1"}},
		{"forward_auth behind a gate", "auth_api\nroute {\nrequire_login\nforward_auth up:1 {\nuri /verify\n}\nreverse_proxy up:2\n}", nil},
		{"php_fastcgi", "auth_api\nphp_fastcgi up:9000", []string{noGate + "|host app.example.com and path *.php|up:9000"}},
		{"php_fastcgi behind a gate", "auth_api\nrequire_login\nphp_fastcgi up:9000", nil},
		{"handle_response", "auth_api\nreverse_proxy up:1 {\n@error status 404\nhandle_response @error {\nreverse_proxy up:2\n}\n}", []string{noGate + "|host app.example.com|up:1", noGate + "|host app.example.com|up:2"}},
		{"intercept behind a gate", "auth_api\nidentify\nintercept {\n@error status 404\nhandle_response @error {\nreverse_proxy up:1\n}\n}\nrespond 404", nil},
		{"intercept", "auth_api\nhandle {\nintercept {\n@error status 404\nhandle_response @error {\nreverse_proxy up:1\n}\n}\nrespond 404\n}\nhandle /a/* {\nidentify\nreverse_proxy up:2\n}", []string{noGate + "|host app.example.com|up:1"}},
		{"errors", "auth_api\nrequire_login\nreverse_proxy up:1\nhandle_errors {\nreverse_proxy up:2\n}", []string{noGate + "|error routes and host app.example.com|up:2"}},
		{"errors with a gate", "auth_api\nrequire_login\nreverse_proxy up:1\nhandle_errors {\nidentify\nreverse_proxy up:2\n}", nil},
		{"no proxy", "auth_api\nfile_server\nrespond /a hi", nil},
		{"sites without our directives", "auth_api\nrequire_login\nreverse_proxy up:1\n}\nhttps://blog.example.com {\nreverse_proxy up:2", []string{noGate + "|host blog.example.com|up:2"}},
		// Routes that Caddy has loaded by then: sites with longer names come first.
		{"loaded before", "auth_api\nrequire_login\nreverse_proxy up:1\n}\nhttps://a-longer-name.example.com {\n@a not path /a/*\nhandle @a {\nreverse_proxy up:2 up:3\n}\nhandle /b/* {\nphp_fastcgi up:9000\n}\nhandle {\nrespond hi\n}", []string{
			noGate + `|host a-longer-name.example.com and not [{"path":["/a/*"]}]|up:2 up:3`, noGate + "|path /b/* and path *.php|up:9000",
		}},
		{"loaded before, inside", "auth_api\nidentify\n}\nhttps://a-longer-name.example.com {\nreverse_proxy /a/* up:2 {\nhandle_response {\nreverse_proxy up:3\n}\n}\nintercept {\nhandle_response {\nreverse_proxy up:4\n}\n}\ninvoke app\n}\n&(app) {\nreverse_proxy up:5", []string{
			noGate + "|host a-longer-name.example.com|up:4", noGate + "|host a-longer-name.example.com|up:5", noGate + "|path /a/*|up:2", noGate + "|path /a/*|up:3",
		}},
		{"another server", "auth_api\nrequire_login\nreverse_proxy up:1\n}\nhttp://:8081 {\nreverse_proxy up:2", nil},
		{"invoked", "auth_api\nhandle /a/* {\nidentify\ninvoke app\n}\nhandle {\ninvoke app\n}\n}\n&(app) {\nreverse_proxy up:1", []string{noGate + "|host app.example.com|up:1"}},
		{"gate in what is invoked", "auth_api\ninvoke app\n}\n&(app) {\nidentify\nreverse_proxy up:1", nil},

		{"rewrite before", "auth_api\nrewrite /a/* /b{uri}\nrequire_login\nreverse_proxy up:1", nil},
		{"handle_path with its gate", "auth_api\nhandle_path /a/* {\nrequire_login\nreverse_proxy up:1\n}", nil},
		{"handle_path behind a gate", "auth_api\nrequire_login\nhandle_path /a/* {\nreverse_proxy up:1\n}", []string{rewritten + "|path /a/*|up:1"}},
		{"and another gate", "auth_api\nrequire_login\nhandle_path /a/* {\nidentify\nreverse_proxy up:1\n}", nil},
		{"in the proxy", "auth_api\nrequire_login\nreverse_proxy up:1 {\nrewrite /api{uri}\n}", []string{rewritten + "|host app.example.com|up:1"}},
		{"in the proxy, constant", "auth_api\nrequire_login\nreverse_proxy up:1 {\nrewrite /admin\n}", []string{rewritten + "|host app.example.com|up:1"}},
		{"in the proxy, method alone", "auth_api\nrequire_login\nreverse_proxy up:1 {\nmethod GET\n}", nil},
		{"in a route", "auth_api\nroute {\nrequire_login\nuri strip_prefix /a\nreverse_proxy up:1\n}", []string{rewritten + "|host app.example.com|up:1"}},
		{"query alone", "auth_api\nroute {\nrequire_login\nrewrite ?a=1\nreverse_proxy up:1\n}", nil},
		{"of some requests", "auth_api\nroute {\nrequire_login\nuri /a/* replace /a /b\nreverse_proxy up:1\n}", []string{rewritten + "|host app.example.com|up:1"}},
		{"not before a proxy", "auth_api\nroute {\nrequire_login\nrewrite /a\nrespond hi\n}", nil},

		{"API in a handle", "identify\nhandle /auth/* {\nauth_api\n}\nhandle {\nreverse_proxy up:1\n}", []string{locked + "|path /auth/*|"}},
		{"API in a route", "route {\nrequire_login\nauth_api\nreverse_proxy up:1\n}", []string{locked + "|host app.example.com|"}},
		{"API behind another path's gate", "route {\nrequire_login /a/*\nauth_api\nidentify\nreverse_proxy up:1\n}", nil},
		{"API in a handle of its own", "handle /auth/* {\nauth_api\n}\nhandle {\nrequire_login\nreverse_proxy up:1\n}", nil},

		// Ruling 23.
		{"gate on another host", "auth_api\nidentify\n}\nhttps://api.example.com {\nrequire_login\nreverse_proxy up:1", []string{foreign + "api.example.com|host api.example.com|"}},
		{"identify on another host", "auth_api\nidentify\n}\nhttps://api.example.com {\nidentify\nreverse_proxy up:1", nil},
		{"gate on any host", "auth_api\nrequire_login\nreverse_proxy up:1\n}\nhttps:// {\ntls internal\nrequire_login\nreverse_proxy up:1", nil},
		{"gate on a wildcard", "auth_api\n}\nhttps://*.example.com {\ntls internal\nrequire_login\nreverse_proxy up:1", nil},
		{"gate on another wildcard", "auth_api\n}\nhttps://*.example.org {\ntls internal\nrequire_permission storage read\nreverse_proxy up:1", []string{foreign + "*.example.org|host *.example.org|"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			found, output, err := validate(t, site("", c.body))
			if err != nil {
				t.Fatalf("%v\n%s", err, output)
			}
			for i, want := range c.want {
				parts := strings.Split(want, "|")
				if i < len(found) && strings.HasPrefix(found[i].Msg, parts[0]) && strings.Contains(found[i].Route, parts[1]) && found[i].Upstream == parts[2] {
					continue
				}
				t.Errorf("finding %d is not %q", i+1, want)
			}
			if len(found) != len(c.want) {
				t.Errorf("%d findings, expected %d", len(found), len(c.want))
			}
			if t.Failed() {
				t.Errorf("found %v in\n%s", found, output)
			}
		})
	}
}

// Ruling 25: with "unguarded_routes error" such a configuration is none, and
// says why; what is only worth knowing is still a warning.
func TestUnguardedRoutesError(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       []string // nil: loads
	}{
		{"guarded", "auth_api\nrequire_login\nreverse_proxy up:1", nil},
		{"unguarded", "auth_api\nreverse_proxy /a/* up:1\nreverse_proxy /b/* up:2", []string{noGate, "server srv0, host app.example.com and path /a/*, upstream up:1", "upstream up:2"}},
		{"rewritten", "auth_api\nidentify\nreverse_proxy up:1 {\nrewrite /x{uri}\n}", []string{rewritten}},
		{"locked", "route {\nidentify\nauth_api\n}", []string{locked}},
		{"foreign host", "auth_api\n}\nhttps://api.example.com {\nrequire_login\nreverse_proxy up:1", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, output, err := validate(t, site("unguarded_routes error", c.body))
			if (err != nil) != (c.want != nil) {
				t.Errorf("%v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(output, want) {
					t.Errorf("the error does not say %q", want)
				}
			}
			if t.Failed() {
				t.Log(output)
			}
		})
	}
	_, output, err := validate(t, site("unguarded_routes off", "auth_api"))
	if err == nil || !strings.Contains(output, `unguarded_routes is \"off\"; expected warn or error`) && !strings.Contains(output, `unguarded_routes is "off"; expected warn or error`) {
		t.Errorf("off: %v\n%s", err, output)
	}
}

// S15: forwarding headers that everybody may send are nobody's. Such a list
// never loads.
func TestTrustEverybody(t *testing.T) {
	for name, c := range map[string]struct {
		global, proxy string
		bad           bool
	}{
		"none":            {},
		"a proxy":         {global: "trusted_proxies static 10.0.0.0/8", proxy: "trusted_proxies private_ranges"},
		"private ranges":  {global: "trusted_proxies static private_ranges"},
		"all of IPv4":     {global: "trusted_proxies static 0.0.0.0/0", bad: true},
		"all of IPv6":     {global: "trusted_proxies static ::/0", bad: true},
		"in halves":       {global: "trusted_proxies static 0.0.0.0/1 128.0.0.0/1", bad: true},
		"among others":    {global: "trusted_proxies static 10.0.0.0/8 0.0.0.0/0 ::/0", bad: true},
		"in the proxy":    {proxy: "trusted_proxies 0.0.0.0/0", bad: true},
		"IPv6, the proxy": {proxy: "trusted_proxies 127.0.0.1/8 ::/0", bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			text := site("", "auth_api\nrequire_login\nreverse_proxy up:1 {\n"+c.proxy+"\n}")
			text = strings.Replace(text, "{\nauth {", "{\nservers {\n"+c.global+"\n}\nauth {", 1)
			_, output, err := validate(t, text)
			if (err != nil) != c.bad || c.bad && !strings.Contains(output, trusting) {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
}

// The shipped Caddyfiles are as they should be.
func TestShippedCaddyfilesAreGuarded(t *testing.T) {
	files, err := filepath.Glob("../examples/*/Caddyfile")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	secrets := t.TempDir() // what one of them has in files
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"signing_key": privatePEM(key), "session_key": strings.Repeat("k", 43) + "=", "oidc_client_secret": "x",
		"database_url": "postgresql://gateway:x@postgres/gateway", "redis_url": "redis://redis:6379/0",
	} {
		if err := os.WriteFile(filepath.Join(secrets, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range append(slices.Clone(files), "../Caddyfile") {
		t.Run(file, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			found, output, err := validate(t, string(text),
				"GOOGLE_KEY=x", "GOOGLE_SECRET=x", "GITHUB_KEY=x", "GITHUB_SECRET=x", "OIDC_CLIENT_ID=x", "OIDC_CLIENT_SECRET=x", "SECRETS="+secrets)
			if err != nil || len(found) > 0 || strings.Contains(output, wideAdmin) || strings.Contains(output, wideCookies) {
				t.Errorf("%v, %v\n%s", err, found, output)
			}
		})
	}
}

// Each load says it anew, once per server, and "run" as "validate" does.
func TestWalkAtStart(t *testing.T) {
	upstream := gatewaytest.NewUpstream(t)
	g := gatewaytest.Start(t, gatewaytest.Config{
		Auth: "login dev",
		Site: "auth_api\nhandle /a/* {\nrequire_login\nreverse_proxy " + upstream.Address() + "\n}\nhandle {\nreverse_proxy " + upstream.Address() + "\n}",
	})
	eventually(t, "it is said once", func() bool { return strings.Count(g.Output(), noGate) == 1 })
	err := g.TryReload(gatewaytest.Config{Auth: "login dev\nunguarded_routes error", Site: "auth_api\nreverse_proxy " + upstream.Address()})
	if err == nil || !strings.Contains(err.Error(), noGate) {
		t.Errorf("the reload: %v", err)
	}
	if answer := call(t, g, "/a/x"); answer.Status != 401 { // the old one goes on
		t.Errorf("got %d", answer.Status)
	}
}
