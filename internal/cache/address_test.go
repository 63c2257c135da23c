package cache

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func parseAddress(t *testing.T, text string) Address {
	t.Helper()
	a, err := ParseURL(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return a
}

func TestParseURL(t *testing.T) {
	for _, c := range []struct {
		url  string
		want Address
		text string
	}{
		{"redis://localhost", Address{kind: oneRedis, servers: "localhost:6379"}, "redis://localhost:6379/0"},
		{"redis://", Address{kind: oneRedis, servers: "localhost:6379"}, "redis://localhost:6379/0"},
		{"redis://:7000/", Address{kind: oneRedis, servers: "localhost:7000"}, "redis://localhost:7000/0"},
		{"REDIS://h:1/3", Address{kind: oneRedis, servers: "h:1", database: 3}, "redis://h:1/3"},
		{"redis://h?db=3", Address{kind: oneRedis, servers: "h:6379", database: 3}, "redis://h:6379/3"},
		{"redis://[::1]/", Address{kind: oneRedis, servers: "[::1]:6379"}, "redis://[::1]:6379/0"},
		{"redis://[::1]:7000", Address{kind: oneRedis, servers: "[::1]:7000"}, "redis://[::1]:7000/0"},
		{
			"rediss://us%3Aer:p%40s%2Fs%25@h:1/0",
			Address{kind: oneRedis, tls: true, user: "us:er", password: "p@s/s%", servers: "h:1"},
			"rediss://h:1/0",
		},
		// What is special only elsewhere may stay as it is.
		{"redis://:a:b@c+d@h", Address{kind: oneRedis, password: "a:b@c+d", servers: "h:6379"}, "redis://h:6379/0"},
		{"unix:///run/redis.sock", Address{kind: socketRedis, servers: "/run/redis.sock"}, "unix:///run/redis.sock?db=0"},
		{
			"unix://u:p@/run/redis.sock?db=2",
			Address{kind: socketRedis, user: "u", password: "p", servers: "/run/redis.sock", database: 2},
			"unix:///run/redis.sock?db=2",
		},
		{
			"redis+sentinel://u:p@a,b:1,[::1]/mymaster/2",
			Address{kind: sentinelRedis, user: "u", password: "p", servers: "a:26379,b:1,[::1]:26379", master: "mymaster", database: 2},
			"redis+sentinel://a:26379,b:1,[::1]:26379/mymaster/2",
		},
		{
			"rediss+sentinel://a/m?sentinel_username=su&sentinel_password=s%40p",
			Address{kind: sentinelRedis, tls: true, servers: "a:26379", master: "m", arguments: arguments{sentinelUser: "su", sentinelPassword: "s@p"}},
			"rediss+sentinel://a:26379/m/0",
		},
		{"redis+cluster://:p@a:1,b", Address{kind: clusterRedis, password: "p", servers: "a:1,b:6379"}, "redis+cluster://a:1,b:6379"},
		{
			"rediss://a?cluster=true",
			Address{kind: clusterRedis, tls: true, servers: "a:6379", arguments: arguments{cluster: true}},
			"rediss+cluster://a:6379",
		},
		{
			"rediss://h?pool_size=7&min_idle_conns=1&max_idle_conns=5&conn_max_idle_time=5m&conn_max_lifetime=3600&dial_timeout=2" +
				"&read_timeout=300ms&write_timeout=5s&pool_timeout=1ms&client_name=gw&skip_verify=1&ssl_ca_certs=/etc/ca.pem",
			Address{kind: oneRedis, tls: true, servers: "h:6379", arguments: arguments{
				poolSize: 7, minIdle: 1, maxIdle: 5, maxIdleTime: 5 * time.Minute, maxLifetime: time.Hour, dialTimeout: 2 * time.Second,
				readTimeout: 300 * time.Millisecond, writeTimeout: 5 * time.Second, poolTimeout: time.Millisecond,
				clientName: "gw", skipVerify: true, caFile: "/etc/ca.pem",
			}},
			"rediss://h:6379/0",
		},
	} {
		a, err := ParseURL(c.url)
		if err != nil || a != c.want {
			type plain Address
			t.Errorf("%q: %+v, %v", c.url, plain(a), err)
			continue
		}
		if a.String() != c.text {
			t.Errorf("%q is shown as %q; want %q", c.url, a, c.text)
		}
		// Its own text leads to the same Redis.
		if again, err := ParseURL(a.String()); err != nil || again.String() != c.text {
			t.Errorf("%q: read again from %q: %v, %v", c.url, c.text, again, err)
		}
		client, err := Address{kind: a.kind, servers: a.servers, master: a.master}.open()
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestParseURLRefuses(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{"", "is empty"},
		{"localhost:6379", "no scheme"},
		{"redis://h\n", "control character"},
		{"http://:hunter2@h", "unknown scheme"},
		{"hunter2@h://x", "unknown scheme"},
		{"redisss://h", "unknown scheme"},
		{"redis+unix://h", "unknown scheme"},
		{"redis://u:hunter2", "no host:port"},
		{"redis://h:0", "no host:port"},
		{"redis://h:65536", "no host:port"},
		{"redis://::1", "no host:port"},
		{"redis://:hunter2/x@h", "percent-encoded"},
		{"redis://:hunter2?x@h", "percent-encoded"},
		{"redis://:hunter2#x@h", "%23"},
		{"redis://:hunter2%@h", "malformed user or password"},
		{"redis://h/hunter2", "no number"},
		{"redis://h/-1", "no number"},
		{"redis://h/0/1", "no number"},
		{"redis://h,i", "several servers"},
		{"redis+cluster://h,,i", "no host:port"},
		{"redis+cluster://h/1", "only 0"},
		{"redis+cluster://h?db=1", "only 0"},
		{"redis+sentinel://h", "name of the master"},
		{"redis+sentinel://h/?cluster=1", "cluster"},
		{"unix://h/run/redis.sock", "three slashes"},
		{"unix://", "no path"},
		{"unix:///run/", "no path"},
		{"redis://h?max_retries=hunter2", `"max_retries"`},
		{"redis://h?addr=hunter2", `"addr"`},
		{"redis://h?db=hunter2", `"db"`},
		{"redis://h?db=1&db=2", "several times"},
		{"redis://h?read_timeout=6s", `"read_timeout"`},
		{"redis://h?read_timeout=-1", `"read_timeout"`},
		{"redis://h?dial_timeout=0", `"dial_timeout"`},
		{"redis://h?pool_size=hunter2", `"pool_size"`},
		{"redis://h?%zz=hunter2", "malformed"},
		{"redis://h?skip_verify=true", "without TLS"},
		{"redis://h?ssl_ca_certs=/x", "without TLS"},
		{"redis://h?sentinel_password=hunter2", "Sentinels"},
	} {
		a, err := ParseURL(c.url)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, %v; want %q", c.url, a, err, c.want)
			continue
		}
		// S41: the password of a Redis never reaches a log.
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the error repeats the password: %v", c.url, err)
		}
	}
}

// S41: however it is printed, an address tells no secret.
func TestAddressTellsNoSecret(t *testing.T) {
	a := parseAddress(t, "redis+sentinel://somebody:hunter2@h/m/1?sentinel_username=else&sentinel_password=hunter3")
	for _, text := range []string{a.String(), a.GoString(), fmt.Sprintf("%v %+v %#v %s %q", a, a, a, a, &a), fmt.Sprint(struct{ A Address }{a}), a.Key()} {
		for _, told := range []string{"hunter", "somebody", "else"} {
			if strings.Contains(text, told) {
				t.Errorf("%s tells %q", text, told)
			}
		}
	}
	if (Address{}).String() != "no Redis" {
		t.Errorf("the zero value is %q", Address{})
	}
}

func TestAddressKeyTellsRedisesApart(t *testing.T) {
	seen := map[string]string{}
	for _, text := range []string{
		"redis://h", "redis://i", "redis://h/1", "redis://h:1", "rediss://h", "redis://u@h", "redis://:u@h", "redis://u:p@h", "redis://u:q@h",
		"redis+cluster://h", "redis+cluster://h,i", "redis+sentinel://h/m", "redis+sentinel://h/n", "redis+sentinel://h/m/1",
		"redis+sentinel://h/m?sentinel_password=p", "unix:///h", "redis://h?read_timeout=1", "rediss://h?skip_verify=1",
	} {
		key := parseAddress(t, text).Key()
		if other, found := seen[key]; found || len(key) != 64 {
			t.Errorf("%q has key %q, like %q", text, key, other)
		}
		seen[key] = text
	}
	if parseAddress(t, "redis://h").Key() != parseAddress(t, "REDIS://h:6379/0").Key() {
		t.Error("one Redis has two keys")
	}
}
