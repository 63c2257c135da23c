package caddymodule_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// claims are headers by which requests pretend to be others.
var claims = []string{
	"X-Forwarded", "X-Forwarded-By", "X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-Prefix", "X-Forwarded-Path", "X-Forwarded-Port", "X-Forwarded-Server", "X-Forwarded-Scheme", "X-Forwarded-Ssl", "X-Forwarded-For-Original", "X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Groups", "X-Forwarded-Client-Cert", "X-Forwarded-Access-Token", "X-Forward-For", "X-Forwarder-For",
	"Forwarded", "Forwarded-For", "Forwarded-Host", "X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP", "Client-IP", "Cluster-Client-IP", "True-Client-IP", "CF-Connecting-IP", "CF-Connecting-IPv6", "Fastly-Client-IP", "Fly-Client-IP", "X-Azure-ClientIP", "X-Remote-IP", "X-Remote-Addr", "X-Remote-User", "Remote-User", "X-Originating-IP", "X-Custom-IP-Authorization", "X-ProxyUser-IP", "Proxy-Client-IP", "WL-Proxy-Client-IP", "X-True-IP",
	"X-Original-URL", "X-Original-URI", "X-Original-Path", "X-Original-Method", "X-Original-Host", "X-Original-Forwarded-For", "X-Rewrite-URL", "X-Rewrite-URI", "X-Override-URL", "X-HTTP-DestinationURL", "X-Proxy-URL", "Base-Url", "Http-Url", "Request-Uri", "X-Envoy-Original-Path", "X-Script-Name",
	"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Method", "X-Host", "X-HTTP-Host-Override", "X-Url-Scheme", "X-Scheme", "Front-End-Https", "Proxy", "Proxy-Host",
	// The gateway's own, for good measure.
	"X-Auth-User-Id", "X-Auth-Anything", "X-Auth-Token", "Forward-Token",
}

// S12, S13, S15: no spelling of a claim reaches an upstream from whoever is no
// configured proxy, by either version of HTTP.
func TestClaimsEndHere(t *testing.T) {
	h := newHouse(t)
	own := strings.TrimPrefix(h.URL, "http://")
	spell := map[string]func(string) string{
		"itself": strings.Clone, "lower": strings.ToLower, "upper": strings.ToUpper,
		"underscores": func(s string) string { return strings.ReplaceAll(s, "-", "_") },
		"first":       func(s string) string { return strings.Replace(s, "-", "_", 1) },
		"dots":        func(s string) string { return strings.ReplaceAll(s, "-", ".") },
		"last dot": func(s string) string {
			i := max(0, strings.LastIndexByte(s, '-'))
			return s[:i] + strings.Replace(s[i:], "-", ".", 1)
		},
	}
	for name, spelling := range spell {
		t.Run(name, func(t *testing.T) {
			for _, route := range h.routes() {
				head := []string{"GET " + route + " HTTP/1.1", h.host(), h.cookie()}
				fields := []string{":method", "GET", ":scheme", "http", ":authority", own, ":path", route, "cookie", "auth_session=" + h.ada.Cookie}
				for _, claim := range claims {
					head = append(head, spelling(claim)+": mallory")
					fields = append(fields, strings.ToLower(spelling(claim)), "mallory")
				}
				if answer := raw(t, h.Gateway, lines(head...)); answer.Status != 200 {
					t.Fatalf("got %d %s", answer.Status, answer.Body)
				}
				if status, _ := rawHTTP2(t, h.Gateway, fields...); status != "200" {
					t.Fatalf("HTTP/2: got %s", status)
				}
				seen := h.upstream.Take()
				if len(seen) != 2 {
					t.Fatalf("the upstream saw %d requests", len(seen))
				}
				for _, seen := range seen {
					for header, values := range seen.Header {
						if strings.Contains(strings.Join(values, " "), "mallory") {
							t.Errorf("%s: the upstream saw %s: %q", route, header, values)
						}
					}
				}
			}
		})
	}
}

// S13: Caddy drops names with "_" and "." by itself, unless it is told to
// expect them. We do not depend on that.
func TestExpectedAliases(t *testing.T) {
	upstream := gatewaytest.NewUpstream(t)
	g := gatewaytest.Start(t, gatewaytest.Config{
		Global: "servers {\nexpected_underscore_headers X_* X-Auth_* Auth_* Forward_* Remote_*\nexpected_dot_headers X.* X-Auth.* Auth.* Forward.* Remote.*\n}",
		Auth:   "login dev\nservice storage static {\neveryone read\n}",
		Site:   "auth_api\nhandle /open/* {\nidentify\nreverse_proxy " + upstream.Address() + "\n}\nhandle {\nrequire_permission storage read {\nforward_token Forward-Token\n}\nreverse_proxy " + upstream.Address() + "\n}",
	})
	head := hostHead(g, "GET", "/open/x", "HTTP/1.1")
	for _, separator := range []string{"_", "."} {
		for _, claim := range claims {
			name := strings.ReplaceAll(claim, "-", separator)
			head = append(head, name+": mallory", strings.ToUpper(name)+": mallory", strings.Replace(name, separator, "-", 1)+": mallory")
		}
		head = append(head, "Auth"+separator+"Token: mallory", "X"+separator+"Kept: kept")
	}
	if answer := raw(t, g, lines(head...)); answer.Status != 200 {
		t.Fatalf("got %d %s", answer.Status, answer.Body)
	}
	seen := wantSeen(t, upstream)
	for name, values := range seen.Header {
		if strings.Contains(strings.Join(values, " "), "mallory") {
			t.Errorf("the upstream saw %s: %q", name, values)
		}
	}
	if len(seen.Header["X_kept"]) != 1 || len(seen.Header["X.kept"]) != 1 {
		t.Errorf("Caddy drops them after all: the upstream saw %v", seen.Header)
	}
}

// S15: what a configured proxy says stands; it cannot say who the user is, and
// nobody else can say what a proxy may.
func TestConfiguredProxies(t *testing.T) {
	for peer, trusted := range map[string]bool{"127.0.0.1/32": true, "10.0.0.0/8": false} {
		t.Run(peer, func(t *testing.T) {
			upstream := gatewaytest.NewUpstream(t)
			g := gatewaytest.Start(t, gatewaytest.Config{
				Global: "servers {\ntrusted_proxies static " + peer + "\n}",
				Auth:   "login dev", Site: "auth_api\nidentify\nreverse_proxy " + upstream.Address(),
			})
			answer := raw(t, g, lines(append(hostHead(g, "GET", "/x", "HTTP/1.1"),
				"X-Forwarded-For: 203.0.113.7", "X-Forwarded-Proto: https", "X-Forwarded-Prefix: /api", "X-Real-IP: 203.0.113.7", "X_Forwarded_For: 203.0.113.7", "X-Auth-User-Id: mallory")...))
			if answer.Status != 200 {
				t.Fatalf("got %d", answer.Status)
			}
			header := wantSeen(t, upstream).Header
			for name, value := range map[string]string{"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/api", "X-Real-Ip": "203.0.113.7"} {
				if got := header.Get(name); strings.HasPrefix(got, value) != trusted {
					t.Errorf("the upstream saw %s %q", name, got)
				}
			}
			for name, values := range header {
				if strings.Contains(strings.Join(values, " "), "mallory") {
					t.Errorf("the upstream saw %s %q", name, values)
				}
			}
		})
	}
}

// S14, S17: what concerns one connection ends with it.
func TestHopByHopHeadersEndHere(t *testing.T) {
	h := newHouse(t)
	for _, version := range []string{"HTTP/1.1", "HTTP/1.0"} {
		for _, route := range h.routes() {
			answer := raw(t, h.Gateway, lines("GET "+route+" "+version, h.host(), h.cookie(),
				"Proxy-Connection: mallory", "Keep-Alive: timeout=mallory", "TE: mallory, trailers", "Proxy-Authorization: mallory", "Proxy-Authenticate: mallory",
				"Upgrade: mallory", "HTTP2-Settings: mallory", "Connection: mallory, TE, Keep-Alive, close", "Connection: Proxy-Authorization"))
			if answer.Status != 200 {
				t.Fatalf("%s %s: got %d", version, route, answer.Status)
			}
			for name, values := range wantSeen(t, h.upstream).Header {
				if strings.Contains(strings.Join(values, " "), "mallory") || name == "Connection" && values[0] != "close" {
					t.Errorf("%s %s: the upstream saw %s: %q", version, route, name, values)
				}
			}
		}
	}
}

// S18: however an upstream writes it, no answer sets a cookie of ours, on
// either kind of site.
func TestNoAnswerSetsOurCookies(t *testing.T) {
	upstream := newBareUpstream(t)
	sites := make(map[string]*gatewaytest.Gateway)
	for name, secure := range map[string]bool{"auth_session": false, "__Host-auth_session": true} {
		if !secure {
			sites[name] = gatewaytest.Start(t, gatewaytest.Config{Auth: "login dev", Site: "auth_api\nidentify\nreverse_proxy " + upstream.address()})
			continue
		}
		// Behind a load balancer that speaks TLS.
		g := gatewaytest.New(t, gatewaytest.Config{})
		_, port, _ := strings.Cut(g.Address, ":")
		g.RunFile(t, "{\nadmin off\nauth {\nexternal_address https://app.example.com\nlogin google {\nclient_id x\nclient_secret x\n}\n}\n}\nhttp://:"+port+" {\nbind 127.0.0.1\nauth_api\nidentify\nreverse_proxy "+upstream.address()+"\n}\n", g.Address)
		sites[name] = g
	}
	for name, g := range sites {
		login := strings.Replace(name, "auth_session", "login-AbCdEfGh", 1)
		host := "app.example.com"
		if name == "auth_session" {
			host = strings.TrimPrefix(g.URL, "http://")
		}
		attacks := []string{
			name + "=mallory", name + "=mallory; Path=/; HttpOnly; Secure; SameSite=Lax", name + "=mallory; Domain=example.com", name + "=; mallory; Max-Age=0", name + "=\"mallory\"",
			" " + name + "=mallory", "\t" + name + "\t=mallory", name + " = mallory", "=" + name + "=mallory", " = " + name + "=mallory", name + "=mallory, other=1", name + "; mallory", login + "=1.mallory; Path=/",
		}
		if strings.HasPrefix(name, "__") {
			attacks = append(attacks, strings.Replace(name, "__Host-", "__host-", 1)+"=mallory", strings.Replace(name, "__Host-", "__HOST-", 1)+"=mallory")
		}
		for _, attack := range attacks {
			line := "Set-Cookie: " + attack + "\r\n"
			for form, answer := range map[string]string{
				"header":             "HTTP/1.1 200 OK\r\n" + line + "Content-Length: 5\r\n\r\nhello",
				"odd case":           "HTTP/1.1 200 OK\r\nsET-cOOKIE:" + attack + "\r\nContent-Length: 5\r\n\r\nhello",
				"among others":       "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\n" + line + "Set-Cookie: b=2\r\n" + line + "Content-Length: 5\r\n\r\nhello",
				"HTTP/1.0":           "HTTP/1.0 200 OK\r\n" + line + "\r\nhello",
				"folded":             "HTTP/1.1 200 OK\r\nSet-Cookie:\r\n " + attack + "\r\nContent-Length: 5\r\n\r\nhello",
				"redirect":           "HTTP/1.1 302 Found\r\nLocation: /x\r\n" + line + "Content-Length: 0\r\n\r\n",
				"error":              "HTTP/1.1 500 Internal Server Error\r\n" + line + "Content-Length: 5\r\n\r\nhello",
				"no body":            "HTTP/1.1 204 No Content\r\n" + line + "\r\n",
				"early hints":        "HTTP/1.1 103 Early Hints\r\n" + line + "Link: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
				"early and late":     "HTTP/1.1 103 Early Hints\r\n" + line + "\r\nHTTP/1.1 102 Processing\r\n" + line + "\r\nHTTP/1.1 200 OK\r\n" + line + "Content-Length: 5\r\n\r\nhello",
				"trailer":            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n" + line + "\r\n",
				"announced trailer":  "HTTP/1.1 200 OK\r\nTrailer: Set-Cookie\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n" + line + "\r\n",
				"trailers":           "HTTP/1.1 200 OK\r\nTrailer: X-A\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-A: 1\r\n" + line + line + "\r\n",
				"header and trailer": "HTTP/1.1 200 OK\r\n" + line + "Trailer: Set-Cookie\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n" + line + "\r\n",
				"in a comma list":    "HTTP/1.1 200 OK\r\nConnection: Set-Cookie\r\n" + line + "Content-Length: 5\r\n\r\nhello",
			} {
				upstream.answers(answer)
				got := exchange(t, g, "GET /x HTTP/1.1\r\nHost: "+host+"\r\nTE: trailers\r\nConnection: close\r\n\r\n", true)
				if strings.Contains(got, "mallory") || len(upstream.take()) == 0 {
					t.Errorf("%s, %q: the client saw\n%s", form, attack, got)
				}
				if form == "among others" && (!strings.Contains(got, "a=1") || !strings.Contains(got, "b=2")) {
					t.Errorf("%s, %q: the upstream's own cookies are lost:\n%s", form, attack, got)
				}
			}
			upstream.answers("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSet-Cookie: " + attack + "\r\n\r\n")
			got := exchange(t, g, "GET /x HTTP/1.1\r\nHost: "+host+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", false)
			if strings.Contains(got, "mallory") || !strings.HasPrefix(got, "HTTP/1.1 101 ") {
				t.Errorf("upgrade, %q: the client saw\n%s", attack, got)
			}
		}
	}
}

// exchange sends bytes and returns all that comes back, or only the head.
func exchange(t *testing.T, g *gatewaytest.Gateway, request string, all bool) string {
	t.Helper()
	connection, err := net.Dial("tcp", g.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(20 * time.Second))
	_, _ = io.WriteString(connection, request)
	if all {
		answer, _ := io.ReadAll(connection)
		return string(answer)
	}
	var head strings.Builder
	reader := bufio.NewReader(connection)
	for {
		line, err := reader.ReadString('\n')
		head.WriteString(line)
		if err != nil || line == "\r\n" {
			return head.String()
		}
	}
}

// S10: no method gets past a gate without a credential, and the catch-all
// refuses all of them.
func TestEveryMethodIsJudged(t *testing.T) {
	v := newVault(t)
	methods := []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace,
		"TRACK", "DEBUG", "QUERY", "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "SEARCH", "PURGE", "LINK", "UNLINK", "REPORT", "MERGE", "PRI", "SOURCE", "BREW", "M-SEARCH", "X", "GET1", "_", "!#$%&'*+-.^_`|~",
		"get", "Get", "post", "trace", "options",
	}
	for _, method := range methods {
		for _, path := range []string{"/storage/x", "/storage/admin", "/lenient/x", "/elsewhere", "/", "*"} {
			for _, more := range [][]string{nil, {"Content-Length: 0"}, {"X-HTTP-Method-Override: GET"}, {"Access-Control-Request-Method: GET"}, {"Max-Forwards: 0"}} {
				answer := raw(t, v.Gateway, lines(append(hostHead(v.Gateway, method, path, "HTTP/1.1"), more...)...))
				// Go answers OPTIONS for a whole server, and Caddy the host "*".
				if answer.Status < 400 && !(path == "*" && answer.Body == "" && (method == http.MethodOptions || method == http.MethodConnect)) {
					t.Errorf("%s %s %q: got %d %s", method, path, more, answer.Status, answer.Body)
				}
				if seen := v.upstream.take(); len(seen) > 0 {
					t.Errorf("%s %s %q: the upstream saw %q", method, path, more, seen)
				}
			}
		}
	}
}
