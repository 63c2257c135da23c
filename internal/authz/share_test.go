package authz

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/cache"
	"github.com/datahq/auth-gateway/internal/testserver"
	"github.com/datahq/auth-gateway/providers"
)

// believed is how long entries live in the Redis of a test, and so how long a
// gateway listens before it believes any.
const believed = 5 * time.Second

// share gives the world's cache a Redis.
func (w *world) share(redisURL string) *world {
	w.t.Helper()
	address, err := cache.ParseURL(redisURL)
	if err != nil {
		w.t.Fatal(err)
	}
	shared, err := cache.OpenShared(address, cache.Options{
		Prefix: "test-" + w.t.Name(), Secrets: [][]byte{[]byte("a secret of some length")}, Lifetime: believed,
		OnDrop: w.memory.Drop, OnWithdraw: w.memory.Withdrawn,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := shared.Close(); err != nil {
			w.t.Error(err)
		}
	})
	w.memory.Use(shared)
	return w
}

// pair makes two gateways with one database, one provider and one Redis, which
// believe what stands there.
func pair(t *testing.T, redisURL string, change ...func(*Config)) (a, b *world) {
	t.Helper()
	a = build(t, change...)
	memory, err := NewCache(10_000)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(memory.Close)
	other := *a
	other.memory = memory
	b = other.again(change...)
	a.share(redisURL)
	b.share(redisURL)
	for _, w := range []*world{a, b} {
		w.eventually("it believes", func() bool {
			shared := w.memory.shared
			e := cache.Entry{Value: []byte("x"), Names: []string{"probe"}, FreshUntil: time.Now().Add(believed)}
			err := shared.Set(t.Context(), shared.Turn(), "probe", cache.Key{}, e)
			_, found := shared.Get(t.Context(), "probe", cache.Key{})
			return found && err == nil
		})
	}
	a.forget()
	return a, b
}

func (w *world) eventually(what string, holds func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("waiting until %s: it does not come", what)
		}
	}
}

// What one gateway has found out, another one need not ask for.
func TestGatewaysShareAnswers(t *testing.T) {
	t.Parallel()
	a, b := pair(t, testserver.SharedRedis(t).NewURL(t))
	a.provider.grant("ada", "storage", providers.Permissions{"read": true, "roles": []any{"x"}, "quota": 1.5, "nothing": nil})
	for name, c := range a.credentials("ada") {
		first := a.granted(c, "storage", "ada")
		a.forget()
		second := b.granted(c, "storage", "ada")
		b.asks(name, 0, 0)
		if !reflect.DeepEqual(first.User, second.User) || !sameJSON(first.Session, second.Session) ||
			!reflect.DeepEqual(first.Permissions, second.Permissions) || !first.ExpiresAt.Equal(second.ExpiresAt) {
			t.Errorf("%s: the one gateway has %+v, the other %+v", name, first, second)
		}
	}
	// Another user, service or credential is another question.
	b.granted(b.cookie("bob"), "storage", "bob")
	b.asks("bob", 1, 1)
	b.granted(b.cookie("ada"), "billing", "ada")
	b.asks("billing", 0, 1)
	b.granted(b.cookie("ada"), "", "ada")
	b.asks("no service", 0, 0)
	b.refused(Cookie("unknown"), "storage", ErrEnded)
	b.asks("unknown cookie", 1, 0)
	a.refused(Cookie("unknown"), "storage", ErrEnded)
	a.asks("the same, as refusals are not shared", 1, 0)
}

func sameJSON(a, b any) bool {
	first, err1 := json.Marshal(a)
	second, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && string(first) == string(second)
}

// S8: what is withdrawn on one gateway is over on the other within a second,
// whatever either remembers.
func TestGatewaysTellEachOther(t *testing.T) {
	t.Parallel()
	a, b := pair(t, testserver.SharedRedis(t).NewURL(t))
	warm := func(name string) {
		for _, w := range []*world{a, b} {
			for _, c := range w.credentials(name) {
				w.granted(c, "storage", name)
			}
		}
	}
	over := func(what, name string, want error) {
		t.Helper()
		began := time.Now()
		for _, c := range a.credentials(name) {
			a.refused(c, "storage", want) // at once
			b.eventually(what, func() bool {
				_, err := b.Decide(t.Context(), c, "storage")
				return errors.Is(err, want)
			})
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("%s: known after %s", what, took)
		}
	}
	warm("ada")
	warm("bob")
	a.store.end("s-ada")
	a.SessionEnded("s-ada")
	over("the logout", "ada", ErrEnded)
	a.store.edit("bob", func(u *providers.User) { u.Disabled = true })
	a.UserChanged("bob")
	over("the exclusion", "bob", ErrDisabled)

	a.signIn("eve", "s-eve")
	warm("eve")
	a.provider.grant("eve", "storage", providers.Permissions{"write": true})
	a.provider.changed("eve")
	b.eventually("the change of permissions", func() bool {
		return b.granted(b.cookie("eve"), "storage", "eve").Permissions.Granted("write")
	})
	a.provider.grant("eve", "storage", nil)
	a.provider.changed("")
	b.eventually("the change of all permissions", func() bool {
		return len(b.granted(b.cookie("eve"), "storage", "eve").Permissions) == 0
	})
}

// S8: a look-up that began before a logout and ends after it brings nothing
// back, not for another gateway either.
func TestSlowLookupDoesNotOutliveALogout(t *testing.T) {
	t.Parallel()
	a, b := pair(t, testserver.SharedRedis(t).NewURL(t))
	release := a.store.hold()
	answers := a.asking(t.Context(), 1, a.cookie("ada"), "storage")
	a.eventually("the look-up is under way", func() bool { return a.store.held.Load() == 1 })
	a.store.end("s-ada")
	b.SessionEnded("s-ada")
	release()
	<-answers // which may still be the old one: the request was there first
	a.eventually("the logout is known", func() bool {
		_, err := a.Decide(t.Context(), a.cookie("ada"), "storage")
		return errors.Is(err, ErrEnded)
	})
	b.refused(b.cookie("ada"), "storage", ErrEnded)
}

// S40: what stands in Redis is checked for what it belongs to, even if a gateway
// has sealed it.
func TestWrongRecordsAreNotUsed(t *testing.T) {
	t.Parallel()
	a, _ := pair(t, testserver.SharedRedis(t).NewURL(t))
	bob, bobSession := a.store.users["bob"], a.store.sessions["s-bob"]
	adaSession := a.store.sessions["s-ada"]
	put := func(kind, place string, record any) {
		t.Helper()
		text, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		shared := a.memory.shared
		e := cache.Entry{Value: text, Names: []string{"session:x"}, FreshUntil: time.Now().Add(believed)}
		if err := shared.Set(t.Context(), shared.Turn(), kind, sha256.Sum256([]byte(place)), e); err != nil {
			t.Fatal(err)
		}
	}
	for name, record := range map[string]any{
		"of another session":                sessionRecord{"session s-bob", bobSession, bob},
		"of another session, said to be it": sessionRecord{"session s-ada", bobSession, bob},
		"of another user":                   sessionRecord{"session s-ada", adaSession, bob},
		"of nobody":                         sessionRecord{By: "session s-ada"},
		"no record":                         []int{1},
	} {
		put("session", "session s-ada", record)
		put("session", fmt.Sprintf("cookie %x", sha256.Sum256([]byte(a.cookie("ada").Value))), record)
		for _, c := range []Credential{a.sessionToken("ada"), a.cookie("ada")} {
			a.named("a record "+name).granted(c, "", "ada")
		}
		a.memory.stamps.WithdrawAll() // the near cache only
	}
	for name, record := range map[string]any{
		"of another user":     grantRecord{"bob", "storage", "", providers.Permissions{"admin": true}},
		"of another service":  grantRecord{"ada", "billing", "", providers.Permissions{"admin": true}},
		"of another provider": grantRecord{"ada", "storage", "other", providers.Permissions{"admin": true}},
	} {
		put("grants", `"ada" "storage" ""`, record)
		if a.granted(a.sessionToken("ada"), "storage", "ada").Permissions.Granted("admin") {
			t.Errorf("a record %s makes an admin", name)
		}
		a.memory.stamps.WithdrawAll()
	}
}

// A session that has ended by itself is over whatever Redis says.
func TestSharedSessionEndsInTime(t *testing.T) {
	t.Parallel()
	a, b := pair(t, testserver.SharedRedis(t).NewURL(t))
	a.store.change(func() {
		session := a.store.sessions["s-ada"]
		session.ExpiresAt = time.Now().Add(time.Hour)
		a.store.sessions[session.ID] = session
	})
	a.granted(a.cookie("ada"), "", "ada")
	b.offset.Store(int64(time.Hour))
	b.refused(b.cookie("ada"), "", ErrEnded)
}

// Ruling 2: an answer is as old as when it was found out, not as when it was
// read in Redis.
func TestAnswersFromRedisAreNoYounger(t *testing.T) {
	t.Parallel()
	a, b := pair(t, testserver.SharedRedis(t).NewURL(t))
	c := a.cookie("ada")
	began := time.Now()
	a.granted(c, "storage", "ada")
	stored := time.Now()
	time.Sleep(time.Second)
	b.granted(c, "storage", "ada")
	b.asks("both", 1, 1)
	e, found := b.recall(c.key(b.services["storage"]))
	if !found {
		t.Fatal("nothing is remembered")
	}
	until := time.Unix(0, e.freshUntil.Load())
	// Redis counts in milliseconds, by a clock of its own.
	if until.After(stored.Add(believed+time.Second/2)) || until.Before(began) {
		t.Errorf("fresh until %s after it was found out", until.Sub(began))
	}
}

// What would come back changed is not remembered, and providers that know by
// themselves are simply asked.
func TestWhatRedisDoesNotKeep(t *testing.T) {
	t.Parallel()
	near := func(c *Config) { c.Services[2].Near = true } // billing
	a, b := pair(t, testserver.SharedRedis(t).NewURL(t), near)
	for name, value := range map[string]any{"a great number": 1 << 60, "no UTF-8": "\xff", "no JSON": func() {}} {
		a.provider.grant("ada", "storage", providers.Permissions{"value": value})
		a.granted(a.cookie("ada"), "storage", "ada")
		a.forget()
		b.granted(b.cookie("ada"), "storage", "ada")
		b.asks(name, 0, 1)
		a.memory.stamps.WithdrawAll()
		b.memory.stamps.WithdrawAll()
	}
	a.granted(a.cookie("ada"), "billing", "ada")
	a.forget()
	b.granted(b.cookie("ada"), "billing", "ada")
	b.asks("a near provider", 0, 1)
}

// What the database tells of other gateways is forgotten here alone.
func TestForgetFromTheJournal(t *testing.T) {
	t.Parallel()
	a, b := pair(t, testserver.SharedRedis(t).NewURL(t))
	for name, forget := range map[string]func(){
		"the session": func() { b.memory.ForgetSession("s-ada") },
		"the user":    func() { b.memory.ForgetUser("ada") },
		"everything":  b.memory.ForgetAll,
	} {
		a.granted(a.cookie("ada"), "", "ada")
		b.granted(b.cookie("ada"), "", "ada")
		a.forget()
		forget()
		a.granted(a.cookie("ada"), "", "ada")
		a.asks(name+", at the other gateway", 0, 0)
		b.granted(b.cookie("ada"), "", "ada")
		b.asks(name, 1, 0)
	}
}

// Ruling 2: while other gateways' withdrawals do not arrive, nothing is used
// for longer than 5 s; and what was remembered before is dropped. S39: a Redis
// that hangs or is gone stops nobody.
func TestDecidingWithoutItsRedis(t *testing.T) {
	t.Parallel()
	server := testserver.Redis(t)
	w := build(t).share(server.URL())
	w.eventually("Redis is healthy", w.memory.shared.Healthy)
	lifetime := func() time.Duration {
		t.Helper()
		w.granted(w.cookie("ada"), "storage", "ada")
		e, found := w.recall(w.cookie("ada").key(w.services["storage"]))
		if !found {
			t.Fatal("nothing is remembered")
		}
		return time.Duration(e.freshUntil.Load() - e.madeAt)
	}
	if got := lifetime(); got != time.Minute {
		t.Errorf("with Redis an answer is fresh for %s", got)
	}
	before := w.memory.stamps.Turn()
	server.Stop()
	began := time.Now()
	w.granted(w.cookie("bob"), "storage", "bob")
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("deciding took %s", took)
	}
	w.eventually("everything is dropped", func() bool { return w.memory.stamps.Turn() > before })
	if got := lifetime(); got != freshAlone {
		t.Errorf("without Redis an answer is fresh for %s", got)
	}
	w.store.end("s-ada")
	began = time.Now()
	w.SessionEnded("s-ada")
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("a logout took %s", took)
	}
	w.refused(w.cookie("ada"), "storage", ErrEnded)
	server.Continue()
	w.eventually("Redis is healthy again", w.memory.shared.Healthy)
	w.refused(w.cookie("ada"), "storage", ErrEnded)
	w.granted(w.cookie("bob"), "storage", "bob")
}
