package caddymodule_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

// shipped starts the gateway with the Caddyfile at the top of the repository,
// on other ports, and at the level at which most is logged.
func shipped(t *testing.T) *gatewaytest.Gateway {
	t.Helper()
	text, err := os.ReadFile("../Caddyfile")
	if err != nil {
		t.Fatal(err)
	}
	g := gatewaytest.New(t, gatewaytest.Config{})
	caddyfile := string(text)
	for _, change := range [][2]string{
		{"localhost:8080", strings.TrimPrefix(g.URL, "http://")},
		{"127.0.0.1:8080", g.Address},
		{"http://:8080", "http://" + g.Address[strings.LastIndexByte(g.Address, ':'):]},
		{":8081", ":" + gatewaytest.FreePort(t)},
		{"admin unix/.run/admin.sock", "admin off"},
		{".run/", g.State + "/"},
		{"level WARN", "level DEBUG"},
		{"exclude admin http.handlers.reverse_proxy", "exclude admin"}, // what prints most
		{"login dev", "login dev\n\t\trate_limits off"},
		{"\t# Anybody who is signed in.", `	handle /down/* {
		require_permission storage read {
			query_token
			forward_token
		}
		reverse_proxy 127.0.0.1:1
	}
	# Anybody who is signed in.`},
	} {
		if !strings.Contains(caddyfile, change[0]) {
			t.Fatalf("the Caddyfile has no %q", change[0])
		}
		caddyfile = strings.ReplaceAll(caddyfile, change[0], change[1])
	}
	g.RunFile(t, caddyfile, g.Address)
	return g
}

// S41: a full day's work, good and bad, with the shipped configuration at debug
// level. Nothing that opens anything, and nobody's address, is in any log.
func TestLogs(t *testing.T) {
	g := shipped(t)
	hidden := make(secrets)
	login := g.URL + "/auth/login/dev?deliver=jwt&next=" + url.QueryEscape(application)

	// Sign-ins: one that succeeds, by a sample user and by somebody typed.
	b := gatewaytest.NewBrowser(t)
	callback := b.Callback(login, "ada")
	hidden.callback(t, callback)
	hidden.cookies(t, b, g)
	hidden.attempts(t, filepath.Join(g.State, "auth.db"))
	token := delivered(t, b.Navigate(callback).Location)
	ada := person{Browser: b, Token: token, Cookie: sessionCookie(t, b, g)}
	hidden.token("session token", ada.Token)
	hidden.cookies(t, b, g)
	hidden.add("e-mail", "ada@example.com")
	hidden.add("e-mail", "ada%40example.com")

	typed := gatewaytest.NewBrowser(t)
	_, at := typed.Follow(login)
	hidden.add("e-mail", "grace.hopper@example.org")
	hidden.add("e-mail", "grace.hopper%40example.org")
	back := typed.Navigate(strings.SplitN(at, "?", 2)[0] + "?" + edit(t, at, func(q url.Values) {
		q.Set("dev_email", "grace.hopper@example.org")
		q.Set("dev_go", "1")
	})[strings.Index(at, "?")+1:])
	hidden.callback(t, gatewaytest.Resolve(t, at, back.Location))
	hidden.cookies(t, typed, g)
	hidden.token("session token", delivered(t, typed.Navigate(gatewaytest.Resolve(t, at, back.Location)).Location))
	hidden.cookies(t, typed, g)

	// Those that fail: at the provider, by a forged code, in another browser, twice.
	for _, fault := range []fakeidp.Fault{
		fakeidp.AccessDenied, fakeidp.UnverifiedEmail, fakeidp.BadSignature, fakeidp.ExpiredCode, fakeidp.Down, fakeidp.HTMLInsteadOfJSON,
		fakeidp.NoState, fakeidp.WrongIssParameter, fakeidp.UserinfoOtherSubject,
	} {
		b := gatewaytest.NewBrowser(t)
		callback := faulty(t, b, g, "/auth/login/dev?next=%2Fme", fault)
		hidden.callback(t, callback)
		hidden.cookies(t, b, g)
		b.Navigate(callback)
		b.Fetch(callback)
	}
	other := gatewaytest.NewBrowser(t)
	failing := other.Callback(login, "bob")
	hidden.callback(t, failing)
	hidden.cookies(t, other, g)
	gatewaytest.NewBrowser(t).Navigate(failing)
	other.Navigate(failing)
	other.Navigate(edit(t, failing, func(q url.Values) {
		q.Set("code", "forged-code-0123456789")
		q.Set("error_description", "ada@example.com")
	}))
	hidden.add("code", "forged-code-0123456789")
	other.Navigate(g.URL + "/auth/oauth_callback?state=short-but-secret&code=%zz")
	hidden.add("state", "short-but-secret")

	// The API and the gates, with good tokens and bad ones, in all places.
	permission := permissionToken(t, g, ada.Token, "storage")
	hidden.token("permission token", permission)
	forged := ada.Token[:len(ada.Token)-12] + "AAAAAAAAAAAA"
	hidden.token("forged token", forged)
	paths := []string{"/storage/x", "/storage/admin/x", "/me", "/down/x", "/", "/auth/check", "/auth/authorize?service=storage", "/auth/account"}
	for _, path := range paths {
		for _, token := range []string{ada.Token, permission, forged} {
			call(t, g, path, "Auth-Token", token)
			call(t, g, path, "Authorization", "Bearer "+token, "Referer", "https://app.example.com/?jwt="+token)
			separator := "?"
			if strings.Contains(path, "?") {
				separator = "&"
			}
			call(t, g, path+separator+"jwt="+token+"&a=1")
			call(t, g, path+separator+"%6Awt="+token)
			gatewaytest.NewBrowser(t).Navigate(g.URL + path + separator + "jwt=" + token)
			gatewaytest.NewBrowser(t).Navigate(g.URL + "/auth/login/dev?next=" + url.QueryEscape("/me?jwt="+token))
			gatewaytest.NewBrowser(t).Do(http.MethodPost, g.URL+path, strings.NewReader("jwt="+token), header("Content-Type", "application/x-www-form-urlencoded"))
		}
		answer := call(t, g, path, "Cookie", "auth_session="+ada.Cookie)
		for _, forwarded := range regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]+`).FindAllString(answer.Body, -1) {
			hidden.token("upstream token", forwarded)
		}
	}
	fields := form(t, ada.Browser, g.URL+"/auth/logout")
	hidden.add("form token", fields.Get("form_token"))
	post(ada.Browser, g, fields, "Sec-Fetch-Site", "cross-site")
	post(ada.Browser, g, fields, "Sec-Fetch-Site", "same-origin")
	hidden.keys(t, g)
	g.Stop(t)

	access, err := os.ReadFile(filepath.Join(g.State, "access.log"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(access), "/auth/oauth_callback"); n < 10 {
		t.Fatalf("the access log has %d callbacks: is this the right one?", n)
	}
	if !strings.Contains(g.Output(), "upstream roundtrip") || !strings.Contains(g.Output(), "connection refused") {
		t.Fatal("the log is not at debug level")
	}
	hidden.wantHidden(t, written(t, g))
	if strings.Contains(g.Output(), logWarning) {
		t.Error("the shipped configuration is warned of its own logs")
	}
}
