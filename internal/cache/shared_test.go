package cache

import (
	"context"
	"crypto/sha256"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/datahq/auth-gateway/internal/testserver"
)

var secret = []byte("sixteen bytes and some more")

// gateway is one of several that share a Redis.
type gateway struct {
	*Shared
	logs *observer.ObservedLogs

	mu        sync.Mutex
	drops     int
	withdrawn []string
	outcomes  map[Outcome]int
	calls     map[string]int
}

// join makes a gateway of a test, which believes entries only after a minute.
func join(t testing.TB, redisURL string, change ...func(*Options)) *gateway {
	t.Helper()
	a, err := ParseURL(redisURL)
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.InfoLevel)
	g := &gateway{logs: logs, outcomes: make(map[Outcome]int), calls: make(map[string]int)}
	o := Options{
		// Messages know no databases: each test has channels of its own.
		Prefix: "test-" + t.Name(), Secrets: [][]byte{secret}, Logger: zap.New(core),
		OnDrop:     func() { g.note(func() { g.drops++ }) },
		OnWithdraw: func(names []string) { g.note(func() { g.withdrawn = append(g.withdrawn, names...) }) },
		Observer: Observer{
			Call:   func(operation string, _ time.Duration, _ error) { g.note(func() { g.calls[operation]++ }) },
			Lookup: func(_ string, outcome Outcome) { g.note(func() { g.outcomes[outcome]++ }) },
		},
	}
	for _, f := range change {
		f(&o)
	}
	if g.Shared, err = OpenShared(a, o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

// joinWell is join, and waits until the gateway is healthy, and lets it believe
// at once.
func joinWell(t testing.TB, redisURL string, change ...func(*Options)) *gateway {
	t.Helper()
	g := join(t, redisURL, change...)
	g.becomesHealthy(t)
	g.trust.believeFrom.Store(0)
	return g
}

func (g *gateway) note(what func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	what()
}

func (g *gateway) dropCount() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.drops
}

func (g *gateway) heardOf(name string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Contains(g.withdrawn, name)
}

func (g *gateway) outcome(o Outcome) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.outcomes[o]
}

func (g *gateway) callCount(operation string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.calls[operation]
}

func (g *gateway) becomesHealthy(t testing.TB) {
	t.Helper()
	eventually(t, "the gateway is healthy", func() bool { return g.Healthy() })
}

// eventually waits until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waiting until %s: it does not come", what)
		}
	}
}

// remember writes an entry that was loaded just now.
func (g *gateway) remember(t testing.TB, number int, text string, names ...string) {
	t.Helper()
	e := Entry{Value: []byte(text), Names: names, FreshUntil: time.Now().Add(time.Minute)}
	if err := g.Set(t.Context(), g.Turn(), "test", key(number), e); err != nil {
		t.Fatal(err)
	}
}

// wants checks what Get finds; "" is nothing.
func (g *gateway) wants(t testing.TB, number int, want string) {
	t.Helper()
	e, found := g.Get(t.Context(), "test", key(number))
	if found != (want != "") || string(e.Value) != want {
		t.Errorf("entry %d is %q, %v; want %q (%v, %s)", number, e.Value, found, want, g.outcomes, g.State())
	}
}

func TestOpenSharedRefuses(t *testing.T) {
	address, err := ParseURL("redis://localhost")
	if err != nil {
		t.Fatal(err)
	}
	noFile, err := ParseURL("rediss://localhost?ssl_ca_certs=/nowhere/ca.pem")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		address Address
		secrets [][]byte
		want    string
	}{
		{"no address", Address{}, [][]byte{secret}, "no Redis"},
		{"no secret", address, nil, "no secret"},
		{"a short secret", address, [][]byte{secret, []byte("hunter2")}, "expected at least 16"},
		{"no certificates", noFile, [][]byte{secret}, "/nowhere/ca.pem"},
	} {
		s, err := OpenShared(c.address, Options{Secrets: c.secrets})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, %v", c.name, s, err)
		}
	}
}

// A reload closes what the old configuration used; requests under way find no
// Redis, and no goroutine stays.
func TestCloseEndsEverything(t *testing.T) {
	redisURL := testserver.SharedRedis(t).NewURL(t)
	others := goleak.IgnoreCurrent()
	a, err := ParseURL(redisURL)
	if err != nil {
		t.Fatal(err)
	}
	drops := 0
	s, err := OpenShared(a, Options{Prefix: t.Name(), Secrets: [][]byte{secret}, OnDrop: func() { drops++ }})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := goleak.Find(others); err != nil {
		t.Error(err)
	}
	if s.Healthy() || s.State() != "closed" || drops != 1 {
		t.Errorf("after Close: healthy %v, state %q, %d drops", s.Healthy(), s.State(), drops)
	}
	if _, found := s.Get(t.Context(), "test", key(1)); found {
		t.Error("found something after Close")
	}
	if err := s.Withdraw(t.Context(), "user:1"); err == nil {
		t.Error("withdrawing after Close is no error")
	}
}

// A gateway starts without its Redis, says so once, and uses it as soon as it
// is there.
func TestRedisComesLater(t *testing.T) {
	server := testserver.Redis(t)
	server.Kill()
	g := join(t, server.URL())
	if err := g.Check(t.Context()); err == nil {
		t.Error("Check says nothing")
	}
	eventually(t, "it is said what is the matter", func() bool { return g.State() == "Redis cannot be reached" })
	if strings.Contains(g.State(), "127.0.0.1") {
		t.Errorf("the state tells the address: %s", g.State())
	}
	if _, found := g.Get(t.Context(), "test", key(1)); found || g.Turn() != 0 {
		t.Error("found something in no Redis")
	}
	server.Restart()
	g.becomesHealthy(t)
	if err := g.Check(t.Context()); err != nil {
		t.Error(err)
	}
	warned, back := g.logs.FilterMessageSnippet("cannot be used").Len(), g.logs.FilterMessage("Redis is back").Len()
	if warned != 1 || back != 1 {
		t.Errorf("%d warnings and %d news of its return; want one of each: %v", warned, back, g.logs.All())
	}
}

func TestCheckWaitsForTheFirstAttempt(t *testing.T) {
	g := join(t, testserver.SharedRedis(t).NewURL(t))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := g.Check(ctx); err != nil {
		t.Error(err)
	}
}

// S40, S41: nobody who reads in Redis learns a credential, a user or a password.
func TestNothingLegibleInRedis(t *testing.T) {
	server := testserver.Redis(t)
	g := joinWell(t, server.URL())
	g.remember(t, 1, "somebody@example.com", "user:alice", "session:s1")
	if err := g.PutAttempt(t.Context(), []byte("the state"), []byte("the verifier"), time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if err := g.Withdraw(t.Context(), "user:bob"); err != nil {
		t.Fatal(err)
	}
	g.count(t.Context(), sha256.Sum256([]byte("login 192.0.2.1")), Limit{Burst: 5, PerMinute: 5})
	keys, _ := server.Do(t, "KEYS", "*").([]any)
	if len(keys) != 4 {
		t.Fatalf("keys are %v; want 4", keys)
	}
	for _, name := range keys {
		text := name.(string)
		if !strings.HasPrefix(text, g.Prefix+":v1:") {
			t.Errorf("key %q is not below the prefix", text)
		}
		if left, _ := server.Do(t, "PTTL", text).(int64); left <= 0 {
			t.Errorf("key %q stays for ever", text)
		}
		value, _ := server.Do(t, "GET", text).(string)
		for _, told := range []string{"somebody", "alice", "bob", "s1", "the state", "verifier", "192.0.2"} {
			if strings.Contains(text, told) || strings.Contains(value, told) {
				t.Errorf("%q with %q tells %q", text, value, told)
			}
		}
	}
}
