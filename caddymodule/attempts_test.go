package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/authn"
	"github.com/datahq/auth-gateway/internal/cache"
	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/internal/testserver"
	"github.com/datahq/auth-gateway/providers"
)

// attemptWorld is what gateways keep sign-ins in, each with a network of its own
// to Redis.
type attemptWorld struct {
	redis    *testserver.RedisServer
	gateways []attemptStore
	networks []*testserver.Proxy
}

func newAttemptWorld(t *testing.T, n int) *attemptWorld {
	t.Helper()
	w := &attemptWorld{redis: testserver.Redis(t)}
	dsn, err := store.ParseDSN("sqlite://" + filepath.Join(t.TempDir(), "auth.db"))
	if err != nil {
		t.Fatal(err)
	}
	database, err := store.Open(t.Context(), dsn, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = database.Close() })
	for range n {
		network := testserver.NewProxy(t, w.redis.Address)
		address, err := cache.ParseURL(testserver.Through(w.redis.URL(), network.Address))
		if err != nil {
			t.Fatal(err)
		}
		shared, err := cache.OpenShared(address, cache.Options{Secrets: [][]byte{[]byte("the session key of a test")}, Logger: zap.NewNop()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = shared.Close() })
		w.networks = append(w.networks, network)
		w.gateways = append(w.gateways, attemptStore{observedStore{Store: database, metrics: metrics}, shared})
	}
	w.heal(t)
	return w
}

// heal ends all faults, and waits until the gateways know.
func (w *attemptWorld) heal(t *testing.T) {
	t.Helper()
	for i, network := range w.networks {
		network.Heal()
		for deadline := time.Now().Add(30 * time.Second); !w.gateways[i].shared.Healthy(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("gateway %d does not find Redis", i)
			}
		}
	}
}

// cut takes Redis away from a gateway and waits until it knows.
func (w *attemptWorld) cut(t *testing.T, at int) {
	t.Helper()
	w.networks[at].Refuse()
	for deadline := time.Now().Add(30 * time.Second); w.gateways[at].shared.Healthy(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("gateway %d still finds Redis", at)
		}
	}
}

// put keeps an attempt at a gateway in the first place that does not fail, as
// authn does, and says where.
func (w *attemptWorld) put(t *testing.T, at int, key string) authn.Place {
	t.Helper()
	for _, place := range w.gateways[at].AttemptPlaces() {
		if w.gateways[at].PutAttempt(t.Context(), place, []byte{byte(place), key[0]}, []byte(key), time.Now().Add(time.Minute)) == nil {
			return place
		}
	}
	t.Fatal("no place keeps it")
	return 0
}

// take says how a take ended: "first", "used", "unknown" or "unavailable".
func (w *attemptWorld) take(ctx context.Context, at int, place authn.Place, key string) string {
	value, first, err := w.gateways[at].TakeAttempt(ctx, place, []byte{byte(place), key[0]})
	switch {
	case errors.Is(err, providers.ErrNotFound) && !errors.Is(err, providers.ErrUnavailable) && !first && value == nil:
		return "unknown"
	case errors.Is(err, providers.ErrUnavailable) && !errors.Is(err, providers.ErrNotFound) && !first && value == nil:
		return "unavailable"
	case err == nil && string(value) == key && first:
		return "first"
	case err == nil && string(value) == key:
		return "used"
	}
	return fmt.Sprintf("%q, %v, %v", value, first, err)
}

func (w *attemptWorld) wants(t *testing.T, at int, place authn.Place, key, want string) {
	t.Helper()
	if got := w.take(t.Context(), at, place, key); got != want {
		t.Errorf("at gateway %d, in %c: %s, want %s", at, place, got, want)
	}
}

// Sign-ins begin in Redis if it can be used, and in the database otherwise.
func TestAttemptPlaces(t *testing.T) {
	w := newAttemptWorld(t, 2)
	alone := attemptStore{w.gateways[0].observedStore, nil}
	w.cut(t, 1)
	for i, test := range []struct {
		store attemptStore
		want  []authn.Place
	}{{w.gateways[0], []authn.Place{'r', 'd'}}, {w.gateways[1], []authn.Place{'d'}}, {alone, []authn.Place{'d'}}} {
		if got := test.store.AttemptPlaces(); !slices.Equal(got, test.want) {
			t.Errorf("%d: %q, want %q", i, got, test.want)
		}
	}
	// What a gateway without Redis keeps is found by all.
	if place := w.put(t, 1, "a"); place != inDatabase {
		t.Fatalf("it is in %c", place)
	}
	w.wants(t, 0, inDatabase, "a", "first")
	w.wants(t, 1, inDatabase, "a", "used")
	// There are no other places, and none where there is no Redis.
	for _, place := range []authn.Place{'x', 0, inRedis} {
		if err := alone.PutAttempt(t.Context(), place, []byte("key"), nil, time.Now()); err == nil {
			t.Errorf("%q keeps an attempt", place)
		}
		if value, first, err := alone.TakeAttempt(t.Context(), place, []byte("key")); !errors.Is(err, providers.ErrNotFound) || first || value != nil {
			t.Errorf("%q: %q, %v, %v", place, value, first, err)
		}
	}
}

// S21, S39: what is in Redis is taken from there alone. Who cannot ask Redis
// says so, and does not look into the database, whatever is there.
func TestAttemptIsTakenWhereItIs(t *testing.T) {
	w := newAttemptWorld(t, 2)
	if place := w.put(t, 0, "a"); place != inRedis {
		t.Fatalf("it is in %c", place)
	}
	if err := w.gateways[0].observedStore.PutAttempt(t.Context(), []byte{byte(inRedis), 'a'}, []byte("a"), time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	w.cut(t, 0)
	w.wants(t, 0, inRedis, "a", "unavailable")
	w.heal(t)
	w.wants(t, 1, inRedis, "a", "first")
	w.wants(t, 0, inRedis, "a", "used")
	w.redis.Flush()
	w.wants(t, 0, inRedis, "a", "unknown")
	w.wants(t, 1, inRedis, "a", "unknown")
}

// S21: Redis kept a sign-in and was too late to say so, and it went to the
// database. It is taken once, by whomever, whatever becomes of Redis.
func TestAttemptAfterALateAnswer(t *testing.T) {
	for name, finish := range map[string]func(t *testing.T, w *attemptWorld, key string){
		"cut, then healed": func(t *testing.T, w *attemptWorld, key string) {
			w.cut(t, 0)
			w.wants(t, 0, inDatabase, key, "first")
			w.heal(t)
			w.wants(t, 1, inDatabase, key, "used")
		},
		"flushed in between": func(t *testing.T, w *attemptWorld, key string) {
			w.wants(t, 1, inDatabase, key, "first")
			w.redis.Flush()
			w.wants(t, 0, inDatabase, key, "used")
		},
		"at the same moment": func(t *testing.T, w *attemptWorld, key string) {
			w.networks[0].Refuse()
			w.onlyOneIsFirst(t, inDatabase, key)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newAttemptWorld(t, 2)
			for try := range 20 {
				if key := string(rune('a' + try)); w.late(t, key) {
					finish(t, w, key)
					return
				}
			}
			t.Fatal("Redis is never just too late")
		})
	}
}

// late puts an attempt while Redis is so slow that it keeps it and answers too
// late. False means that it did not come to that.
func (w *attemptWorld) late(t *testing.T, key string) bool {
	t.Helper()
	w.redis.Flush()
	w.networks[0].Latency(200 * time.Millisecond) // each way
	place := w.put(t, 0, key)
	kept := func() bool {
		keys := fmt.Sprint(w.redis.Do(t, "KEYS", "*"))
		return strings.Contains(keys, ":attempt:")
	}
	for deadline := time.Now().Add(time.Second); !kept() && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	late := place == inDatabase && kept()
	w.heal(t)
	return late
}

// onlyOneIsFirst takes an attempt many times at once, at all gateways.
func (w *attemptWorld) onlyOneIsFirst(t *testing.T, place authn.Place, key string) {
	t.Helper()
	var firsts, used atomic.Int64
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			switch got := w.take(t.Context(), i%len(w.gateways), place, key); got {
			case "first":
				firsts.Add(1)
			case "used":
				used.Add(1)
			default:
				t.Error(got)
			}
		})
	}
	wg.Wait()
	if firsts.Load() != 1 || used.Load() != 19 {
		t.Errorf("%d were the first and %d were not", firsts.Load(), used.Load())
	}
}

// S21: of all callers of all gateways one is the first, in Redis and in the
// database.
func TestAttemptIsTakenByOne(t *testing.T) {
	w := newAttemptWorld(t, 3)
	for _, key := range []string{"a", "b", "c"} {
		w.onlyOneIsFirst(t, w.put(t, 0, key), key)
	}
	w.cut(t, 1)
	w.onlyOneIsFirst(t, w.put(t, 1, "d"), "d")
}
