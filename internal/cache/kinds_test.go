package cache

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/testserver"
)

// everything checks that two gateways have all that a Redis is for.
func everything(t *testing.T, redisURL string) (a, b *gateway) {
	t.Helper()
	a, b = joinWell(t, redisURL), joinWell(t, redisURL)
	for i := range 20 { // wherever in a cluster the keys are
		a.remember(t, i, "x", "user:1", "session:1")
	}
	for i := range 20 {
		b.wants(t, i, "x")
	}
	if err := b.Withdraw(t.Context(), "user:1"); err != nil {
		t.Error(err)
	}
	for i := range 20 {
		a.wants(t, i, "")
	}
	eventually(t, "the other gateway has heard", func() bool { return a.heardOf("user:1") })
	for _, state := range []string{"one", "two", "three"} {
		if err := a.PutAttempt(t.Context(), []byte(state), []byte("value"), time.Now().Add(time.Minute)); err != nil {
			t.Error(err)
		}
		for i := range 2 {
			if value, first, err := b.TakeAttempt(t.Context(), []byte(state)); string(value) != "value" || first != (i == 0) || err != nil {
				t.Errorf("attempt %s: %q, %v, %v", state, value, first, err)
			}
		}
	}
	for i := range 4 {
		for j, g := range []*gateway{a, b} {
			if _, ok := g.count(t.Context(), key(i), Limit{Burst: 1, PerMinute: 1}); ok != (j == 0) {
				t.Errorf("count %d: %v", i, ok)
			}
		}
	}
	return a, b
}

func TestRedisAtASocket(t *testing.T) {
	everything(t, testserver.Redis(t).SocketURL()+"?db=15")
}

func TestRedisWithTLS(t *testing.T) {
	server := testserver.Redis(t, testserver.TLS(), testserver.Password("p@ss:w/rd?"))
	everything(t, server.URL()+"?ssl_ca_certs="+url.QueryEscape(server.CAFile))

	g := join(t, server.URL())
	eventually(t, "it is said that the certificate is nobody's we know", func() bool {
		return g.State() == "the certificate of Redis does not verify"
	})
	if g.Healthy() {
		t.Error("a server with a certificate of nobody we know is used")
	}
	joinWell(t, server.URL()+"?skip_verify=true")
}

// A user may have no more rights than it needs: its own keys and channels.
func TestRedisWithAUser(t *testing.T) {
	const rules = "resetchannels ~auth-gateway:* &auth-gateway:* -@all +@connection +getrange +pttl +exists +set +del +publish +subscribe +unsubscribe +multi +exec +eval +evalsha +get +time"
	server := testserver.Redis(t, testserver.User("gateway", "hunter2", rules))
	prefix := func(o *Options) { o.Prefix = "" }
	a, b := joinWell(t, server.URL(), prefix), joinWell(t, server.URL(), prefix)
	a.remember(t, 1, "x", "user:1")
	b.wants(t, 1, "x")
	if err := b.Withdraw(t.Context(), "user:1"); err != nil {
		t.Error(err)
	}
	eventually(t, "the other gateway has heard", func() bool { return a.heardOf("user:1") })
	if err := a.PutAttempt(t.Context(), []byte("state"), []byte("value"), time.Now().Add(time.Minute)); err != nil {
		t.Error(err)
	}
	if _, first, err := b.TakeAttempt(t.Context(), []byte("state")); !first || err != nil {
		t.Errorf("taken: %v, %v", first, err)
	}
	a.count(t.Context(), key(1), Limit{Burst: 1, PerMinute: 1})
	if _, ok := b.count(t.Context(), key(1), Limit{Burst: 1, PerMinute: 1}); ok {
		t.Error("counted alone")
	}

	// S41: what is wrong is said, without what the user or password is.
	wrong := join(t, strings.Replace(server.URL(), "hunter2", "hunter3", 1), prefix)
	eventually(t, "it is said that the password is wrong", func() bool {
		return wrong.State() == "Redis refuses the user or password"
	})
	for _, entry := range wrong.logs.All() {
		for _, field := range entry.Context {
			if strings.Contains(field.String, "hunter3") || field.Interface != nil && strings.Contains(toText(field.Interface), "hunter3") {
				t.Errorf("the log tells the password: %v", entry)
			}
		}
	}
}

func toText(value any) string {
	if err, is := value.(error); is {
		return err.Error()
	}
	if s, is := value.(interface{ String() string }); is {
		return s.String()
	}
	return ""
}

func TestRedisCluster(t *testing.T) {
	cluster := testserver.Cluster(t)
	everything(t, "redis+cluster://"+strings.Join(cluster.Addresses, ","))
	joinWell(t, "redis://"+cluster.Addresses[1]+"?cluster=true")
}

// S8: the new master may lack what the old one had: tombstones.
func TestRedisWithSentinels(t *testing.T) {
	group := testserver.Sentinel(t, testserver.Password("hunter2"))
	a, b := everything(t, "redis+sentinel://:hunter2@"+group.Address+"/"+group.MasterName+"/3")
	drops, turn := b.dropCount(), b.Turn()
	group.Failover(t)
	eventually(t, "everything is dropped, and again at the return", func() bool { return b.dropCount() >= drops+2 && a.Healthy() && b.Healthy() })
	if b.Turn() == turn {
		t.Error("loads from before may be written")
	}
	b.wants(t, 1, "")
	eventually(t, "the new master is used", func() bool {
		e := Entry{Value: []byte("x"), Names: []string{"user:2"}, FreshUntil: time.Now().Add(time.Minute)}
		return a.Set(t.Context(), a.Turn(), "test", key(1), e) == nil
	})
	b.trust.believeFrom.Store(0)
	b.wants(t, 1, "x")
}
