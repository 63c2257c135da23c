package caddymodule_test

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// styles are ways in which upstreams read a target: each gives the path that
// is served in the end.
var styles = map[string]func(target string) string{
	"Go": func(target string) string {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return target
		}
		return path.Clean(u.Path)
	},
	// Decodes once, merges slashes, resolves dots.
	"nginx": func(target string) string { return path.Clean(unescaped(cut(target, "?#"))) },
	// Backslashes are slashes; names have no case.
	"IIS": func(target string) string {
		return strings.ToLower(path.Clean(strings.ReplaceAll(unescaped(cut(target, "?#")), `\`, "/")))
	},
	// The same, escaped twice.
	"twice": func(target string) string {
		return strings.ToLower(path.Clean(strings.ReplaceAll(unescaped(unescaped(cut(target, "?#"))), `\`, "/")))
	},
	// Overlong UTF-8 is what it is short for.
	"overlong": func(target string) string {
		return path.Clean(strings.NewReplacer("\xc0\xaf", "/", "\xe0\x80\xaf", "/", "\xc0\xae", ".", "\xc1\x9c", "/", "\xc1\xa1", "a").Replace(unescaped(cut(target, "?#"))))
	},
}

// strictStyles are readings that lenient routes leave to those who chose them.
var strictStyles = map[string]func(target string) string{
	"as it is": func(target string) string { return cut(target, "?") },
	"Tomcat": func(target string) string {
		return path.Clean(unescaped(parameters.ReplaceAllString(cut(target, "?#"), "")))
	},
	"Jetty": func(target string) string {
		return path.Clean(parameters.ReplaceAllString(unescaped(cut(target, "?#")), ""))
	},
	"Windows": func(target string) string {
		plain := strings.ReplaceAll(unescaped(cut(target, "?#")), `\`, "/")
		return strings.ToLower(path.Clean(trailing.ReplaceAllString(plain, "$1")))
	},
	// Passes it on unescaped, to where "?" and "#" end it.
	"passed on": func(target string) string {
		return strings.ToLower(path.Clean(cut(unescaped(cut(target, "?#")), "?#\x00\r\n\t ")))
	},
}

var (
	parameters = regexp.MustCompile(`;[^/]*`)
	trailing   = regexp.MustCompile(`[. ]+(/|$)`)
)

func cut(text, at string) string {
	if i := strings.IndexAny(text, at); i >= 0 {
		return text[:i]
	}
	return text
}

// unescaped undoes all escapes that are well-formed.
func unescaped(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if i+2 < len(text) && text[i] == '%' {
			if plain, err := url.PathUnescape(text[i : i+3]); err == nil {
				b.WriteString(plain)
				i += 2
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// within reports whether a path is a route's root or below it.
func within(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

// vault is a gateway with something behind two permissions, strictly and
// leniently, beside open routes, all before the same upstream.
type vault struct {
	*gatewaytest.Gateway
	upstream *bareUpstream
	ada, bob person // bob may read, ada everything
}

func newVault(t *testing.T) *vault {
	t.Helper()
	v := &vault{upstream: newBareUpstream(t)}
	v.Gateway = gatewaytest.Start(t, gatewaytest.Config{
		Auth: `login dev
			rate_limits off
			unguarded_routes error
			service storage static {
				user ada@example.com read admin
				user bob@example.com read
			}`,
		Site: strings.ReplaceAll(`auth_api
			handle /storage/* {
				require_permission storage read
				@admin path /storage/admin /storage/admin/*
				require_permission @admin storage admin
				reverse_proxy UPSTREAM
			}
			handle /lenient/* {
				require_permission storage read {
					paths lenient
				}
				@leniently path /lenient/admin /lenient/admin/*
				require_permission @leniently storage admin {
					paths lenient
				}
				reverse_proxy UPSTREAM
			}
			handle_path /stripped/* {
				rewrite * /open{uri}
				identify
				reverse_proxy UPSTREAM
			}
			handle /open/* {
				identify
				reverse_proxy UPSTREAM
			}
			handle {
				respond 404
			}`, "UPSTREAM", v.upstream.address()),
	})
	v.ada, v.bob = signIn(t, v.Gateway, "ada"), signIn(t, v.Gateway, "bob")
	return v
}

// check looks at what has reached the upstream: whatever it makes of the
// targets, it must be something that the sender may see.
func (v *vault) check(t *testing.T, form string) {
	t.Helper()
	for _, head := range v.upstream.take() {
		line, _, _ := strings.Cut(head, "\r\n")
		parts := strings.Split(line, " ")
		if len(parts) != 3 {
			t.Errorf("%s: the upstream saw the line %q", form, line)
			continue
		}
		target, reader := parts[1], ""
		if ids := valuesOf(head, "X-Auth-User-Id"); len(ids) == 1 {
			reader = ids[0]
		}
		readings := make(map[string]string)
		for name, style := range styles {
			readings[name] = style(target)
		}
		if !within(styles["nginx"](target), "/lenient") {
			for name, style := range strictStyles {
				readings[name] = style(target)
			}
		}
		for name, reading := range readings {
			open := within(reading, "/open")
			mine := reader == v.bob.ID && (within(reading, "/storage") && !within(reading, "/storage/admin") || within(reading, "/lenient") && !within(reading, "/lenient/admin"))
			if !open && !mine {
				t.Errorf("%s: the upstream saw %q of %q, which it reads as %q (%s)", form, target, reader, reading, name)
			}
		}
	}
}

// S10, S11, ruling 24: whatever form a path has, nobody gets to something by it
// that he may not see, whichever way the upstream reads it.
func TestNoWayAround(t *testing.T) {
	v := newVault(t)
	own := strings.TrimPrefix(v.URL, "http://")
	// The harness itself: whoever may see it does, and check would notice.
	for target, token := range map[string]string{"/storage/admin/secret": v.ada.Token, "/lenient/admin%2Fsecret": v.ada.Token, "/storage/x": v.bob.Token, "/stripped/x": ""} {
		if answer := raw(t, v.Gateway, lines(append(hostHead(v.Gateway, "GET", target, "HTTP/1.1"), "Auth-Token: "+token)...)); answer.Status != 200 {
			t.Fatalf("%s: got %d %s", target, answer.Status, answer.Body)
		}
		if seen := v.upstream.take(); len(seen) != 1 || target != "/stripped/x" && !strings.HasPrefix(seen[0], "GET "+target+" HTTP/1.1\r\n") || target == "/stripped/x" && !strings.HasPrefix(seen[0], "GET /open/x ") {
			t.Fatalf("%s: the upstream saw %q", target, seen)
		}
	}
	all := targets()
	t.Logf("%d targets", len(all))
	for name, credential := range map[string]string{"anonymous": "X-Nobody: 1", "bob": "Auth-Token: " + v.bob.Token} {
		t.Run(name+", origin form", func(t *testing.T) {
			for _, target := range all {
				raw(t, v.Gateway, lines(append(hostHead(v.Gateway, "GET", target, "HTTP/1.1"), credential)...))
				v.check(t, target)
			}
		})
		t.Run(name+", absolute form", func(t *testing.T) {
			for _, authority := range []string{own, v.Address, strings.ToUpper(own), "user@" + own, own + "@evil.example", "evil.example", "evil.example#@" + own, own + `\@evil.example`, ""} {
				for _, scheme := range []string{"http", "HTTP", "https", "ftp"} {
					for _, target := range []string{"/storage/admin", "/storage/admin;x", "/storage//admin", "/storage%2fadmin", "/open/../storage/admin", "/open/%2e%2e/storage/x", "//storage/admin", "", "?/storage/admin", "/lenient/admin", `/lenient\admin`} {
						form := scheme + "://" + authority + target
						raw(t, v.Gateway, lines(append(hostHead(v.Gateway, "GET", form, "HTTP/1.1"), credential)...))
						v.check(t, form)
					}
				}
			}
			for _, target := range []string{"mailto:storage/admin", "http:storage/admin", "http:/storage/admin", "http:///storage/admin", "/storage/admin HTTP/1.1 ", own + "/storage/admin", own} {
				for _, method := range []string{"GET", "CONNECT", "OPTIONS", "POST"} {
					raw(t, v.Gateway, lines(append(hostHead(v.Gateway, method, target, "HTTP/1.1"), credential, "Content-Length: 0")...))
					v.check(t, method+" "+target)
				}
			}
		})
	}
}

// S11: HTTP/2 has no request line, but a path of any bytes, and an authority
// beside Host.
func TestNoWayAroundByHTTP2(t *testing.T) {
	v := newVault(t)
	own := strings.TrimPrefix(v.URL, "http://")
	send := func(method, scheme, authority, path string, more ...string) string {
		fields := []string{":method", method, ":scheme", scheme}
		if authority != "" {
			fields = append(fields, ":authority", authority)
		}
		status, _ := rawHTTP2(t, v.Gateway, append(append(fields, ":path", path), more...)...)
		v.check(t, fmt.Sprintf("%s %s %q %q %q", method, scheme, authority, path, more))
		return status
	}
	if status := send("GET", "http", own, "/storage/x", "auth-token", v.bob.Token); status != "200" {
		t.Fatalf("bob: got %s", status)
	}
	for _, credential := range [][]string{nil, {"auth-token", v.bob.Token}} {
		for i, target := range targets() {
			if i%4 == 0 || !strings.HasPrefix(target, "/") {
				send("GET", "http", own, target, credential...)
			}
		}
		for _, path := range []string{"", " ", "storage/admin", "/storage/admin#x", "/open#/../storage/admin", "/open/x\r\nX-Auth-User-Id: 1", "/open/x HTTP/1.1", "http://" + own + "/storage/admin", "http://evil.example/open/x", "//evil.example/open/x", "*", "/storage/\x00admin", "/storage/admin\x80", "/storage /admin"} {
			for _, method := range []string{"GET", "OPTIONS", "CONNECT"} {
				send(method, "http", own, path, credential...)
			}
		}
		for _, authority := range []string{"", "evil.example", own + ", evil.example", "evil.example@" + own, own + "#", own + "/open", own + `\`} {
			for _, host := range []string{own, "evil.example", "", own + "/open/"} {
				for _, path := range []string{"/storage/admin", "/storage/admin;x", "/open/../storage/admin"} {
					send("GET", "http", authority, path, append([]string{"host", host}, credential...)...)
				}
			}
		}
		// Twice, out of place, or of another kind.
		send("GET", "http", own, "/open/x", append([]string{":path", "/storage/admin"}, credential...)...)
		send("GET", "http", own, "/open/x", append(slices.Clone(credential), ":path", "/storage/admin")...)
		send("GET", "http", own, "/open/x", append([]string{":method", "DELETE"}, credential...)...)
		send("CONNECT", "http", own, "/storage/admin", append([]string{":protocol", "websocket"}, credential...)...)
		send("GET", "http", own, "/open/x", append([]string{"connection", "x-auth-user-id", "transfer-encoding", "chunked"}, credential...)...)
		send("GET", "http", own, "/open/x", append([]string{"X-Auth-User-Id", "mallory", "x-a\r\nx-auth-user-id", "mallory"}, credential...)...)
	}
}

// S10, S12: methods that a matcher does not know for what an upstream takes
// them for.
func TestMethodsByAnotherName(t *testing.T) {
	upstream := newBareUpstream(t)
	g := gatewaytest.Start(t, gatewaytest.Config{
		Auth: "login dev\nservice storage static {\nuser ada@example.com read write\nuser bob@example.com read\n}",
		Site: "auth_api\nrequire_permission storage read\n@write method POST PUT PATCH DELETE\nrequire_permission @write storage write\nreverse_proxy " + upstream.address(),
	})
	bob := signIn(t, g, "bob")
	for _, method := range []string{"POST", "post", "Post", "pOST", "delete", "DELETe", "put", "patch", "connect", "Connect", "CONNECT", "trace\t", "POST ", " POST"} {
		answer := raw(t, g, lines(append(hostHead(g, method, "/x", "HTTP/1.1"), "Auth-Token: "+bob.Token, "Content-Length: 0")...))
		if answer.Status < 400 || answer.Status >= 500 {
			t.Errorf("%q: got %d", method, answer.Status)
		}
		if seen := upstream.take(); len(seen) > 0 {
			t.Errorf("%q: the upstream saw %q", method, seen)
		}
	}
	for _, claim := range []string{"X-HTTP-Method-Override: DELETE", "X-HTTP-Method: DELETE", "X-Method-Override: DELETE", "X_HTTP_Method_Override: DELETE", "x.http.method.override: DELETE", "X-Method: DELETE"} {
		raw(t, g, lines(append(hostHead(g, "GET", "/x", "HTTP/1.1"), "Auth-Token: "+bob.Token, claim)...))
		if seen := upstream.take(); len(seen) != 1 || strings.Contains(seen[0], "DELETE") {
			t.Errorf("%s: the upstream saw %q", claim, seen)
		}
	}
}
