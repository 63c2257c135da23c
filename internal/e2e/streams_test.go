//go:build e2e

package e2e

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
)

// fetched is what a page's script sees of an answer.
type fetched struct {
	Status    int            `json:"status"`
	Type      string         `json:"type"`
	Challenge string         `json:"challenge"`
	Body      map[string]any `json:"body"`
}

const fetchScript = `fetch(ADDRESS, {credentials: "include"}).then(async answer => ({
	status: answer.status, type: answer.headers.get("Content-Type"),
	challenge: answer.headers.get("WWW-Authenticate") || "", body: await answer.json(),
}))`

// talked is how a WebSocket went: the messages that came, and how it ended.
type talked struct {
	Opened   bool     `json:"opened"`
	Messages []string `json:"messages"`
}

const socketScript = `new Promise(done => {
	const socket = new WebSocket(ADDRESS.replace("http:", "ws:"));
	const result = {opened: false, messages: []};
	socket.onopen = () => { result.opened = true; socket.send("hello"); };
	socket.onmessage = event => { result.messages.push(event.data); if (result.messages.length === 2) socket.close(); };
	socket.onclose = () => done(result);
})`

// streamed is the first thing that an EventSource had to tell: an event, or an
// error and whether it has given up.
type streamed struct {
	Event  map[string]any `json:"event"`
	Failed bool           `json:"failed"`
	Closed bool           `json:"closed"`
}

const streamScript = `new Promise(done => {
	const stream = new EventSource(ADDRESS, {withCredentials: true});
	stream.onmessage = event => { stream.close(); done({event: JSON.parse(event.data)}); };
	stream.onerror = () => { const closed = stream.readyState === EventSource.CLOSED; stream.close(); done({failed: true, closed}); };
})`

// ask runs one of the scripts above against an address.
func ask[T any](t testing.TB, b *tab, script, address string) T {
	t.Helper()
	return evaluate[T](t, b, strings.Replace(script, "ADDRESS", `"`+address+`"`, 1))
}

// A page's fetch, WebSocket and EventSource pass a gate as the page's user does
// (S17), and stop to when the session ends in another tab (S8).
func TestScriptsThroughAGate(t *testing.T) {
	g := demonstration(t, "")
	g.Run(t)
	browser := newChromium(t)
	b := browser.tab(t)
	b.open(t, g.URL+"/app/")
	b.click(t, "Ada Lovelace")
	b.atExactly(t, g.URL+"/app/")
	b.shows(t, "Hello ada@example.com")

	if got := ask[fetched](t, b, fetchScript, g.URL+"/app/data"); got.Status != http.StatusOK || got.Body["email"] != "ada@example.com" {
		t.Errorf("fetch: %+v", got)
	}
	if got, want := ask[talked](t, b, socketScript, g.URL+"/app/socket"), (talked{true, []string{"ada@example.com", "echo hello"}}); !reflect.DeepEqual(got, want) {
		t.Errorf("WebSocket: %+v, want %+v", got, want)
	}
	event := ask[streamed](t, b, streamScript, g.URL+"/events").Event
	if who, _ := event["identity"].(map[string]any); who["email"] != "ada@example.com" {
		t.Errorf("EventSource: %v", event)
	}
	b.quiet(t)

	other := browser.tab(t)
	other.open(t, g.URL+"/auth/account")
	other.click(t, "Sign out")
	other.atExactly(t, g.URL+"/auth/signed-out")
	other.quiet(t)

	got := ask[fetched](t, b, fetchScript, g.URL+"/app/data")
	if got.Status != http.StatusUnauthorized || got.Type != "application/problem+json" || got.Challenge == "" {
		t.Errorf("fetch after the sign-out: %+v", got)
	}
	if login, _ := got.Body["login_url"].(string); got.Body["code"] != "not_signed_in" || !strings.HasPrefix(login, g.URL+"/auth/login?next=") {
		t.Errorf("fetch after the sign-out: %v", got.Body)
	}
	if got := ask[talked](t, b, socketScript, g.URL+"/app/socket"); got.Opened || len(got.Messages) != 0 {
		t.Errorf("WebSocket after the sign-out: %+v", got)
	}
	if got := ask[streamed](t, b, streamScript, g.URL+"/events"); !got.Failed || !got.Closed {
		t.Errorf("EventSource after the sign-out: %+v, want it to give up", got)
	}
	b.quiet(t, "status of 401", "WebSocket connection to")
}

// S32, S33: the attack: a page of another origin, to whose requests the browser
// adds the cookie (another port is the same site), reads and acts as the user.
func TestAnotherOriginsPage(t *testing.T) {
	g := demonstration(t, "")
	g.Run(t)
	browser := newChromium(t)
	b := browser.tab(t)
	b.open(t, g.URL+"/app/")
	b.click(t, "Ada Lovelace")
	b.atExactly(t, g.URL+"/app/")

	attacker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><html lang="en"><title>Elsewhere</title><link rel="icon" href="data:,">
			<form method="post" action="` + g.URL + `/auth/logout"><button>Win a prize</button></form>`))
	}))
	t.Cleanup(attacker.Close)
	other := browser.tab(t)
	page := strings.Replace(attacker.URL, "127.0.0.1", "localhost", 1) + "/"
	other.open(t, page)

	for _, place := range []string{"/app/data", "/auth/check"} {
		got := ask[fetched](t, other, fetchScript, g.URL+place)
		if signedIn := got.Body["authenticated"] == true; got.Status == http.StatusOK && place == "/app/data" || signedIn || got.Body["email"] != nil {
			t.Errorf("S32: fetch of %s: %+v", place, got)
		}
	}
	if got := ask[talked](t, other, socketScript, g.URL+"/app/socket"); got.Opened || len(got.Messages) != 0 {
		t.Errorf("S32: WebSocket: %+v", got)
	}
	if got := ask[streamed](t, other, streamScript, g.URL+"/events"); got.Event != nil {
		t.Errorf("S32: EventSource: %+v", got)
	}
	other.quiet(t, "status of 401", "WebSocket connection to")

	other.click(t, "Win a prize")
	other.atExactly(t, g.URL+"/auth/logout")
	other.shows(t, "This did not come from our own page")
	other.quiet(t, "status of 403")
	if got := ask[fetched](t, b, fetchScript, g.URL+"/app/data"); got.Status != http.StatusOK {
		t.Errorf("S33: another origin's form has signed out: %+v", got)
	}

	// A link is no attack: whoever follows one is still signed in.
	other.open(t, page)
	evaluate[any](t, other, `location.href = "`+g.URL+`/app/"`)
	other.atExactly(t, g.URL+"/app/")
	other.shows(t, "Hello ada@example.com")
}
