package caddymodule_test

import (
	"bufio"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// Ruling 9: the signed token for upstreams.
func TestForwardToken(t *testing.T) {
	upstream := gatewaytest.NewUpstream(t)
	g := gatewaytest.Start(t, gatewaytest.Config{
		Auth: "login dev\nservice storage static {\neveryone read\n}",
		Site: strings.ReplaceAll(`auth_api
			handle /default/* {
				require_permission storage read {
					forward_token
				}
				reverse_proxy UPSTREAM
			}
			handle /datahq/* {
				require_permission storage read {
					forward_token auth-token
				}
				reverse_proxy UPSTREAM
			}
			handle /none/* {
				require_permission storage read
				reverse_proxy UPSTREAM
			}`, "UPSTREAM", upstream.Address()),
	})
	ada := signIn(t, g, "ada")
	for path, name := range map[string]string{"/default/x": "X-Auth-Token", "/datahq/x": "Auth-Token", "/none/x": ""} {
		if answer := call(t, g, path, "Auth-Token", ada.Token); answer.Status != http.StatusOK {
			t.Fatalf("%s: got %d %s", path, answer.Status, answer.Body)
		}
		seen := wantSeen(t, upstream)
		for _, other := range []string{"X-Auth-Token", "Auth-Token", "Authorization"} {
			if got := len(seen.Header[other]); got != 0 && other != name || got != 1 && other == name {
				t.Errorf("%s: the upstream saw %d values of %s", path, got, other)
			}
		}
		if name == "" {
			continue
		}
		token := seen.Header.Get(name)
		verifyRS256(t, call(t, g, "/auth/public-key").Body, token)
		head, claims := decoded(t, token)
		if head["alg"] != "RS256" || claims["userid"] != ada.ID || claims["service"] != "storage" || claims["use"] != "upstream" || fmt.Sprint(claims["permissions"]) != "map[read:true]" || claims["iss"] != g.URL {
			t.Errorf("%s: the token says %v %v", path, head, claims)
		}
		if left := time.Until(time.Unix(int64(claims["exp"].(float64)), 0)); left > 10*time.Minute || left < 4*time.Minute {
			t.Errorf("%s: the token lives for %s", path, left)
		}
		for _, absent := range []string{"aud", "nbf"} { // old verifiers refuse them
			if _, there := claims[absent]; there {
				t.Errorf("%s: the token has %q", path, absent)
			}
		}
	}
}

func verifyRS256(t *testing.T, publicPEM, token string) {
	t.Helper()
	block, _ := pem.Decode([]byte(publicPEM))
	if block == nil {
		t.Fatalf("no PEM: %s", publicPEM)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	end := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.DecodeString(token[end+1:])
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(token[:end]))
	if err := rsa.VerifyPKCS1v15(key.(*rsa.PublicKey), crypto.SHA256, digest[:], signature); err != nil {
		t.Errorf("the token does not verify with the public key: %v", err)
	}
}

// What the rest of a Caddyfile sees of the user: placeholders, the access log.
func TestPlaceholdersAndAccessLog(t *testing.T) {
	upstream := gatewaytest.NewUpstream(t)
	g := gatewaytest.Start(t, gatewaytest.Config{
		Auth: "login dev\nservice storage static {\nuser ada@example.com read\n}",
		Site: `log {
				output file access.log
			}
			auth_api
			handle /proxied {
				require_login
				reverse_proxy ` + upstream.Address() + ` {
					header_up X-Who {http.auth.user.username}
				}
			}
			handle /login {
				require_login
				respond "{http.auth.user.id}|{http.auth.user.username}|{http.auth.user.email}|{http.auth.user.name}|{http.auth.user.session}|{http.auth.user.service}|{http.auth.candidate.id}"
			}
			handle /permission {
				require_permission storage read
				respond "{http.auth.user.service}"
			}
			handle /open {
				identify
				respond "nobody is {http.auth.user.id}"
			}`,
	})
	ada, bob := signIn(t, g, "ada"), signIn(t, g, "bob")
	_, claims := decoded(t, ada.Token)
	for path, want := range map[string]string{
		"/login":      strings.Join([]string{ada.ID, "ada", "ada@example.com", "Ada Lovelace", claims["sid"].(string), "", ""}, "|"),
		"/permission": "storage",
	} {
		if answer := call(t, g, path, "Auth-Token", ada.Token); answer.Body != want {
			t.Errorf("%s: got %q, expected %q", path, answer.Body, want)
		}
	}
	if answer := call(t, g, "/open", "X-Auth-User-Id", "mallory"); answer.Body != "nobody is " {
		t.Errorf("/open: got %q", answer.Body)
	}
	call(t, g, "/proxied", "Auth-Token", ada.Token, "X-Who", "mallory")
	if got := wantSeen(t, upstream).Header["X-Who"]; len(got) != 1 || got[0] != "ada" {
		t.Errorf("header_up made X-Who %q", got)
	}
	wantProblem(t, call(t, g, "/permission", "Auth-Token", bob.Token), http.StatusForbidden, "permission_missing")

	// S41: a name that is a placeholder is a name.
	odd := gatewaytest.NewBrowser(t)
	page, at := odd.Follow(g.URL + "/auth/login/dev?deliver=jwt&next=" + url.QueryEscape(application))
	query := queryOf(t, at)
	query.Set("dev_email", "grace@example.com")
	query.Set("dev_name", "{env.PATH} {http.request.uri}")
	query.Set("dev_go", "1")
	back := odd.Navigate(strings.SplitN(at, "?", 2)[0] + "?" + query.Encode())
	if back.Status != http.StatusFound {
		t.Fatalf("got %d %s from\n%s", back.Status, back.Body, page.Body)
	}
	token := delivered(t, odd.Navigate(gatewaytest.Resolve(t, at, back.Location)).Location)
	if answer := call(t, g, "/login", "Auth-Token", token); !strings.Contains(answer.Body, "|{env.PATH} {http.request.uri}|") {
		t.Errorf("the name became %q", answer.Body)
	}
	call(t, g, "/proxied", "Auth-Token", token)
	if got := wantSeen(t, upstream).Header.Get("X-Auth-Name"); got != "{env.PATH}%20{http.request.uri}" {
		t.Errorf("X-Auth-Name is %q", got)
	}

	users := make(map[string][]string) // by status and path
	for _, entry := range accessLog(t, g, "access.log") {
		key := fmt.Sprintf("%d %s", entry.Status, strings.SplitN(entry.Request.URI, "?", 2)[0])
		users[key] = append(users[key], entry.UserID)
	}
	for key, want := range map[string]string{"200 /login": ada.ID, "200 /permission": ada.ID, "200 /proxied": ada.ID, "200 /open": "", "403 /permission": ""} {
		if got := users[key]; len(got) == 0 || got[0] != want {
			t.Errorf("the access log has %q for %s, expected %q", got, key, want)
		}
	}
}

// logEntry is a line of the access log.
type logEntry struct {
	Status  int
	UserID  string `json:"user_id"`
	Request struct{ URI string }
}

func accessLog(t *testing.T, g *gatewaytest.Gateway, name string) (entries []logEntry) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(g.State, name))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var entry logEntry
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		entries = append(entries, entry)
	}
	return entries
}

// Ruling 27: "errors handle" leaves the words to the site's error routes, and
// the decision where it was.
func TestErrorsHandle(t *testing.T) {
	upstream := gatewaytest.NewUpstream(t)
	g := gatewaytest.Start(t, gatewaytest.Config{
		Auth: "login dev\nerrors handle\nservice storage static {\nuser ada@example.com read\n}\nallow_next https://frontend.example.com",
		Site: `auth_api
			require_permission storage read
			reverse_proxy ` + upstream.Address() + `
			handle_errors {
				respond "{err.status_code}|{http.auth.error.code}|{http.auth.error.detail}|{http.auth.error.login_url}|{http.auth.candidate.username}|{http.auth.user.id}"
			}`,
	})
	bob := signIn(t, g, "bob")
	for _, c := range []struct {
		path    string
		headers []string
		status  int
		want    string
	}{
		{"/x?a=1", nil, 401, "401|not_signed_in|Sign in to see this.|" + g.URL + "/auth/login?next=%2Fx%3Fa%3D1||"},
		{"/x", []string{"Accept", "text/html"}, 401, "401|not_signed_in|Sign in to see this.|" + g.URL + "/auth/login?next=%2Fx||"},
		{"/x", []string{"Auth-Token", "forged"}, 401, "401|token_invalid|The token is not valid here.|" + g.URL + "/auth/login?next=%2Fx||"},
		{"/x", []string{"Auth-Token", bob.Token}, 403, "403|permission_missing|You are signed in, but you may not do this.||bob|"},
		{"/x%2Fy", nil, 400, "400|bad_path|The path of the request is ambiguous.|||"},
	} {
		answer := call(t, g, c.path, c.headers...)
		if answer.Status != c.status || answer.Body != c.want || answer.Location != "" {
			t.Errorf("%s: got %d %q, expected %d %q", c.path, answer.Status, answer.Body, c.status, c.want)
		}
		if h := answer.Header; h.Get("Cache-Control") != "no-store" || (h.Get("WWW-Authenticate") != "") != (c.status == 401) {
			t.Errorf("%s: the headers are %v", c.path, h)
		}
	}
	wantUnseen(t, upstream)
	// A preflight is no error.
	answer := gatewaytest.NewBrowser(t).Do(http.MethodOptions, g.URL+"/x", nil, header("Origin", "https://frontend.example.com", "Access-Control-Request-Method", "GET"))
	if answer.Status != http.StatusOK || answer.Header.Get("Access-Control-Allow-Origin") == "" {
		t.Errorf("preflight: got %d with %v", answer.Status, answer.Header)
	}
}

// S17: what lasts longer than one answer goes through the same check, and then
// through.
func TestStreams(t *testing.T) {
	shown := make(chan http.Header, 10)
	finish := make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown <- r.Header
		switch r.URL.Path {
		case "/echo":
			connection, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
			if err != nil {
				return
			}
			defer connection.CloseNow()
			for {
				kind, message, err := connection.Read(r.Context())
				if err != nil || connection.Write(r.Context(), kind, append([]byte("echo "), message...)) != nil {
					return
				}
			}
		case "/events":
			w.Header().Set("Content-Type", "text/event-stream")
			for i := range 2 {
				fmt.Fprintf(w, "data: %d\n\n", i)
				_ = http.NewResponseController(w).Flush()
				<-finish
			}
		case "/upload":
			n, _ := io.Copy(io.Discard, r.Body)
			fmt.Fprintf(w, "%d bytes", n)
		}
	}))
	defer upstream.Close()
	g := gatewaytest.Start(t, gatewaytest.Config{
		Auth: "login dev", Site: "auth_api\nrequire_login\nreverse_proxy " + strings.TrimPrefix(upstream.URL, "http://"),
	})
	ada := signIn(t, g, "ada")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	dial := func(headers ...string) (*websocket.Conn, int) {
		connection, response, err := websocket.Dial(ctx, g.URL+"/echo", &websocket.DialOptions{HTTPHeader: header(headers...)})
		if err != nil && response == nil {
			t.Fatal(err)
		}
		return connection, response.StatusCode
	}
	for name, headers := range map[string][]string{
		"own page":   {"Cookie", "auth_session=" + ada.Cookie, "Origin", g.URL, "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "websocket"},
		"program":    {"Auth-Token", ada.Token},
		"Bearer":     {"Authorization", "Bearer " + ada.Token, "X-Auth-User-Id", "mallory"},
		"old cookie": {"Cookie", "auth_session=" + ada.Cookie, "Origin", g.URL},
	} {
		t.Run("WebSocket, "+name, func(t *testing.T) {
			connection, status := dial(headers...)
			if status != http.StatusSwitchingProtocols {
				t.Fatalf("got %d", status)
			}
			defer connection.CloseNow()
			if got := (<-shown)["X-Auth-User-Id"]; len(got) != 1 || got[0] != ada.ID {
				t.Errorf("the upstream saw %q", got)
			}
			for _, text := range []string{"hello", strings.Repeat("x", 20_000)} {
				if err := connection.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
					t.Fatal(err)
				}
				if _, answer, err := connection.Read(ctx); err != nil || string(answer) != "echo "+text {
					t.Fatalf("got %d bytes and %v", len(answer), err)
				}
			}
			_ = connection.Close(websocket.StatusNormalClosure, "")
		})
	}
	// Cross-site WebSocket hijacking: a browser sends the cookie along with
	// another site's handshake, and no same-origin policy protects the answer.
	for name, headers := range map[string][]string{
		"nobody":               nil,
		"another site":         {"Cookie", "auth_session=" + ada.Cookie, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "websocket"},
		"another site, old":    {"Cookie", "auth_session=" + ada.Cookie, "Origin", "https://evil.example"},
		"another port":         {"Cookie", "auth_session=" + ada.Cookie, "Origin", "http://localhost:1"},
		"sandboxed":            {"Cookie", "auth_session=" + ada.Cookie, "Origin", "null"},
		"forged":               {"Auth-Token", "forged"},
		"identity of his own":  {"X-Auth-User-Id", ada.ID},
		"site's own subdomain": {"Cookie", "auth_session=" + ada.Cookie, "Origin", strings.Replace(g.URL, "//", "//app.", 1), "Sec-Fetch-Site", "same-site"},
	} {
		t.Run("WebSocket, "+name, func(t *testing.T) {
			if _, status := dial(headers...); status != http.StatusUnauthorized {
				t.Errorf("got %d", status)
			}
			if len(shown) > 0 {
				t.Errorf("the upstream saw %v", <-shown)
			}
		})
	}
	t.Run("server-sent events", func(t *testing.T) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, g.URL+"/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header = header("Auth-Token", ada.Token, "Accept", "text/event-stream")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		<-shown
		events := bufio.NewScanner(response.Body)
		for i := range 2 { // the next one is not sent before this one has come
			if !events.Scan() || events.Text() != fmt.Sprintf("data: %d", i) || !events.Scan() {
				t.Fatalf("event %d: got %q, %v", i, events.Text(), events.Err())
			}
			finish <- struct{}{}
		}
	})
	// RFC 9110 section 10.1.1: whoever may not upload is told before he does.
	t.Run("100-continue", func(t *testing.T) {
		for _, credential := range []string{"X-Nobody: 1", "Auth-Token: " + ada.Token} {
			connection, err := net.Dial("tcp", g.Address)
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			_ = connection.SetDeadline(time.Now().Add(20 * time.Second))
			fmt.Fprint(connection, lines("PUT /upload HTTP/1.1", "Host: "+strings.TrimPrefix(g.URL, "http://"), credential, "Content-Length: 100000", "Expect: 100-continue"))
			reader := bufio.NewReader(connection)
			response, err := http.ReadResponse(reader, nil)
			if err != nil {
				t.Fatal(err)
			}
			if credential == "X-Nobody: 1" {
				if response.StatusCode != http.StatusUnauthorized || len(shown) > 0 {
					t.Errorf("nobody: got %d", response.StatusCode)
				}
				continue
			}
			if response.StatusCode != http.StatusContinue {
				t.Fatalf("got %d", response.StatusCode)
			}
			fmt.Fprint(connection, strings.Repeat("x", 100_000))
			for err == nil && response.StatusCode == http.StatusContinue { // the upstream says so too
				response, err = http.ReadResponse(reader, nil)
			}
			if err != nil {
				t.Fatal(err)
			}
			if body, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusOK || string(body) != "100000 bytes" {
				t.Errorf("got %d %s", response.StatusCode, body)
			}
			<-shown
		}
	})
}
