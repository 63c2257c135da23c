package caddymodule_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

const clientSecret = "client-secret/with+signs&0123456789"

// tapped is an OpenID provider that notes everything secret that it gives or
// gets.
type tapped struct {
	*fakeidp.IdP
	*httptest.Server
	mu     sync.Mutex
	hidden secrets
}

func newTapped(t *testing.T, hidden secrets) *tapped {
	t.Helper()
	p := &tapped{hidden: hidden, Server: httptest.NewUnstartedServer(nil)}
	p.IdP = fakeidp.New(fakeidp.Config{
		Issuer:  "http://" + p.Listener.Addr().String(),
		Clients: []fakeidp.Client{{ID: "gateway", Secret: clientSecret, RedirectAllowed: func(string) bool { return true }}},
	})
	p.Server.Config.Handler = http.HandlerFunc(p.tap)
	p.Start()
	t.Cleanup(p.Close)
	hidden.add("client secret", clientSecret)
	return p
}

func (p *tapped) tap(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	p.IdP.ServeHTTP(answer, r)
	if r.URL.Path == string(fakeidp.Token) {
		p.mu.Lock()
		form, _ := url.ParseQuery(string(body))
		p.hidden.add("code", form.Get("code"))
		p.hidden.add("PKCE verifier", form.Get("code_verifier"))
		p.hidden.add("client credentials", strings.TrimPrefix(r.Header.Get("Authorization"), "Basic "))
		var tokens struct {
			Access string `json:"access_token"`
			ID     string `json:"id_token"`
		}
		if json.Unmarshal(answer.Body.Bytes(), &tokens) == nil && tokens.ID != "" {
			p.hidden.add("access token", tokens.Access)
			p.hidden.token("ID token", tokens.ID)
		}
		p.mu.Unlock()
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// S41, ruling 32: a configuration that filters nothing, at debug level. What
// passes our handlers is logged by us, in the access log and when something
// fails, and shows nothing; neither do our own lines, whatever breaks: upstream,
// provider, database, or a reload in the middle. (Caddy's own lines about the
// proxied request have the identity headers at debug level; these need a filter,
// as the warning at start says.)
func TestLogsOfForeignConfiguration(t *testing.T) {
	hidden := make(secrets)
	idp := newTapped(t, hidden)
	access := filepath.Join(t.TempDir(), "access.log")
	config := gatewaytest.Config{
		Log: "exclude http.handlers.reverse_proxy",
		Env: []string{"CORP_SECRET=" + clientSecret},
		Auth: `login dev
login corp oidc {
	issuer ` + idp.URL + `
	client_id gateway
	client_secret {env.CORP_SECRET}
}
rate_limits off
stale_if_error off
service storage static {
	everyone read
}`,
		Site: `log {
	output file ` + access + `
}
auth_api
handle /storage/* {
	require_permission storage read {
		query_token
		forward_token X-Own-Token
	}
	respond "{http.auth.user.id}"
}
handle /down/* {
	require_permission storage read {
		forward_token
	}
	reverse_proxy 127.0.0.1:1
}
handle /me* {
	require_login
	respond welcome
}
handle {
	identify
	respond open
}`,
	}
	g := gatewaytest.New(t, config)
	g.Run(t)
	database := filepath.Join(g.State, "data", "caddy", "auth", "auth.db")
	login := g.URL + "/auth/login/dev?deliver=jwt&next=" + url.QueryEscape(application+"?state=kept-by-the-app")
	hidden.add("state", "kept-by-the-app")

	// Sign-ins that end well.
	b := gatewaytest.NewBrowser(t)
	callback := b.Callback(login, "ada")
	hidden.callback(t, callback)
	hidden.cookies(t, b, g)
	hidden.attempts(t, database)
	ada := person{Browser: b, Token: delivered(t, b.Navigate(callback).Location), Cookie: sessionCookie(t, b, g)}
	hidden.token("session token", ada.Token)
	hidden.cookies(t, b, g)
	hidden.add("e-mail", "ada@example.com")
	grace := fakeidp.Person{Subject: "grace-1", Email: "grace.hopper@example.org", EmailVerified: true, Name: "Grace"}
	hidden.add("e-mail", grace.Email)
	corp := func(person fakeidp.Person, faults ...fakeidp.Fault) (browser *gatewaytest.Browser, callback string) {
		idp.Next(person, faults...)
		browser = gatewaytest.NewBrowser(t)
		start := browser.Navigate(g.URL + "/auth/login/corp?deliver=jwt&next=" + url.QueryEscape(application))
		hidden.add("state", queryOf(t, start.Location).Get("state"))
		hidden.add("nonce", queryOf(t, start.Location).Get("nonce"))
		hidden.add("challenge", queryOf(t, start.Location).Get("code_challenge"))
		hidden.cookies(t, browser, g)
		callback = browser.Navigate(start.Location).Location
		hidden.callback(t, callback)
		return browser, callback
	}
	browser, callback := corp(grace)
	back := browser.Navigate(callback)
	hidden.token("session token", delivered(t, back.Location))
	hidden.cookies(t, browser, g)

	// And those that do not.
	for _, fault := range []fakeidp.Fault{
		fakeidp.AccessDenied, fakeidp.WrongNonce, fakeidp.BadSignature, fakeidp.UsedCode, fakeidp.HTMLInsteadOfJSON, fakeidp.HugeAnswer,
		fakeidp.RedirectingToken, fakeidp.UserinfoOtherSubject, fakeidp.UnverifiedEmail, fakeidp.EmailVerifiedAsString, fakeidp.WrongIssParameter, fakeidp.HS256WithSecret,
	} {
		browser, callback := corp(grace, fault)
		browser.Navigate(callback)
		browser.Fetch(callback)
		gatewaytest.NewBrowser(t).Navigate(callback)
	}
	b.Navigate(g.URL + "/auth/oauth_callback?state=forged-state-0123&code=forged-code-0123&error_description=grace.hopper%40example.org")
	hidden.add("state", "forged-state-0123")
	hidden.add("code", "forged-code-0123")

	// Everything that takes a credential, with good and bad ones in all places.
	permission := permissionToken(t, g, ada.Token, "storage")
	hidden.token("permission token", permission)
	forged := ada.Token[:len(ada.Token)-12] + "AAAAAAAAAAAA"
	hidden.token("forged token", forged)
	unknown := strings.Repeat("unknown-cookie-", 3)[:43]
	hidden.add("cookie", unknown)
	use := func() {
		for _, path := range []string{"/storage/x", "/down/x", "/me", "/", "/auth/check", "/auth/authorize?service=storage", "/auth/account", "/auth/nothing"} {
			separator := "?"
			if strings.Contains(path, "?") {
				separator = "&"
			}
			for _, token := range []string{ada.Token, permission, forged} {
				call(t, g, path, "Auth-Token", token)
				call(t, g, path, "Authorization", "Bearer "+token, "Referer", application+"?jwt="+token)
				call(t, g, path+separator+"jwt="+token+"&a=1")
				call(t, g, path+separator+"%6Awt="+token)
				call(t, g, path+separator+"b="+strings.ReplaceAll(url.QueryEscape(token), "e", "%65"))
				call(t, g, path, "X-Anything", token, "X-Auth-Email", grace.Email)
				gatewaytest.NewBrowser(t).Navigate(g.URL + path + separator + "next=" + url.QueryEscape("/me?jwt="+token))
				gatewaytest.NewBrowser(t).Do(http.MethodPost, g.URL+path, strings.NewReader("jwt="+token), header("Content-Type", "application/x-www-form-urlencoded"))
			}
			for _, cookie := range []string{ada.Cookie, unknown} {
				call(t, g, path, "Cookie", "auth_session="+cookie)
				call(t, g, path+separator+"sid="+cookie)
			}
		}
		gatewaytest.NewBrowser(t).Do(http.MethodPost, g.URL+"/auth/update?username=ada-of-the-day&jwt="+ada.Token, nil, nil)
		call(t, g, "/auth/resolve?username=grace.hopper@example.org")
		call(t, g, "/auth/get_profile?username="+url.QueryEscape(grace.Email))
	}
	use()
	if err := g.TryReload(config); err != nil {
		t.Fatal(err)
	}
	use()

	// The database is gone in the middle of it, and the provider.
	tables := []string{"auth_sessions", "auth_attempts", "users"}
	alter(t, database, tables, "%s", "gone_%s")
	use()
	gatewaytest.NewBrowser(t).Navigate(login)
	gatewaytest.NewBrowser(t).Navigate(g.URL + "/auth/login/corp?next=/me")
	alter(t, database, tables, "gone_%s", "%s")
	browser, callback = corp(grace)
	idp.Server.Close()
	browser.Navigate(callback)
	gatewaytest.NewBrowser(t).Navigate(g.URL + "/auth/login/corp?next=/me")

	fields := form(t, ada.Browser, g.URL+"/auth/logout")
	hidden.add("form token", fields.Get("form_token"))
	post(ada.Browser, g, fields, "Sec-Fetch-Site", "cross-site")
	post(ada.Browser, g, fields, "Sec-Fetch-Site", "same-origin")
	use()
	hidden.keys(t, g)
	g.Stop(t)

	text, err := os.ReadFile(access)
	if err != nil {
		t.Fatal(err)
	}
	texts := written(t, g)
	texts["access log"] = string(text)
	hidden.wantHidden(t, texts)
	for _, want := range []string{
		`"uri":"/auth/oauth_callback\?code=REDACTED&(iss=[^"]*&)?state=REDACTED`, `"uri":"/storage/x\?jwt=REDACTED&a=1"`,
		`"Location":\["http://localhost:3000/\?state=REDACTED&jwt=REDACTED"\]`, `"Auth-Token":\["REDACTED"\]`,
		`"user_id":"[0-9a-f]{32}".*"status":200`, `"status":502`, `"status":503`,
	} {
		if !regexp.MustCompile(want).Match(text) {
			t.Errorf("the access log has nothing like %s", want)
		}
	}
	if strings.Count(g.Output(), "connection refused") < 10 {
		t.Error("the log says nothing of the upstream that is down")
	}
}

// alter renames tables in a database that a gateway has open.
func alter(t *testing.T, path string, tables []string, from, to string) {
	t.Helper()
	database, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	for _, statement := range []string{"PRAGMA busy_timeout = 5000", "PRAGMA legacy_alter_table = ON"} {
		if _, err := database.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range tables {
		if _, err := database.Exec("ALTER TABLE " + fmt.Sprintf(from, table) + " RENAME TO " + fmt.Sprintf(to, table)); err != nil {
			t.Fatal(err)
		}
	}
}

// S41, S43: a database that cannot be reached is named without its password, at
// start and on the command line.
func TestDatabasePasswordIsNotLogged(t *testing.T) {
	const password = "p4ss-w0rd/of+the&database"
	for _, scheme := range []string{"postgresql", "mysql"} {
		address := scheme + "://gateway:" + url.QueryEscape(password) + "@127.0.0.1:" + gatewaytest.FreePort(t) + "/auth"
		g := gatewaytest.New(t, gatewaytest.Config{Auth: "login dev\ndatabase {env.AUTH_DB}", Site: "auth_api", Env: []string{"AUTH_DB=" + address}})
		file := filepath.Join(g.State, "Caddyfile")
		if err := os.WriteFile(file, []byte(g.Caddyfile()), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, verb := range [][]string{{"run", "--config", file}, {"auth", "users", "--config", file}, {"adapt", "--config", file}} {
			output, err := g.Command(verb...)
			if (err == nil) != (verb[0] == "adapt") {
				t.Errorf("%s %v: %v\n%s", scheme, verb, err, output)
			}
			for _, form := range forms(password) {
				if strings.Contains(output, form) {
					t.Errorf("%s %v shows the password (%s):\n%s", scheme, verb, form, output)
				}
			}
		}
	}
}
