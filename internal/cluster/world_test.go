package cluster

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/internal/testserver"
	"github.com/datahq/auth-gateway/providers/providertest"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

// keys are the files with the keys that the gateways of a cluster share.
type keys struct{ signing, session string }

var signingPEM = sync.OnceValue(func() []byte {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
})

func newKeys(t *testing.T) keys {
	t.Helper()
	folder := t.TempDir()
	k := keys{signing: filepath.Join(folder, "signing.pem"), session: filepath.Join(folder, "session.key")}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret)
	for name, text := range map[string][]byte{k.signing: signingPEM(), k.session: []byte(base64.StdEncoding.EncodeToString(secret))} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

// site is what every gateway of a cluster serves.
const site = `auth_api
	handle /storage/* {
		require_permission storage read
		respond "inside {http.auth.user.id}"
	}
	handle /me {
		require_login
		respond "{http.auth.user.id}"
	}
	handle {
		identify
		respond "open {http.auth.user.id}"
	}`

// cluster is some gateways behind one external address.
type cluster struct {
	gateways []*gatewaytest.Gateway
	url      string // the external address; nothing listens there
	client   *http.Client
	// corp and team are identity providers that know the same people.
	corp, team *fakeidp.IdP
}

// clients are a cluster at an identity provider.
var clients = []fakeidp.Client{{ID: "gateway", Secret: "hush", RedirectAllowed: func(string) bool { return true }}}

// prepare makes the gateways of a cluster without running them. What they use is
// given for each of them, by its number; a cache of "" is none.
func prepare(t *testing.T, n int, database, cache func(i int) string) *cluster {
	t.Helper()
	k := newKeys(t)
	c := &cluster{url: "http://localhost:" + gatewaytest.FreePort(t), client: &http.Client{
		Timeout:       30 * time.Second,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 1000},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	t.Cleanup(c.client.CloseIdleConnections)
	c.corp, c.team = providertest.StartIdP(t, fakeidp.Config{Clients: clients}), providertest.StartIdP(t, fakeidp.Config{Clients: clients})
	for i := range n {
		auth := login("corp", c.corp) + login("team", c.team) + `
		database ` + database(i) + `
		signing_key ` + k.signing + `
		session_key ` + k.session + `
		service storage database
		rate_limits off
		os_conductor
`
		if address := cache(i); address != "" {
			auth += "		cache " + address + "\n"
		}
		c.gateways = append(c.gateways, gatewaytest.New(t, gatewaytest.Config{ExternalAddress: c.url, Auth: auth, Site: site, Global: "metrics"}))
	}
	return c
}

// login is an identity provider as the configuration names it.
func login(name string, idp *fakeidp.IdP) string {
	return "login " + name + ` oidc {
			issuer ` + idp.Issuer() + `
			client_id gateway
			client_secret hush
		}
		`
}

// run starts all gateways at the same time.
func (c *cluster) run(t *testing.T) {
	t.Helper()
	var all sync.WaitGroup
	for _, g := range c.gateways {
		all.Go(func() { g.Run(t) })
	}
	all.Wait()
}

// always is the same for every gateway.
func always(text string) func(int) string { return func(int) string { return text } }

// start runs n gateways on a new PostgreSQL database and a Redis.
func start(t *testing.T, n int) *cluster {
	t.Helper()
	c := prepare(t, n, always(testserver.SharedPostgres(t).NewDatabase(t)), always(testserver.SharedRedis(t).NewURL(t)))
	c.run(t)
	return c
}

// session is somebody who is signed in.
type session struct{ cookie, userID string }

// signIn signs somebody in, beginning at one gateway and ending at the next. His
// address is <user>@example.com.
func (c *cluster) signIn(t *testing.T, at int, user string) session {
	t.Helper()
	for try := 1; ; try++ {
		b, callback := c.callback(t, at, "corp", user, "next=/me")
		s, status := c.end(t, b, (at+1)%len(c.gateways), callback)
		// On a busy machine Redis may miss its time-out: try again, as people do.
		if status != http.StatusServiceUnavailable {
			return s
		}
		if try == 3 {
			t.Fatalf("the sign-in ended with %d, and so again and again", status)
		}
	}
}

// callback goes through a sign-in that begins at a gateway, up to the callback
// URL that the browser would visit next.
func (c *cluster) callback(t *testing.T, at int, provider, user, query string) (*gatewaytest.Browser, string) {
	t.Helper()
	idp := map[string]*fakeidp.IdP{"corp": c.corp, "team": c.team}[provider]
	b := gatewaytest.NewBrowser(t).Via(c.gateways[at])
	begun := b.Navigate(c.url + "/auth/login/" + provider + "?" + query)
	if begun.Status != http.StatusFound {
		t.Fatalf("the sign-in begins with %d:\n%s", begun.Status, begun.Body)
	}
	idp.Next(fakeidp.Person{Subject: "subject of " + user, Email: user + "@example.com", EmailVerified: true, Username: user})
	back := b.Navigate(begun.Location)
	if back.Status != http.StatusFound {
		t.Fatalf("the provider says %d: %s", back.Status, back.Body)
	}
	return b, back.Location
}

// finish visits a callback URL at a gateway, where the sign-in ends.
func (c *cluster) finish(t *testing.T, b *gatewaytest.Browser, at int, callback string) session {
	t.Helper()
	s, status := c.end(t, b, at, callback)
	if status == http.StatusServiceUnavailable {
		t.Fatalf("the sign-in ended with %d", status)
	}
	return s
}

func (c *cluster) end(t *testing.T, b *gatewaytest.Browser, at int, callback string) (s session, status int) {
	t.Helper()
	answer := b.Via(c.gateways[at]).Navigate(callback)
	if answer.Status == http.StatusServiceUnavailable {
		return session{}, answer.Status
	}
	if !strings.HasSuffix(answer.Location, "/me") {
		t.Fatalf("the sign-in ended with %d:\n%s", answer.Status, answer.Body)
	}
	site, err := url.Parse(c.url)
	if err != nil {
		t.Fatal(err)
	}
	for _, cookie := range b.Jar.Cookies(site) {
		if cookie.Name == "auth_session" {
			s.cookie = cookie.Value
		}
	}
	me := b.Fetch(c.url + "/me")
	if me.Status != http.StatusOK || me.Body == "" || s.cookie == "" {
		t.Fatalf("signed in, and then: %d %s", me.Status, me.Body)
	}
	s.userID = me.Body
	return s, answer.Status
}

// reply is what came of a request.
type reply struct {
	status int
	body   string
	err    error
	sent   time.Time
	took   time.Duration
}

// ask sends a request as a page's script does, with a session's cookie unless it
// is "".
func (c *cluster) ask(at int, method, path, cookie string) reply {
	r := reply{sent: time.Now()}
	defer func() { r.took = time.Since(r.sent) }()
	request, err := http.NewRequestWithContext(context.Background(), method, "http://"+c.gateways[at].Address+path, nil)
	if err != nil {
		r.err = err
		return r
	}
	request.Host = strings.TrimPrefix(c.url, "http://")
	request.Header = http.Header{"Accept": {"*/*"}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Dest": {"empty"}, "Sec-Fetch-Site": {"same-origin"}}
	if method != http.MethodGet {
		request.Header.Set("Origin", c.url)
	}
	if cookie != "" {
		request.Header.Set("Cookie", "auth_session="+cookie)
	}
	response, err := c.client.Do(request)
	if err != nil {
		r.err = err
		return r
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	r.status, r.body, r.err = response.StatusCode, string(text), err
	r.took = time.Since(r.sent)
	return r
}

// expect fails the test unless a session counts at a gateway as its user's.
func (c *cluster) expect(t *testing.T, at int, s session) {
	t.Helper()
	if r := c.ask(at, http.MethodGet, "/me", s.cookie); r.status != http.StatusOK || r.body != s.userID {
		t.Fatalf("at gateway %d: %d %s %v, want %s", at, r.status, r.body, r.err, s.userID)
	}
}

// auth runs the command line of a gateway.
func (c *cluster) auth(t *testing.T, at int, args ...string) string {
	t.Helper()
	g := c.gateways[at]
	output, err := g.Command(append([]string{"auth", "--config", filepath.Join(g.State, "Caddyfile")}, args...)...)
	if err != nil {
		t.Fatalf("auth %v: %v\n%s", args, err, output)
	}
	return output
}

// until waits for something and says how long that took. It fails the test when
// the limit has passed.
func until(t *testing.T, limit time.Duration, what string, happened func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for !happened() {
		if time.Since(began) > limit {
			t.Fatalf("not within %s: %s", limit, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(began)
}

// metric reads one figure, by its name with its labels, from the metrics of a
// gateway; 0 if it is not there.
func (c *cluster) metric(t *testing.T, at int, name string) float64 {
	t.Helper()
	answer := gatewaytest.NewBrowser(t).Do(http.MethodGet, c.gateways[at].Admin()+"/metrics", nil, nil)
	if answer.Status != http.StatusOK {
		t.Fatalf("metrics: %d", answer.Status)
	}
	for line := range strings.Lines(answer.Body) {
		text, found := strings.CutPrefix(line, name+" ")
		if !found {
			continue
		}
		value, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	return 0
}
