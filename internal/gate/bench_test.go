package gate

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/internal/token"
	"github.com/datahq/auth-gateway/providers"
)

// batch is how many requests are made at a time while the clock stands still:
// each Admit gets headers as fresh as net/http makes them.
const batch = 32

// benchHeaders is what Chromium sends with a fetch, without the credential.
var benchHeaders = [][2]string{
	{"Accept", "*/*"},
	{"Accept-Encoding", "gzip, deflate, br, zstd"},
	{"Accept-Language", "en-GB,en;q=0.9,de;q=0.8"},
	{"Connection", "keep-alive"},
	{"Referer", "https://app.example.com/storage/"},
	{"Sec-Ch-Ua", `"Chromium";v="140", "Not=A?Brand";v="24"`},
	{"Sec-Ch-Ua-Mobile", "?0"},
	{"Sec-Fetch-Dest", "empty"},
	{"Sec-Fetch-Mode", "cors"},
	{"Sec-Fetch-Site", "same-origin"},
	{"User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"},
}

// benchStore knows one user, and any session as his. It counts what it is
// asked.
type benchStore struct{ asked atomic.Int64 }

func (s *benchStore) SessionByID(_ context.Context, id string) (providers.Session, providers.User, error) {
	s.asked.Add(1)
	now := time.Now()
	return providers.Session{ID: id, UserID: ada.ID, LastSeenAt: now, ExpiresAt: now.Add(24 * time.Hour)}, ada, nil
}

func (s *benchStore) SessionByCookie(ctx context.Context, _ []byte) (providers.Session, providers.User, error) {
	return s.SessionByID(ctx, "session-1")
}

func (*benchStore) TouchSession(context.Context, string, time.Time) error { return nil }

type benchPermissions struct{}

func (benchPermissions) Permissions(context.Context, providers.User, string) (providers.Answer, error) {
	return providers.Answer{Permissions: providers.Permissions{"read": true, "max_public_storage_mb": 50.0}}, nil
}

// bench is a gate with all that is real but the network and the database.
type bench struct {
	gate       *Gate
	store      *benchStore
	authorizer *authz.Authorizer
	ring       *token.Ring
}

func newBench(b *testing.B, rule Rule) *bench {
	b.Helper()
	signing, err := token.GenerateSigningKey()
	if err != nil {
		b.Fatal(err)
	}
	session, err := token.GenerateSessionKey()
	if err != nil {
		b.Fatal(err)
	}
	site, next := testSite(b)
	x := &bench{store: new(benchStore), ring: token.NewRing(site.Origin(), session, signing)}
	memory, err := authz.NewCache(1 << 16)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(memory.Close)
	x.authorizer = authz.New(authz.Config{
		Store: x.store, Tokens: x.ring, Render: Render,
		Services: []authz.Service{{Name: "storage", Provider: benchPermissions{}}},
	}, memory)
	x.gate, err = New(Config{Site: site, Next: next, Decider: x.authorizer, Ours: x.ring.HasOwnHeader}, rule)
	if err != nil {
		b.Fatal(err)
	}
	return x
}

var benchRule = Rule{Kind: Permission, Service: "storage", All: []string{"read"}}

func (x *bench) sessionToken(b *testing.B, session string) string {
	b.Helper()
	raw, err := x.ring.SignSession(token.Session{UserID: ada.ID, SessionID: session, ExpiresAt: time.Now().Add(24 * time.Hour)})
	if err != nil {
		b.Fatal(err)
	}
	return raw
}

func (x *bench) permissionToken(b *testing.B) string {
	b.Helper()
	raw, err := x.ring.SignPermission(token.Permission{
		UserID: ada.ID, SessionID: "session-1", Service: "storage",
		Permissions: map[string]any{"read": true}, ExpiresAt: time.Now().Add(time.Hour),
	})
	if err != nil {
		b.Fatal(err)
	}
	return raw
}

// request is one with the headers of benchHeaders, in a map of the size that
// net/http makes, and a credential.
func request(name, value string) *http.Request { return requestWithRoom(0, name, value) }

// requestWithRoom has a map that takes more headers before it grows.
func requestWithRoom(room int, name, value string) *http.Request {
	r := &http.Request{
		Method: http.MethodGet, Host: "app.example.com", URL: &url.URL{Path: "/storage/datasets/42", RawQuery: "page=2"},
		Proto: "HTTP/1.1", Header: make(http.Header, len(benchHeaders)+1+room), Body: http.NoBody,
	}
	fill(r.Header, name, value)
	return r
}

func fill(h http.Header, name, value string) {
	clear(h)
	lines := make([]string, len(benchHeaders)+1)
	for i, line := range benchHeaders {
		lines[i] = line[1]
		h[line[0]] = lines[i : i+1 : i+1]
	}
	if name != "" {
		lines[len(benchHeaders)] = value
		h[name] = lines[len(benchHeaders):]
	}
}

type benchWriter struct{ header http.Header }

// newBenchWriter has what Caddy has set before any handler.
func newBenchWriter() benchWriter { return benchWriter{http.Header{"Server": {"Caddy"}}} }

func (w benchWriter) Header() http.Header       { return w.header }
func (benchWriter) Write(p []byte) (int, error) { return len(p), nil }
func (benchWriter) WriteHeader(int)             {}

// run measures Admit, with the state that a request needs, on fresh requests.
// Each of them is a miss, or none but the first.
func (x *bench) run(b *testing.B, miss bool, next func() *http.Request) {
	b.Helper()
	x.store.asked.Store(0)
	var requests [batch]*http.Request
	var writers [batch]benchWriter
	i := batch
	b.ReportAllocs()
	for b.Loop() {
		if i == batch {
			b.StopTimer()
			for i := range requests {
				requests[i], writers[i] = next(), newBenchWriter()
			}
			i = 0
			b.StartTimer()
		}
		if p := x.gate.Admit(writers[i], requests[i], new(State)); p != nil {
			b.Fatal(p.Code)
		}
		i++
	}
	if asked := x.store.asked.Load(); miss && asked < int64(b.N) || !miss && asked > 1 {
		b.Fatalf("the store was asked %d times in %d requests", asked, b.N)
	}
}

// BenchmarkGateHit is what a signed-in request costs: the decision is known.
// Six headers more make the map of twelve grow; the "with-room" ones tell what
// is left without that.
func BenchmarkGateHit(b *testing.B) {
	x := newBench(b, benchRule)
	for _, room := range []int{0, len(identityHeaders)} {
		suffix := ""
		if room > 0 {
			suffix = "-with-room"
		}
		for _, c := range x.credentials(b) {
			b.Run(c.name+suffix, func(b *testing.B) {
				x.run(b, false, func() *http.Request { return requestWithRoom(room, c.header, c.value) })
			})
		}
	}
}

// BenchmarkGateHitParallel is the same on all cores. Each of them uses one
// request again and again, so filling in its headers is part of the figure:
// sub-benchmark "fill" tells how much.
func BenchmarkGateHitParallel(b *testing.B) {
	x := newBench(b, benchRule)
	measure := func(c benchCredential, admit bool) func(b *testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				r, w := request(c.header, c.value), newBenchWriter()
				for pb.Next() {
					fill(r.Header, c.header, c.value)
					delete(w.header, "Vary")
					if !admit {
						continue
					}
					if p := x.gate.Admit(w, r, new(State)); p != nil {
						b.Error(p.Code)
						return
					}
				}
			})
		}
	}
	for _, c := range x.credentials(b) {
		b.Run(c.name, measure(c, true))
	}
	b.Run("fill", measure(benchCredential{header: "Cookie"}, false))
}

type benchCredential struct{ name, header, value string }

func (x *bench) credentials(b *testing.B) []benchCredential {
	b.Helper()
	return []benchCredential{
		{"cookie", "Cookie", "theme=dark; __Host-auth_session=mSSs5L8hPBR4v0pDLbG1uZ4k0S0V5yTzqHnQYw3rXk8"},
		{"session-token", "Auth-Token", x.sessionToken(b, "session-1")},
		{"permission-token", "Authorization", "Bearer " + x.permissionToken(b)},
	}
}

// BenchmarkGateMiss is what the first request with a token costs: its
// signature is checked and the store asked (here: at once).
func BenchmarkGateMiss(b *testing.B) {
	b.Run("session-token", func(b *testing.B) {
		x := newBench(b, benchRule)
		session := 0
		x.run(b, true, func() *http.Request {
			session++
			return request("Auth-Token", x.sessionToken(b, strconv.Itoa(session)))
		})
	})
	b.Run("permission-token", func(b *testing.B) {
		x := newBench(b, benchRule)
		var tokens [batch]string // a signature is dear: make them once, and forget them
		for i := range tokens {
			tokens[i] = x.permissionToken(b)
		}
		i := 0
		x.run(b, true, func() *http.Request {
			if i == 0 {
				x.authorizer.UserChanged(ada.ID)
			}
			i = (i + 1) % batch
			return request("Authorization", "Bearer "+tokens[i])
		})
	})
}

// BenchmarkGateAnonymous is what the gate costs those who are not signed in.
func BenchmarkGateAnonymous(b *testing.B) {
	x := newBench(b, Rule{Kind: Identify})
	x.run(b, false, func() *http.Request { return request("", "") })
}

// BenchmarkGateForwardToken adds the signed token for the upstream.
func BenchmarkGateForwardToken(b *testing.B) {
	rule := benchRule
	rule.ForwardToken = DefaultForwardToken
	x := newBench(b, rule)
	c := x.credentials(b)[0]
	x.run(b, false, func() *http.Request { return request(c.header, c.value) })
}
