package caddymodule_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// S11: whoever judges by the address as it came, and whoever rewrites it, which
// cleans it, must not be played off against each other.
func TestPathsThatARewriteCleans(t *testing.T) {
	t.Parallel()
	upstream := gatewaytest.NewUpstream(t)
	g := gatewaytest.Start(t, gatewaytest.Config{
		Auth: "login dev\nservice storage static {\nuser ada@example.com write\n}",
		Site: strings.ReplaceAll(`auth_api
			@admin expression {path}.startsWith("/api/admin/")
			require_permission @admin storage write
			handle_path /api/* {
				require_login
				reverse_proxy UPSTREAM
			}
			handle /strip/* {
				uri strip_prefix /strip
				require_login
				reverse_proxy UPSTREAM
			}
			handle /lenient/* {
				uri strip_prefix /lenient
				require_login {
					paths lenient
				}
				reverse_proxy UPSTREAM
			}
			handle /moved/* {
				rewrite * /new{path}
				require_login
				reverse_proxy UPSTREAM
			}`, "UPSTREAM", upstream.Address()),
	})
	bob := signIn(t, g, "bob")
	ask := func(target string) int {
		return raw(t, g, lines("GET "+target+" HTTP/1.1", "Host: "+strings.TrimPrefix(g.URL, "http://"), "Auth-Token: "+bob.Token, "Connection: close")).Status
	}
	for target, want := range map[string]string{"/api/y": "/y", "/strip/y": "/y", "/moved/y": "/new/moved/y", "/lenient/a//b": "/a/b"} {
		if got := ask(target); got != http.StatusOK {
			t.Errorf("%s: %d", target, got)
			continue
		}
		if seen := upstream.Take(); len(seen) != 1 || seen[0].Path != want && !strings.HasPrefix(target, "/lenient") {
			t.Errorf("%s: the upstream saw %v", target, seen)
		}
	}
	if got := ask("/api/admin/y"); got != http.StatusForbidden {
		t.Errorf("the admin's: %d", got)
	}
	for _, target := range []string{
		"/api/x/../admin/y", "/api//admin/y", "/api/./admin/y", "/api/x/%2e%2e/admin/y", "//api/admin/y", "/x/../api/admin/y", "/api/%2e/admin/y", "/api/admin%2fy",
		"/strip//y", "/strip/./y", "/strip/x/../y", "/strip/x/%2e%2e/y", "/strip/\xc3\xa4", "/moved/a%2fb", "/moved//y", "/lenient/x/../y",
	} {
		if got := ask(target); got != http.StatusBadRequest {
			t.Errorf("%s: %d, want 400", target, got)
		}
	}
	wantUnseen(t, upstream)
}

// S9, S13, S15: what is refused before it is judged goes to an error route as
// clean as what is refused after.
func TestErrorRoutesSeeNoCredentials(t *testing.T) {
	t.Parallel()
	upstream := gatewaytest.NewUpstream(t)
	g := gatewaytest.Start(t, gatewaytest.Config{
		Auth: "login dev\nerrors handle\nallow_next https://frontend.example.com",
		Site: strings.ReplaceAll(`auth_api
			require_login
			reverse_proxy UPSTREAM
			handle_errors {
				rewrite * /error
				reverse_proxy UPSTREAM
			}`, "UPSTREAM", upstream.Address()),
	})
	ada := signIn(t, g, "ada")
	upstream.Take()
	cookie := "auth_session=" + ada.Cookie
	claims := []string{"X-Auth-User-Id: forged", "X_Auth_Email: forged", "Forwarded: for=forged", "X-Original-Url: /forged", "Connection: X-Auth-Name, close"}
	for what, request := range map[string]struct {
		first string
		head  []string
	}{
		"bad path":      {"GET /a//b", []string{"Cookie: " + cookie}},
		"escaped slash": {"GET /a%2fb", []string{"Auth-Token: " + ada.Token}},
		"long address":  {"GET /" + strings.Repeat("a", 9<<10), []string{"Authorization: Bearer " + ada.Token}},
		"many cookies":  {"GET /a", []string{"Cookie: " + strings.Repeat("a=1; ", 101) + cookie}},
		"ambiguous":     {"GET /a", []string{"Authorization: Bearer " + ada.Token, "Auth-Token: another"}},
		"not signed in": {"GET /a", []string{"Auth-Token: forged"}},
	} {
		head := append([]string{request.first + " HTTP/1.1", "Host: " + strings.TrimPrefix(g.URL, "http://")}, request.head...)
		if answer := raw(t, g, lines(append(head, claims...)...)); answer.Status != http.StatusOK {
			t.Errorf("%s: %d %s", what, answer.Status, answer.Body)
		}
		all := upstream.Take()
		if len(all) != 1 {
			t.Errorf("%s: the upstream saw %d requests", what, len(all))
			continue
		}
		for name, values := range all[0].Header {
			if text := strings.Join(values, " "); strings.Contains(text, "forged") || strings.Contains(text, ada.Token) || strings.Contains(text, "auth_session") {
				t.Errorf("%s: the error route's upstream saw %s: %s", what, name, text)
			}
		}
	}
	// Ruling 28, S34: the words are the error route's, the rest is not.
	answer := gatewaytest.NewBrowser(t).Do(http.MethodGet, g.URL+"/a", nil, header("Origin", "https://frontend.example.com"))
	if answer.Header.Get("Access-Control-Allow-Origin") != "https://frontend.example.com" || !strings.Contains(strings.Join(answer.Header["Vary"], ","), "Cookie") {
		t.Errorf("the answer has %v", answer.Header)
	}
}

// Ruling 26: a gate that refuses in an error route has no other error route to
// hand that to.
func TestGateInAnErrorRoute(t *testing.T) {
	t.Parallel()
	g := gatewaytest.Start(t, gatewaytest.Config{
		Auth: "login dev\nerrors handle",
		Site: "auth_api\nhandle /gone {\nerror 404\n}\nrequire_login\nrespond ok\nhandle_errors {\nrequire_login\nrespond \"an error\"\n}",
	})
	for _, path := range []string{"/x", "/gone", "/a%2fb"} {
		answer := call(t, g, path)
		if answer.Status < 400 || !strings.Contains(answer.Body, `"code":`) {
			t.Errorf("%s: %d %q", path, answer.Status, answer.Body)
		}
	}
}
