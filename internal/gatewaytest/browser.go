package gatewaytest

import (
	"context"
	"errors"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Browser is a client with cookies that does not follow redirects by itself.
type Browser struct {
	http.Client
	t testing.TB
}

// NewBrowser makes a browser without cookies.
func NewBrowser(t testing.TB) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &Browser{t: t}
	b.Jar = jar
	b.Timeout = 30 * time.Second
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	b.Transport = &http.Transport{DisableKeepAlives: true}
	return b
}

// Via makes the browser reach a gateway's external address at that gateway, as a
// load balancer would lead it there. The URLs stay.
func (b *Browser) Via(g *Gateway) *Browser {
	b.Transport = &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if address == strings.TrimPrefix(g.URL, "http://") {
				address = g.Address
			}
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}
	return b
}

// Answer is a response that has been read.
type Answer struct {
	Status   int
	Header   http.Header
	Body     string
	Location string
}

// Navigate goes to a page as a browser's address bar does, without following
// redirects.
func (b *Browser) Navigate(address string) Answer {
	b.t.Helper()
	return b.Do(http.MethodGet, address, nil, http.Header{
		"Accept": {"text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}, "Sec-Fetch-Site": {"none"},
	})
}

// Fetch asks as a page's script of the same origin does.
func (b *Browser) Fetch(address string) Answer {
	b.t.Helper()
	return b.Do(http.MethodGet, address, nil, http.Header{
		"Accept": {"*/*"}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Dest": {"empty"}, "Sec-Fetch-Site": {"same-origin"},
	})
}

// Do sends one request.
func (b *Browser) Do(method, address string, body io.Reader, header http.Header) Answer {
	b.t.Helper()
	request, err := http.NewRequest(method, address, body)
	if err != nil {
		b.t.Fatal(err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := b.Client.Do(request.Clone(request.Context())) // it adds the cookies to its request
	// Shortly after a reload, Caddy closes the socket of the old configuration, and
	// with it new connections that have not been served yet.
	for try := 0; try < 3 && (errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF)) && body == nil; try++ {
		response, err = b.Client.Do(request.Clone(request.Context()))
	}
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return Answer{Status: response.StatusCode, Header: response.Header, Body: string(text), Location: response.Header.Get("Location")}
}

// Follow navigates and follows redirects until there is a page.
func (b *Browser) Follow(address string) (Answer, string) {
	b.t.Helper()
	for range 12 {
		answer := b.Navigate(address)
		if answer.Status < 300 || answer.Status >= 400 {
			return answer, address
		}
		address = Resolve(b.t, address, answer.Location)
	}
	b.t.Fatalf("a redirect loop at %s", address)
	return Answer{}, ""
}

// Resolve is where a link on a page leads.
func Resolve(t testing.TB, page, link string) string {
	t.Helper()
	base, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	target, err := base.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	return target.String()
}

var links = regexp.MustCompile(`href="([^"]*)"`)

// Links are the links on a page, unescaped.
func Links(page string) []string {
	var found []string
	for _, match := range links.FindAllStringSubmatch(page, -1) {
		found = append(found, html.UnescapeString(match[1]))
	}
	return found
}

// SignIn goes to address as a navigation, signs in at the development provider
// as user, and returns the first answer on the gateway's side after the
// callback together with its address. Login links are followed on the way.
func (b *Browser) SignIn(address, user string) (Answer, string) {
	b.t.Helper()
	callback := b.Callback(address, user)
	answer := b.Navigate(callback)
	if answer.Status < 300 || answer.Status >= 400 {
		return answer, callback
	}
	return answer, Resolve(b.t, callback, answer.Location)
}

// Callback goes through a sign-in at the development provider up to the
// callback URL that the browser would visit next, and returns that.
func (b *Browser) Callback(address, user string) string {
	b.t.Helper()
	page, at := b.Follow(address)
	for _, link := range Links(page.Body) {
		if strings.Contains(link, "dev_user="+user) && !strings.Contains(link, "dev_fault=") {
			answer := b.Navigate(Resolve(b.t, at, link))
			return Resolve(b.t, at, answer.Location)
		}
	}
	b.t.Fatalf("no link to sign in as %s at %s (%d):\n%s", user, at, page.Status, page.Body)
	return ""
}
