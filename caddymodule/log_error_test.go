package caddymodule_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// A request that fails behind a gate ends the same way whether it carries a
// token, so that we keep the error from Caddy's log (S41), or does not: by the
// site's error routes, or by the bare status.
func TestErrorsWithAndWithoutToken(t *testing.T) {
	const routes = `handle /down/* {
	require_login
	uri strip_prefix /down
	reverse_proxy 127.0.0.1:1
}
handle /teapot {
	identify
	error "short and stout" 418
}
handle /storage {
	require_permission storage write
	respond secret
}
`
	for name, test := range map[string]struct {
		auth, site string
		want       map[string]string // status and body by path
	}{
		"no routes": {"", "", map[string]string{"/down/x?a=1": "502 ", "/teapot": "418 "}},
		"routes": {
			"errors handle", "handle_errors 4xx 5xx {\nheader X-Error yes\nrespond \"{err.status_code} {err.status_text} at {uri} for {http.auth.user.username} {http.auth.error.code}\"\n}",
			map[string]string{
				"/down/x?a=1": "502 502 Bad Gateway at /down/x?a=1 for ada ",
				"/teapot":     "418 418 I'm a teapot at /teapot for ada ",
				"/storage":    "403 403 Forbidden at /storage for  permission_missing",
			},
		},
		"routes for others": {"errors handle", "handle_errors 404 {\nrespond nothing\n}", map[string]string{"/down/x?a=1": "502 ", "/teapot": "418 ", "/storage": "403 "}},
		"routes that fail":  {"errors handle", "handle_errors {\nerror again 500\n}", map[string]string{"/down/x?a=1": "502 ", "/teapot": "418 ", "/storage": "403 "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := gatewaytest.Start(t, gatewaytest.Config{
				Log:  "exclude http.handlers", // they log requests as they are by then, at debug level
				Auth: "login dev\nservice storage static {\neveryone read\n}\n" + test.auth, Site: "log\nauth_api\n" + routes + test.site,
			})
			ada := signIn(t, g, "ada")
			for path, want := range test.want {
				for what, headers := range map[string][]string{
					"cookie": {"Cookie", "auth_session=" + ada.Cookie},
					"token":  {"Auth-Token", ada.Token},
				} {
					answer := call(t, g, path, headers...)
					if got := fmt.Sprint(answer.Status, " ", answer.Body); got != want {
						t.Errorf("%s with a %s: got %q, want %q", path, what, got, want)
					}
					if wants := strings.Contains(test.site, "X-Error"); wants != (answer.Header.Get("X-Error") == "yes") {
						t.Errorf("%s with a %s: the headers are %v", path, what, answer.Header)
					}
				}
			}
			g.Stop(t)
			text := g.Output()
			for line := range strings.Lines(text) {
				if jwt.MatchString(line) {
					t.Errorf("a token is in\n%s", line)
				}
			}
			// Each request is in the access log once, whoever wrote it.
			for path := range test.want {
				if n := strings.Count(text, `"msg":"handled request","request":{"remote_ip":"127.0.0.1"`); n < 2*len(test.want) {
					t.Errorf("%s: %d lines of the access log", path, n)
				}
				if n := strings.Count(text, `"logger":"http.log.error","msg":"`); n < 2*len(test.want) {
					t.Errorf("%s: %d lines of the error log", path, n)
				}
			}
		})
	}
}

// S41: a line of the log is one line, whatever a request has in it, and nothing
// in it is looked up.
func TestLogLinesCannotBeForged(t *testing.T) {
	g := gatewaytest.Start(t, gatewaytest.Config{
		Env:  []string{"SOME_SECRET=found-in-the-environment"},
		Auth: "login dev", Site: "log\nauth_api\nhandle {\nrequire_login\nrespond ok\n}",
	})
	forged := `{"level":"info","msg":"signed in"}`
	const placeholder = "{env.SOME_SECRET}{http.request.header.Cookie}{file./etc/hostname}"
	for _, path := range []string{
		"/auth/oauth_callback?state=%0a" + forged + "&code=%0d%0a" + forged + "&error=" + placeholder,
		"/auth/login/dev?next=/%0a" + forged, "/page%0a" + forged + "?jwt=%0a" + forged + "&x=" + placeholder, "/page?x=%e2%80%a8" + forged + "&" + placeholder + "=1",
		"/auth/resolve?username=%0a" + forged + placeholder,
	} {
		raw(t, g, lines("GET "+strings.ReplaceAll(path, " ", "%20")+" HTTP/1.1", "Host: "+strings.TrimPrefix(g.URL, "http://"),
			"User-Agent: "+placeholder, "Auth-Token: "+forged, "Referer: /\x0b"+placeholder, "Connection: close"))
		gatewaytest.NewBrowser(t).Do(http.MethodPost, g.URL+"/auth/update", strings.NewReader("jwt=%0a"+forged), header("Content-Type", "application/x-www-form-urlencoded", "User-Agent", placeholder))
	}
	g.Stop(t)
	for line := range strings.Lines(g.Output()) {
		if strings.HasPrefix(line, forged) || strings.Contains(line, "found-in-the-environment") {
			t.Errorf("a request has written %s", line)
		}
	}
	if !strings.Contains(g.Output(), "{env.SOME_SECRET}") {
		t.Error("the requests are not in the log")
	}
}
