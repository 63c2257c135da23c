package caddymodule_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// S18: an upstream that sets our cookies would sign its visitors in as somebody
// else, or out. Its own are its own.
func TestUpstreamsCannotSetOurCookies(t *testing.T) {
	var set []string
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Set-Cookie"] = set
		switch r.URL.Path {
		case "/early":
			w.WriteHeader(http.StatusEarlyHints)
		case "/refused":
			w.WriteHeader(http.StatusTeapot)
		}
		_, _ = w.Write([]byte("hello"))
	}))
	defer upstream.Close()
	g := gatewaytest.Start(t, gatewaytest.Config{
		Auth: "login dev\nservice storage static {\neveryone read\n}",
		Site: strings.ReplaceAll(`route {
				auth_api
				identify
				require_login /login
				require_permission /stacked storage read
				reverse_proxy UPSTREAM
			}`, "UPSTREAM", strings.TrimPrefix(upstream.URL, "http://")),
	})
	ada := signIn(t, g, "ada")
	for _, c := range []struct{ set, want []string }{
		{[]string{"auth_session=mallory"}, nil},
		{[]string{"auth_session=mallory; Path=/; HttpOnly; SameSite=Lax"}, nil},
		{[]string{"auth_session=; Max-Age=0; Path=/"}, nil},
		{[]string{" auth_session =mallory"}, nil},
		{[]string{"=auth_session=mallory"}, nil},
		{[]string{" = auth_session=mallory"}, nil},
		{[]string{"login-AbCdEfGh=1.mallory; Path=/"}, nil},
		{[]string{"theme=dark", "auth_session=mallory", "lang=en; Path=/"}, []string{"theme=dark", "lang=en; Path=/"}},
		{[]string{"auth_session2=a", "xauth_session=b", "login=c", "login-x=d", "x=auth_session=e"}, []string{"auth_session2=a", "xauth_session=b", "login=c", "login-x=d", "x=auth_session=e"}},
	} {
		set = c.set
		for _, path := range []string{"/open", "/login", "/stacked", "/early", "/refused"} {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				answer := gatewaytest.NewBrowser(t).Do(method, g.URL+path, nil, header("Auth-Token", ada.Token))
				if got := answer.Header["Set-Cookie"]; !slices.Equal(got, c.want) {
					t.Errorf("%s %s: %q became %q, expected %q", method, path, c.set, got, c.want)
				}
				if status := answer.Status; status != http.StatusOK && (path != "/refused" || status != http.StatusTeapot) || method == http.MethodGet && answer.Body != "hello" {
					t.Errorf("%s %s: got %d %q", method, path, status, answer.Body)
				}
			}
		}
	}
}

// S18: an error route answers in place of what failed, and its upstream is
// guarded like any other, also where a gate has seen the request before.
func TestErrorPagesCannotSetOurCookies(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Set-Cookie"] = []string{"auth_session=mallory; Path=/", "theme=dark"}
		_, _ = w.Write([]byte("sorry"))
	}))
	defer upstream.Close()
	g := gatewaytest.Start(t, gatewaytest.Config{
		Auth: "login dev\nerrors handle",
		Site: strings.ReplaceAll(`auth_api
			handle /broken {
				identify
				error 418
			}
			handle /dead {
				identify
				reverse_proxy 127.0.0.1:1
			}
			handle /refused {
				require_login
				respond "in"
			}
			handle_errors {
				identify
				reverse_proxy UPSTREAM
			}`, "UPSTREAM", strings.TrimPrefix(upstream.URL, "http://")),
	})
	for _, path := range []string{"/broken", "/dead", "/refused", "/broken?jwt=eyJhbGciOiJub25lIn0.e30."} {
		answer := gatewaytest.NewBrowser(t).Fetch(g.URL + path)
		if got := answer.Header["Set-Cookie"]; answer.Body != "sorry" || !slices.Equal(got, []string{"theme=dark"}) {
			t.Errorf("%s: got %q and the cookies %q", path, answer.Body, got)
		}
	}
}
