package caddymodule_test

import (
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// The beginnings of what is said of Caddy's own listeners and handlers.
const (
	openMetrics = "metrics are shown to everybody"
	openAdmin   = "a route leads to Caddy's admin API"
	wideAdmin   = "Caddy's admin API listens where others may reach it"
	wideCookies = "cookies without Secure are given over the network"
)

// global is a Caddyfile with more in its global options.
func global(options, caddyfile string) string {
	return strings.Replace(caddyfile, "{\nauth {", "{\n"+options+"\nauth {", 1)
}

// S42: a way from the site to Caddy's metrics or to its admin API is named when
// the configuration loads, and is none with "unguarded_routes error".
func TestAdminAndMetricsAreNotRouted(t *testing.T) {
	for _, c := range []struct {
		name, global, auth, body string
		want                     []string // beginning of the message, route, upstream
		bad                      bool
	}{
		{"metrics", "", "", "auth_api\nmetrics /metrics", []string{openMetrics + "|path /metrics|"}, false},
		{"metrics for everybody", "", "", "auth_api\nroute {\nidentify\nmetrics /metrics\n}", []string{openMetrics + "|path /metrics|"}, false},
		{"metrics behind a gate", "", "", "auth_api\nhandle /metrics {\nrequire_permission storage read\nmetrics\n}", nil, false},
		{"metrics on loopback", "default_bind 127.0.0.1", "", "auth_api\nmetrics /metrics", nil, false},
		{"metrics, loaded before", "", "", "auth_api\nidentify\n}\nhttps://a-longer-name.example.com {\nmetrics /metrics\n}\nhttps://another-long-name.example.com {\nhandle {\nmetrics\n}", []string{
			openMetrics + "|host another-long-name.example.com|", openMetrics + "|path /metrics|",
		}, false},
		{"metrics, refused", "", "unguarded_routes error", "auth_api\nmetrics /metrics", []string{openMetrics}, true},
		{"admin API", "", "", "auth_api\nhandle /config/* {\nrequire_permission storage admin\nreverse_proxy localhost:2019\n}", []string{openAdmin + "|path /config/*|localhost:2019"}, false},
		{"admin API, loaded before", "", "", "auth_api\nidentify\n}\nhttps://a-longer-name.example.com {\nrespond /a hi\n}\nhttps://another-long-name.example.com {\nroute {\nidentify\nreverse_proxy 127.0.0.1:2019\n}", []string{
			openAdmin + "|host another-long-name.example.com|127.0.0.1:2019",
		}, false},
		{"admin API elsewhere", "admin 127.0.0.1:3019", "", "auth_api\nrequire_login\nreverse_proxy [::1]:3019", []string{openAdmin + "|host app.example.com|[::1]:3019"}, false},
		{"admin API on a socket", "admin unix//run/caddy.sock|0600", "", "auth_api\nrequire_login\nreverse_proxy unix//run/caddy.sock", []string{openAdmin + "|host app.example.com|unix//run/caddy.sock"}, false},
		{"admin API not there", "admin 127.0.0.1:3019", "", "auth_api\nrequire_login\nreverse_proxy localhost:2019", nil, false},
		{"admin API off", "admin off", "", "auth_api\nrequire_login\nreverse_proxy localhost:2019", nil, false},
		{"admin API, refused", "", "unguarded_routes error", "auth_api\nrequire_login\nreverse_proxy localhost:2019", []string{openAdmin}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			found, output, err := validate(t, global(c.global, site(c.auth, c.body)))
			if (err != nil) != c.bad {
				t.Fatalf("%v\n%s", err, output)
			}
			if c.bad {
				if !strings.Contains(output, c.want[0]) {
					t.Errorf("the error does not say %q:\n%s", c.want[0], output)
				}
				return
			}
			got := make([]string, 0, len(found))
			for i, f := range found {
				if strings.HasPrefix(f.Msg, noGate) { // of other sites, for other tests
					continue
				}
				got = append(got, found[i].String())
				if n := len(got); n <= len(c.want) {
					parts := strings.Split(c.want[n-1], "|")
					if !strings.HasPrefix(f.Msg, parts[0]) || !strings.Contains(f.Route, parts[1]) || f.Upstream != parts[2] {
						t.Errorf("finding %d is not %q", n, c.want[n-1])
					}
				}
			}
			if len(got) != len(c.want) || t.Failed() {
				t.Errorf("found %q, want %q\n%s", got, c.want, output)
			}
		})
	}
}

// S42: who may reach the admin API may do everything. S31: cookies for plain
// http are for this machine alone. Both are said once, and not where nobody else
// gets to.
func TestWideListenersAreWarnedOf(t *testing.T) {
	const external = "https://app.example.com"
	for _, c := range []struct {
		name, global, external, sites string
		admin, cookies                int
	}{
		{"as shipped", "default_bind 127.0.0.1", "http://localhost:8080", "http://localhost:8080 {\nauth_api\n}", 0, 0},
		{"bound in the site", "", "http://localhost:8080", "http://localhost:8080 {\nbind 127.0.0.1 ::1\nauth_api\n}", 0, 0},
		{"on a socket", "", "http://localhost:8080", "http://localhost:8080 {\nbind unix/auth.sock\nauth_api\n}", 0, 0},
		{"not bound", "", "http://localhost:8080", "http://localhost:8080 {\nauth_api\n}", 0, 1},
		{"not bound, a gate", "", "http://localhost:8080", "http://127.0.0.1:8080 {\nrespond hi\n}\nhttp://localhost:8080 {\nidentify\nrespond hi\n}", 0, 1},
		{"bound to the network too", "default_bind 127.0.0.1 192.0.2.1", "http://[::1]:8080", "http://[::1]:8080 {\nauth_api\n}", 0, 1},
		{"two servers", "", "http://localhost:8080", "http://localhost:8080 {\nauth_api\n}\nhttp://localhost:8082 {\nrequire_login\nrespond hi\n}", 0, 1},
		{"another server", "", "http://localhost:8080", "http://localhost:8080 {\nbind 127.0.0.1\nauth_api\n}\nhttp://:8082 {\nrespond hi\n}", 0, 0},
		{"https", "", external, external + " {\nauth_api\n}", 0, 0},
		{"https behind a balancer", "", external, "http://:8080 {\nauth_api\n}", 0, 0},
		{"admin on all", "admin :2019", external, external + " {\nauth_api\n}", 1, 0},
		{"admin on all, two servers", "admin 0.0.0.0:2019", external, external + " {\nauth_api\n}\nhttp://:8082 {\nidentify\nrespond hi\n}", 1, 0},
		{"admin on one", "admin 192.0.2.1:2019", external, external + " {\nauth_api\n}", 1, 0},
		{"admin on loopback", "admin [::1]:2019", external, external + " {\nauth_api\n}", 0, 0},
		{"admin on a socket", "admin unix//run/caddy.sock", external, external + " {\nauth_api\n}", 0, 0},
		{"admin off", "admin off", external, external + " {\nauth_api\n}", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, output, err := validate(t, "{\n"+c.global+"\nauth {\nexternal_address "+c.external+"\nlogin google {\nclient_id x\nclient_secret x\n}\n}\n}\n"+c.sites+"\n")
			if err != nil {
				t.Fatalf("%v\n%s", err, output)
			}
			if got := strings.Count(output, wideAdmin); got != c.admin {
				t.Errorf("the admin API is warned of %d times, want %d", got, c.admin)
			}
			if got := strings.Count(output, wideCookies); got != c.cookies {
				t.Errorf("the cookies are warned of %d times, want %d", got, c.cookies)
			}
			for begin, advice := range map[string]string{wideAdmin: "admin localhost:2019", wideCookies: "default_bind 127.0.0.1"} {
				if strings.Contains(output, begin) && !strings.Contains(output, advice) {
					t.Errorf("it does not say what to do: %q", advice)
				}
			}
			if t.Failed() {
				t.Log(output)
			}
		})
	}
}

// The default of the admin API is the environment's.
func TestWideAdminOfTheEnvironment(t *testing.T) {
	_, output, err := validate(t, site("", "auth_api"), "CADDY_ADMIN=0.0.0.0:2019")
	if err != nil || strings.Count(output, wideAdmin) != 1 {
		t.Errorf("%v\n%s", err, output)
	}
	g := gatewaytest.Start(t, gatewaytest.Config{Auth: "login dev", Site: "auth_api"})
	call(t, g, "/auth/check")
	if output := g.Output(); strings.Contains(output, wideAdmin) || strings.Contains(output, wideCookies) {
		t.Errorf("a gateway for this machine alone is warned:\n%s", output)
	}
}
