package bench

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

func TestMain(m *testing.M) { gatewaytest.Main(m) }

const (
	connections = 32
	rounds      = 20
)

// proxy is one way through Caddy to the same upstream.
type proxy struct {
	name, address, request string
	rates                  []float64 // requests per second, by round
}

// BenchmarkProxy sends b.N requests each through plain Caddy and through gates,
// over 32 connections, in rounds that take turns. It reports the median of the
// rounds' ratios to plain Caddy: 1.00 means that the gate costs nothing.
func BenchmarkProxy(b *testing.B) {
	for name, value := range compare(b, b.N) {
		b.ReportMetric(value, name)
	}
	b.ReportMetric(0, "ns/op")
}

// The benchmark's own configuration stays one that works.
func TestCompare(t *testing.T) {
	for name, value := range compare(t, connections*rounds) {
		if value <= 0 {
			t.Errorf("%s is %v", name, value)
		}
	}
}

// compare measures each way with n requests.
func compare(b testing.TB, n int) map[string]float64 {
	b.Helper()
	plain, gated := gatewaytest.FreePort(b), gatewaytest.FreePort(b)
	g := gatewaytest.New(b, gatewaytest.Config{})
	g.URL, g.Address = "http://localhost:"+gated, "127.0.0.1:"+gated
	g.RunFile(b, fmt.Sprintf(`{
	default_bind 127.0.0.1
	admin off
	log {
		level ERROR
	}
	auth {
		external_address http://localhost:%[2]s
		login dev
		service storage static {
			everyone read
		}
	}
}
http://localhost:%[1]s {
	reverse_proxy %[3]s {
		transport http {
			keepalive_idle_conns_per_host 64
		}
	}
}
http://localhost:%[2]s {
	auth_api
	require_permission storage read
	reverse_proxy %[3]s {
		transport http {
			keepalive_idle_conns_per_host 64
		}
	}
}
`, plain, gated, upstream(b)), g.Address)
	browser := gatewaytest.NewBrowser(b)
	browser.SignIn(g.URL+"/", "ada")
	site, err := url.Parse(g.URL)
	if err != nil {
		b.Fatal(err)
	}
	cookies := browser.Jar.Cookies(site)
	i := slices.IndexFunc(cookies, func(c *http.Cookie) bool { return c.Name == "auth_session" })
	if i < 0 {
		b.Fatal("no session cookie")
	}
	cookie := cookies[i].String()
	_, location := browser.SignIn(g.URL+"/auth/login/dev?deliver=jwt&next="+url.QueryEscape("/x"), "ada")
	_, session, _ := strings.Cut(location, "jwt=")
	answer := browser.Do("GET", g.URL+"/auth/authorize?service=storage", nil, http.Header{"Auth-Token": {session}})
	permission := between(answer.Body, `"token":"`, `"`)

	proxies := []*proxy{
		newProxy("plain", plain, ""),
		newProxy("plain+token", plain, "Authorization: Bearer "+permission+"\r\n"),
		newProxy("cookie", gated, "Cookie: "+cookie+"\r\n"),
		newProxy("permission_token", gated, "Authorization: Bearer "+permission+"\r\n"),
	}
	for _, p := range proxies {
		p.measure(b, n/10)
	}
	for range rounds {
		for _, p := range proxies {
			p.rates = append(p.rates, p.measure(b, n/rounds))
		}
	}
	metrics := map[string]float64{"plain_req/s": median(proxies[0].rates)}
	for _, p := range proxies[1:] {
		ratios := make([]float64, rounds)
		for i := range ratios {
			ratios[i] = p.rates[i] / proxies[0].rates[i]
		}
		metrics[p.name+"/plain"] = median(ratios)
	}
	return metrics
}

func newProxy(name, port, header string) *proxy {
	return &proxy{name: name, address: "127.0.0.1:" + port, request: "GET /data HTTP/1.1\r\nHost: localhost:" + port +
		"\r\nUser-Agent: bench\r\nAccept: */*\r\nAccept-Encoding: gzip\r\nAccept-Language: en\r\n" + header + "\r\n"}
}

// measure sends n requests over all connections and returns how many were
// answered in a second.
func (p *proxy) measure(b testing.TB, n int) float64 {
	b.Helper()
	var wg sync.WaitGroup
	start := time.Now()
	for range connections {
		wg.Go(func() {
			if err := p.send(max(1, n/connections)); err != nil {
				b.Error(p.name, err)
			}
		})
	}
	wg.Wait()
	return float64(max(1, n/connections)*connections) / time.Since(start).Seconds()
}

// send is a client that costs as little as possible.
func (p *proxy) send(n int) error {
	connection, err := net.Dial("tcp", p.address)
	if err != nil {
		return err
	}
	defer connection.Close()
	reader := bufio.NewReader(connection)
	for range n {
		if _, err := io.WriteString(connection, p.request); err != nil {
			return err
		}
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			return err
		}
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("answered %s", response.Status)
		}
	}
	return nil
}

// upstream answers every request with a few bytes.
func upstream(b testing.TB) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello")
	})}
	go func() { _ = server.Serve(listener) }()
	b.Cleanup(func() { server.Close() })
	return listener.Addr().String()
}

func between(text, before, after string) string {
	_, text, _ = strings.Cut(text, before)
	text, _, _ = strings.Cut(text, after)
	return text
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
