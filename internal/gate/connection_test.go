package gate

import (
	"slices"
	"testing"
)

// S14: Caddy deletes every header that Connection names before it adds its own.
// A client could make the upstream believe that nobody is signed in, or that
// there is no body to check.
func TestScrubConnection(t *testing.T) {
	for _, tt := range []struct {
		lines []string
		want  string
	}{
		{[]string{"X-Auth-User-Id"}, ""},
		{[]string{"close, X-Auth-User-Id"}, "close"},
		{[]string{"x-auth-permissions,KEEP-ALIVE"}, "keep-alive"},
		{[]string{"Keep-Alive", "X-AUTH-USER-ID", "cookie"}, "keep-alive"},
		{[]string{"close", "X-Auth-Email, Authorization"}, "close"},
		{[]string{" \tX-Auth-User-Id\t,\tClose "}, "close"},
		{[]string{"close;X-Auth-User-Id"}, ""},
		{[]string{"X-Forwarded-For, Content-Length, Host"}, ""},
		{[]string{""}, ""},
		{[]string{","}, ""},
		{[]string{"keep-alive"}, "keep-alive"},
		{[]string{"keep-alive, close"}, "close"},
		{[]string{"close, keep-alive, close"}, "close"},
		{[]string{"upgrade"}, ""}, // to what?
	} {
		for _, proto := range []int{0, 1} {
			r := newRequest("GET", "/", asAda)
			r.Header["Connection"] = slices.Clone(tt.lines)
			r.ProtoMinor = proto
			mustAdmit(t, r, newHouse(t).gate(readRule))
			wantHeaders(t, r.Header, map[string]string{"Connection": tt.want})
			wantHeaders(t, r.Header, adaHeaders())
			if t.Failed() {
				t.Fatalf("Connection: %q", tt.lines)
			}
		}
	}
}

// S17: a WebSocket goes through; h2c would let later requests pass the gate
// unseen.
func TestUpgrade(t *testing.T) {
	for _, tt := range []struct {
		name       string
		headers    []string
		connection string
		upgrade    string
	}{
		{"WebSocket", []string{"Connection: Upgrade", "Upgrade: websocket"}, "Upgrade", "websocket"},
		{"WebSocket of Firefox", []string{"Connection: keep-alive, Upgrade", "Upgrade: websocket"}, "Upgrade", "websocket"},
		{"WebSocket and a name of ours", []string{"Connection: X-Auth-User-Id, upgrade", "Upgrade: WebSocket"}, "Upgrade", "WebSocket"},
		{"WebSocket in two lines", []string{"Connection: upgrade", "Connection: X-Auth-Email", "Upgrade: websocket"}, "Upgrade", "websocket"},
		{"something else", []string{"Connection: Upgrade", "Upgrade: spdy/3.1"}, "Upgrade", "spdy/3.1"},
		{"h2c", []string{"Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "Http2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"}, "", ""},
		{"h2c in capitals", []string{"Connection: Upgrade", "Upgrade: H2C"}, "", ""},
		{"h2c of a draft", []string{"Connection: Upgrade", "Upgrade: h2c-14"}, "", ""},
		{"h2c beside a WebSocket", []string{"Connection: Upgrade", "Upgrade: websocket, h2c"}, "", ""},
		{"h2c in a second line", []string{"Connection: Upgrade", "Upgrade: websocket", "Upgrade: h2c"}, "", ""},
		{"h2c behind a blank", []string{"Connection: Upgrade", "Upgrade: websocket h2c"}, "", ""},
		{"h2c behind what is no token", []string{"Connection: Upgrade", "Upgrade: \xd2 h2c"}, "", ""},
		{"h2", []string{"Connection: Upgrade", "Upgrade: h2"}, "", ""},
		{"HTTP/2.0", []string{"Connection: close, Upgrade", "Upgrade: HTTP/2.0"}, "close", ""},
		{"TLS", []string{"Connection: Upgrade", "Upgrade: TLS/1.2"}, "", ""},
		{"nothing", []string{"Connection: Upgrade", "Upgrade: "}, "", ""},
		{"a hole", []string{"Connection: Upgrade", "Upgrade: websocket,"}, "", ""},
		{"Upgrade alone", []string{"Upgrade: h2c"}, "", ""},
		{"Upgrade that Connection does not name", []string{"Connection: keep-alive", "Upgrade: websocket"}, "keep-alive", ""},
	} {
		r := newRequest("GET", "/", append(tt.headers, asAda)...)
		mustAdmit(t, r, newHouse(t).gate(readRule))
		wantHeaders(t, r.Header, map[string]string{"Connection": tt.connection, "Upgrade": tt.upgrade})
		if _, found := r.Header["Http2-Settings"]; found {
			t.Error("Http2-Settings is forwarded")
		}
		if t.Failed() {
			t.Fatal(tt.name)
		}
	}
}

// S17: the same check stands before a WebSocket, and a foreign page's
// handshake carries no cookie that counts (S32).
func TestUpgradeIsJudged(t *testing.T) {
	g := newHouse(t).gate(login)
	handshake := []string{"Connection: Upgrade", "Upgrade: websocket", cookie + "ada"}
	for origin, want := range map[string]string{"https://app.example.com": "", "https://evil.com": "not_signed_in", "null": "not_signed_in"} {
		if p := admit(newRequest("GET", "/ws", append(handshake, "Origin: "+origin)...), new(State), g); code(p) != want {
			t.Errorf("Origin %s: %q; expected %q", origin, code(p), want)
		}
	}
}
