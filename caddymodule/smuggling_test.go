package caddymodule_test

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// house is a gateway with one route of each kind before the same upstream.
// Forward-Token is the header of forward_token on one of them.
type house struct {
	*gatewaytest.Gateway
	upstream                *gatewaytest.Upstream
	ada                     person
	login, permission, open string // paths
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{upstream: gatewaytest.NewUpstream(t), login: "/login/page", permission: "/permission/page", open: "/open/page"}
	h.Gateway = gatewaytest.Start(t, gatewaytest.Config{
		Auth: `login dev
			rate_limits off
			service storage static {
				user ada@example.com read write
				user bob@example.com read
			}`,
		Site: strings.ReplaceAll(`auth_api
			handle /login/* {
				require_login
				reverse_proxy UPSTREAM
			}
			handle /permission/* {
				require_permission storage read {
					forward_token Forward-Token
				}
				reverse_proxy UPSTREAM
			}
			handle /buffered/* {
				identify
				reverse_proxy UPSTREAM {
					request_buffers 4KiB
				}
			}
			handle {
				identify
				reverse_proxy UPSTREAM
			}`, "UPSTREAM", h.upstream.Address()),
	})
	h.ada = signIn(t, h.Gateway, "ada")
	return h
}

func (h *house) routes() []string { return []string{h.login, h.permission, h.open} }

// host is the Host line.
func (h *house) host() string { return "Host: " + strings.TrimPrefix(h.URL, "http://") }

func (h *house) cookie() string { return "Cookie: auth_session=" + h.ada.Cookie }

// adas is what the upstream of a route sees of ada.
func (h *house) adas(route string) map[string]string {
	want := map[string]string{
		"x-auth-user-id": h.ada.ID, "x-auth-username": "ada", "x-auth-email": "ada@example.com", "x-auth-name": "Ada%20Lovelace",
	}
	if route == h.permission {
		want["x-auth-service"], want["x-auth-permissions"] = "storage", `{"read":true,"write":true}`
	}
	return want
}

// wantAda checks that a request reached the upstream as ada's, and as nobody
// else's.
func (h *house) wantAda(t *testing.T, route string) {
	t.Helper()
	found := identity(wantSeen(t, h.upstream), "forward-token")
	want := h.adas(route)
	if token := found["forward-token"]; route == h.permission {
		if len(token) != 1 || userOf(token[0]) != h.ada.ID {
			t.Errorf("the upstream saw the forward token %q", token)
		}
		delete(found, "forward-token")
	}
	if !slices.Equal(slices.Sorted(maps.Keys(found)), slices.Sorted(maps.Keys(want))) {
		t.Errorf("the upstream saw %v", found)
	}
	for name, value := range want {
		if !slices.Equal(found[name], []string{value}) {
			t.Errorf("%s is %q, expected %q", name, found[name], value)
		}
	}
}

// wantNobody checks that a request was refused, or reached the open upstream
// without any identity.
func (h *house) wantNobody(t *testing.T, route string, answer gatewaytest.Answer) {
	t.Helper()
	if route != h.open {
		if answer.Status < 400 || answer.Status >= 500 {
			t.Errorf("got %d, expected a refusal", answer.Status)
		}
		wantUnseen(t, h.upstream)
		return
	}
	for _, seen := range h.upstream.Take() {
		if found := identity(seen, "forward-token"); len(found) > 0 {
			t.Errorf("the upstream saw %v", found)
		}
	}
}

// userOf is the user in a JWT, unverified.
func userOf(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	_, rest, _ := strings.Cut(string(payload), `"userid":"`)
	user, _, _ := strings.Cut(rest, `"`)
	return user
}

// S13: a client writes the identity headers itself, in every spelling that
// some upstream could take for the right one.
func TestClientsCannotBeSomebody(t *testing.T) {
	h := newHouse(t)
	attacks := map[string][]string{
		"the name itself":    {"X-Auth-User-Id: mallory"},
		"all of them":        {"X-Auth-User-Id: mallory", "X-Auth-Username: mallory", "X-Auth-Email: mallory@example.com", "X-Auth-Name: mallory", "X-Auth-Service: storage", "X-Auth-Permissions: {\"mallory\":true}", "X-Auth-Token: mallory"},
		"lower case":         {"x-auth-user-id: mallory"},
		"upper case":         {"X-AUTH-USER-ID: mallory"},
		"mixed case":         {"x-AuTh-uSeR-iD: mallory"},
		"underscores":        {"X_Auth_User_Id: mallory"},
		"one underscore":     {"X-Auth-User_Id: mallory", "X_Auth-User-Id: mallory", "X-Auth_User-Id: mallory"},
		"upper underscores":  {"X_AUTH_USER_ID: mallory"},
		"dots":               {"X.Auth.User.Id: mallory"},
		"dots and more":      {"X-Auth.User_Id: mallory", "x.auth_user-id: mallory"},
		"twice":              {"X-Auth-User-Id: mallory", "X-Auth-User-Id: mallory"},
		"twice, two cases":   {"X-Auth-User-Id: mallory", "x-auth-user-id: mallory"},
		"several spellings":  {"X-Auth-User-Id: mallory", "X_Auth_User_Id: mallory", "X.Auth.User.Id: mallory"},
		"empty":              {"X-Auth-User-Id:", "X-Auth-Permissions: "},
		"trailing space":     {"X-Auth-User-Id: mallory   "},
		"tabs":               {"X-Auth-User-Id:\tmallory\t"},
		"no space":           {"X-Auth-User-Id:mallory"},
		"folded value":       {"X-Auth-User-Id:", " mallory"},
		"folded into it":     {"X-Fine: yes", "\tX-Auth-User-Id: mallory"},
		"folded onto it":     {"X-Auth-User-Id: mal", " lory"},
		"a name to come":     {"X-Auth-Groups: mallory", "X-Auth-Roles: mallory"},
		"the forward token":  {"Forward-Token: mallory"},
		"forward spellings":  {"forward_token: mallory", "Forward.Token: mallory", "FORWARD-TOKEN: mallory"},
		"the default token":  {"X-Auth-Token: mallory"},
		"token underscore":   {"Auth_Token: mallory", "auth.token: mallory"},
		"bare line feeds":    {"X-Fine: yes\nX-Auth-User-Id: mallory"},
		"in a quoted value":  {"X-Fine: \"yes\\r\\nX-Auth-User-Id: mallory\""},
		"in a foreign name":  {"X-Forwarded-User: mallory", "X-Forwarded-Email: mallory", "X-Forwarded-Groups: mallory", "X-Forwarded-Preferred-Username: mallory"},
		"many":               slices.Repeat([]string{"X-Auth-User-Id: mallory"}, 200),
		"in the query":       {"X-Fine: ?X-Auth-User-Id=mallory"},
		"long continuations": {"X-Auth-User-Id: mallory" + strings.Repeat("\r\n mallory", 50)},
	}
	for name, attack := range attacks {
		t.Run(name, func(t *testing.T) {
			for _, route := range h.routes() {
				for _, version := range []string{"HTTP/1.1", "HTTP/1.0"} {
					head := append([]string{"GET " + route + " " + version, h.host()}, attack...)
					h.wantNobody(t, route, raw(t, h.Gateway, lines(head...)))
					// The same with the identity before and after it.
					for _, own := range []string{h.cookie(), "Auth-Token: " + h.ada.Token} {
						for _, head := range [][]string{append(slices.Clone(head), own), slices.Insert(slices.Clone(head), 2, own)} {
							if answer := raw(t, h.Gateway, lines(head...)); answer.Status != 200 {
								t.Fatalf("%s: got %d %s", route, answer.Status, answer.Body)
							}
							h.wantAda(t, route)
						}
					}
				}
			}
		})
	}
}

// S13: what no server may read as a header must not reach the upstream at all.
func TestMalformedHeaders(t *testing.T) {
	h := newHouse(t)
	for name, line := range map[string]string{
		"space before the colon":  "X-Auth-User-Id : mallory",
		"tab before the colon":    "X-Auth-User-Id\t: mallory",
		"space first":             " X-Auth-User-Id: mallory",
		"space within":            "X-Auth User-Id: mallory",
		"carriage return within":  "X-Fine: yes\rX-Auth-User-Id: mallory",
		"carriage return, name":   "X-Auth-User-Id\r: mallory",
		"NUL in the name":         "X-Auth-User-Id\x00: mallory",
		"NUL in the value":        "X-Fine: yes\x00X-Auth-User-Id: mallory",
		"non-breaking space":      "X-Auth-User-Id\xa0: mallory",
		"other hyphen":            "X\u2010Auth\u2010User\u2010Id: mallory",
		"no name":                 ": mallory",
		"no colon":                "X-Auth-User-Id mallory",
		"bell":                    "X-Fine: yes\x07",
		"vertical tab, name":      "X-Auth-User-Id\x0b: mallory",
		"slash in the name":       "X-Auth/User-Id: mallory",
		"two Host lines":          "Host: evil.example",
		"Host without colon room": "Host : evil.example",
	} {
		t.Run(name, func(t *testing.T) {
			for _, route := range h.routes() {
				// First of all, too: there it cannot be the continuation of another line.
				for _, head := range [][]string{
					{"GET " + route + " HTTP/1.1", h.host(), h.cookie(), line},
					{"GET " + route + " HTTP/1.1", line, h.host(), h.cookie()},
				} {
					if line[0] == ' ' && head[1] != line {
						continue // a continuation: see above
					}
					if answer := raw(t, h.Gateway, lines(head...)); answer.Status != 400 {
						t.Errorf("got %d, expected 400", answer.Status)
					}
					wantUnseen(t, h.upstream)
				}
			}
		})
	}
}

// S14: reverse_proxy deletes every header that Connection names. A client that
// names ours would be seen as nobody, or as somebody with other permissions.
func TestClientsCannotEraseAnIdentity(t *testing.T) {
	h := newHouse(t)
	for name, attack := range map[string][]string{
		"one":             {"Connection: X-Auth-User-Id"},
		"lower case":      {"connection: x-auth-user-id"},
		"odd case":        {"CONNECTION: x-AUTH-user-ID"},
		"all":             {"Connection: X-Auth-User-Id, X-Auth-Username, X-Auth-Email, X-Auth-Name, X-Auth-Service, X-Auth-Permissions, Forward-Token"},
		"with close":      {"Connection: close, X-Auth-User-Id"},
		"and the token":   {"Connection: close, Auth-Token"},
		"the cookie":      {"Connection: Cookie, Authorization, Auth-Token"},
		"keep-alive":      {"Connection: keep-alive, X-Auth-Permissions"},
		"several lines":   {"Connection: close", "Connection: X-Auth-User-Id", "connection: X-Auth-Email"},
		"empty elements":  {"Connection: ,, X-Auth-User-Id ,"},
		"tabs":            {"Connection:\tX-Auth-User-Id\t,\tX-Auth-Email"},
		"quoted":          {`Connection: "X-Auth-User-Id"`},
		"underscores":     {"Connection: X_Auth_User_Id"},
		"with upgrade":    {"Connection: Upgrade, X-Auth-User-Id", "Upgrade: mallory/1"},
		"upgrade, no":     {"Connection: Upgrade, X-Auth-User-Id"},
		"folded":          {"Connection: close,", " X-Auth-User-Id"},
		"proxy":           {"Proxy-Connection: X-Auth-User-Id", "Keep-Alive: X-Auth-User-Id"},
		"TE and trailers": {"Connection: TE, Trailer, X-Auth-User-Id", "TE: trailers"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, route := range h.routes() {
				for _, version := range []string{"HTTP/1.1", "HTTP/1.0"} {
					for _, own := range []string{h.cookie(), "Auth-Token: " + h.ada.Token, "Authorization: Bearer " + h.ada.Token} {
						head := append([]string{"GET " + route + " " + version, h.host(), own}, attack...)
						if answer := raw(t, h.Gateway, lines(head...)); answer.Status != 200 {
							t.Fatalf("%s: got %d %s", route, answer.Status, answer.Body)
						}
						h.wantAda(t, route)
					}
				}
			}
		})
	}
	// Nor is a header of the client's own erased: what Connection names must not
	// be a way to take from a request what somebody before us has added.
	raw(t, h.Gateway, lines("GET "+h.open+" HTTP/1.1", h.host(), "Connection: X-Request-Source", "X-Request-Source: edge"))
	if got := wantSeen(t, h.upstream).Header.Get("X-Request-Source"); got != "edge" {
		t.Errorf("Connection erased X-Request-Source: %q", got)
	}
}

// S14, ruling 33: a trailer comes after the request has been judged. Go merges
// undeclared trailers into the declared ones.
func TestTrailers(t *testing.T) {
	h := newHouse(t)
	attack := "X-Auth-User-Id: mallory\r\nx_auth_email: mallory\r\nX.Auth.Name: mallory\r\nForward-Token: mallory\r\nAuth-Token: mallory\r\nX-Auth-Token: mallory\r\nX-Forwarded-User: mallory\r\n"
	for name, declared := range map[string][]string{
		"undeclared":             nil,
		"declared":               {"Trailer: X-Auth-User-Id, x_auth_email, X.Auth.Name, Forward-Token, Auth-Token, X-Auth-Token, X-Forwarded-User"},
		"another declared":       {"Trailer: X-Checksum"},
		"both":                   {"Trailer: X-Checksum, X-Auth-User-Id"},
		"several lines":          {"Trailer: X-Checksum", "Trailer: x-auth-user-id"},
		"declared in Connection": {"Trailer: X-Checksum", "Connection: Trailer, TE, X-Auth-User-Id", "TE: trailers"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, route := range append(h.routes(), "/buffered/page") {
				for _, body := range []string{"5\r\nhello\r\n0\r\n", "0\r\n"} {
					head := append([]string{"POST " + route + " HTTP/1.1", h.host(), "Transfer-Encoding: chunked", "Content-Type: text/plain"}, declared...)
					request := lines(head...) + body + attack + "X-Checksum: 42\r\n\r\n"
					answer := raw(t, h.Gateway, request)
					if route == "/buffered/page" {
						route = h.open
					}
					h.wantNobody(t, route, answer)

					request = strings.Replace(request, h.host(), h.host()+"\r\nAuth-Token: "+h.ada.Token, 1)
					if answer := raw(t, h.Gateway, request); answer.Status != 200 {
						t.Fatalf("%s: got %d %s", route, answer.Status, answer.Body)
					}
					h.wantAda(t, route)
				}
			}
		})
	}
	// An honest trailer goes through.
	request := lines("POST "+h.open+" HTTP/1.1", h.host(), "Transfer-Encoding: chunked", "Trailer: X-Checksum") + "5\r\nhello\r\n0\r\nX-Checksum: 42\r\n\r\n"
	if answer := raw(t, h.Gateway, request); answer.Status != 200 {
		t.Fatalf("got %d %s", answer.Status, answer.Body)
	}
	if seen := wantSeen(t, h.upstream); seen.Body != "hello" || seen.Trailer.Get("X-Checksum") != "42" {
		t.Errorf("the upstream saw %q and the trailer %v", seen.Body, seen.Trailer)
	}
}

// S9, ruling 5: our credentials are for the gateway's eyes; everything else is
// the upstream's.
func TestCredentialsStayHere(t *testing.T) {
	h := newHouse(t)
	token := permissionToken(t, h.Gateway, h.ada.Token, "storage")
	foreign := strings.Join([]string{part(`{"alg":"RS256"}`), part(`{"iss":"https://idp.example","sub":"1"}`), "c2ln"}, ".")
	own, session := "auth_session="+h.ada.Cookie, h.ada.Token
	for _, c := range []struct {
		name          string
		headers       []string
		cookie        string   // what the upstream sees
		authorization []string // what the upstream sees
		anonymous     bool
	}{
		{"cookie alone", []string{"Cookie: " + own}, "", nil, false},
		{"among others", []string{"Cookie: theme=dark; " + own + "; lang=en"}, "theme=dark; lang=en", nil, false},
		{"without blanks", []string{"Cookie: theme=dark;" + own + ";lang=en"}, "theme=dark; lang=en", nil, false},
		{"on a line of its own", []string{"Cookie: theme=dark", "Cookie: " + own}, "theme=dark", nil, false},
		{"sign-ins under way", []string{"Cookie: login-AbCdEfGh=1.secret; " + own + "; login=mine; login-abc=mine"}, "login=mine; login-abc=mine", nil, false},
		{"two session cookies", []string{"Cookie: " + own + "; a=b; " + own}, "a=b", nil, true},
		{"foreign cookies", []string{"Cookie: session=1; jwt=2; auth_session2=3"}, "session=1; jwt=2; auth_session2=3", nil, true},
		{"Auth-Token", []string{"Auth-Token: " + session}, "", nil, false},
		{"odd case", []string{"aUTH-tOKEN: " + session}, "", nil, false},
		{"empty Auth-Token", []string{"Auth-Token:", "Cookie: " + own}, "", nil, false},
		{"Bearer", []string{"Authorization: Bearer " + session}, "", nil, false},
		{"bearer", []string{"authorization: bEARER " + session}, "", nil, false},
		{"two blanks", []string{"Authorization: Bearer  " + session}, "", nil, false},
		{"a tab", []string{"Authorization: Bearer\t" + session}, "", nil, false},
		{"twice the same", []string{"Authorization: Bearer " + session, "Auth-Token: " + session}, "", nil, false},
		{"Bearer of others", []string{"Authorization: Bearer " + foreign, "Cookie: " + own}, "", []string{"Bearer " + foreign}, false},
		{"opaque Bearer", []string{"Authorization: Bearer ghp_0123456789", "Cookie: " + own}, "", []string{"Bearer ghp_0123456789"}, false},
		{"Basic", []string{"Authorization: Basic YTpi", "Auth-Token: " + session}, "", []string{"Basic YTpi"}, false},
		{"Bearer of others alone", []string{"Authorization: Bearer " + foreign}, "", []string{"Bearer " + foreign}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, route := range h.routes() {
				for _, version := range []string{"HTTP/1.1", "HTTP/1.0"} {
					answer := raw(t, h.Gateway, lines(append([]string{"GET " + route + " " + version, h.host()}, c.headers...)...))
					if c.anonymous && route != h.open {
						wantProblem(t, answer, 401, "not_signed_in")
						wantUnseen(t, h.upstream)
						continue
					}
					if answer.Status != 200 {
						t.Fatalf("%s: got %d %s", route, answer.Status, answer.Body)
					}
					seen := wantSeen(t, h.upstream)
					text := fmt.Sprint(seen)
					if strings.Contains(text, h.ada.Cookie) || strings.Contains(text, session) || strings.Contains(text, token) {
						t.Errorf("%s: our credential reached the upstream: %v", route, seen.Header)
					}
					if got := strings.Join(seen.Header["Cookie"], " | "); got != c.cookie {
						t.Errorf("%s: the upstream saw the cookies %q, expected %q", route, got, c.cookie)
					}
					if got := seen.Header["Authorization"]; !slices.Equal(got, c.authorization) {
						t.Errorf("%s: the upstream saw Authorization %q, expected %q", route, got, c.authorization)
					}
					if got := len(seen.Header["X-Auth-User-Id"]); (got == 0) != c.anonymous {
						t.Errorf("%s: the upstream saw %d user IDs", route, got)
					}
				}
			}
		})
	}
	// Also those that open nothing: a permission token where none counts.
	for _, carrier := range []string{"Authorization: Bearer ", "Auth-Token: "} {
		if answer := raw(t, h.Gateway, lines("GET "+h.open+" HTTP/1.1", h.host(), carrier+token)); answer.Status != 200 {
			t.Fatalf("got %d", answer.Status)
		}
		if seen := wantSeen(t, h.upstream); strings.Contains(fmt.Sprint(seen), token) {
			t.Errorf("a permission token reached the upstream: %v", seen.Header)
		}
	}
}

// part is a part of a JWT.
func part(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
