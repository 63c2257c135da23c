package cache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/testserver"
)

// S21: of all callers of all gateways exactly one is the first.
func TestAttemptIsTakenOnce(t *testing.T) {
	redisURL := testserver.SharedRedis(t).NewURL(t)
	gateways := []*gateway{joinWell(t, redisURL), joinWell(t, redisURL)}
	for round := range 20 {
		state := []byte{byte(round)}
		if err := gateways[0].PutAttempt(t.Context(), state, []byte("the verifier"), time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		var firsts, seconds atomic.Int64
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				value, first, err := gateways[i%2].TakeAttempt(t.Context(), state)
				switch {
				case err != nil || string(value) != "the verifier":
					t.Errorf("%q, %v", value, err)
				case first:
					firsts.Add(1)
				default:
					seconds.Add(1)
				}
			})
		}
		wg.Wait()
		if firsts.Load() != 1 || seconds.Load() != 19 {
			t.Fatalf("%d were the first and %d were not", firsts.Load(), seconds.Load())
		}
	}
}

func TestAttemptValues(t *testing.T) {
	g := joinWell(t, testserver.SharedRedis(t).NewURL(t))
	for i, value := range [][]byte{nil, {}, {0}, bytes.Repeat([]byte{0xff}, maxValue)} {
		state := []byte{byte(i)}
		if err := g.PutAttempt(t.Context(), state, value, time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if got, first, err := g.TakeAttempt(t.Context(), state); !bytes.Equal(got, value) || !first || err != nil {
			t.Errorf("value %d: %d bytes, %v, %v", i, len(got), first, err)
		}
	}
	if err := g.PutAttempt(t.Context(), []byte("long"), make([]byte, maxValue+1), time.Now().Add(time.Minute)); err == nil || errors.Is(err, ErrUnavailable) {
		t.Errorf("a value that is too long: %v", err)
	}
}

func TestUnknownAttempts(t *testing.T) {
	now := time.Now()
	g := joinWell(t, testserver.SharedRedis(t).NewURL(t), func(o *Options) { o.Now = func() time.Time { return now } })
	put := func(state string) {
		t.Helper()
		if err := g.PutAttempt(t.Context(), []byte(state), []byte("value"), now.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	unknown := func(state string) {
		t.Helper()
		if value, first, err := g.TakeAttempt(t.Context(), []byte(state)); !errors.Is(err, ErrUnknown) || errors.Is(err, ErrUnavailable) || first || value != nil {
			t.Errorf("%s: %q, %v, %v", state, value, first, err)
		}
	}
	unknown("never put")
	// Whoever asks before it is put must not spoil it.
	unknown("soon")
	put("soon")
	if _, first, err := g.TakeAttempt(t.Context(), []byte("soon")); !first || err != nil {
		t.Errorf("soon: %v, %v", first, err)
	}
	// It is kept for a while after its end, but not for ever, used or not.
	put("late")
	for _, first := range []bool{true, false, false} {
		if left := g.client.PTTL(t.Context(), g.attempt([]byte("late"))).Val(); left < 10*time.Minute || left > 11*time.Minute {
			t.Errorf("it is kept for %s; want 11 minutes", left)
		}
		if value, got, err := g.TakeAttempt(t.Context(), []byte("late")); string(value) != "value" || got != first || err != nil {
			t.Errorf("late: %q, %v, %v", value, got, err)
		}
	}
	// Lost, as in a Redis that evicts or is emptied, it is nobody's, used or not.
	put("lost")
	for _, state := range []string{"lost", "late"} {
		g.set(t, state, "")
		unknown(state)
	}
	// An entry is no attempt.
	g.remember(t, 1, "value", "user:1")
	g.set(t, "entry", g.client.Get(t.Context(), g.Shared.place("test", key(1))).Val())
	unknown("entry")
}

// set writes into Redis what stands for an attempt, as somebody does who has no
// session key; "" removes it.
func (g *gateway) set(t *testing.T, state, text string) {
	t.Helper()
	err := g.client.Del(t.Context(), g.attempt([]byte(state))).Err()
	if err == nil && text != "" {
		err = g.client.Set(t.Context(), g.attempt([]byte(state)), text, time.Minute).Err()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// S40: who can write to Redis makes no attempt fresh again that has been used,
// and none of another's.
func TestForgedAttempts(t *testing.T) {
	g := joinWell(t, testserver.SharedRedis(t).NewURL(t))
	foreign := joinWell(t, testserver.SharedRedis(t).NewURL(t), func(o *Options) {
		o.Prefix, o.Secrets = g.Prefix, [][]byte{[]byte("the secret of other gateways")}
	})
	ctx := t.Context()
	stands := func(g *gateway, state string) string { return g.client.Get(ctx, g.attempt([]byte(state))).Val() }
	put := func(g *gateway, state string) string {
		t.Helper()
		if err := g.PutAttempt(ctx, []byte(state), []byte("of "+state), time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		return stands(g, state)
	}
	take := func(state string) bool {
		t.Helper()
		_, first, err := g.TakeAttempt(ctx, []byte(state))
		if err != nil && !errors.Is(err, ErrUnknown) {
			t.Fatal(err)
		}
		return first
	}
	fresh := put(g, "used")
	if !take("used") {
		t.Fatal("the first is not the first")
	}
	used := stands(g, "used")
	if used == fresh || used == "" {
		t.Fatal("the value is still there, or no mark of its use")
	}
	place := g.attempt([]byte("used"))
	for name, forge := range map[string]func(){
		// Earlier versions removed a key when an attempt was taken.
		"a ticket":                 func() { g.client.Set(ctx, place+":ticket", 1, time.Minute) },
		"a ticket with a tag":      func() { g.client.Set(ctx, "{"+place+"}:ticket", 1, time.Minute) },
		"more time":                func() { g.client.Persist(ctx, place) },
		"another attempt's value":  func() { g.set(t, "used", put(g, "another")) },
		"the use of another":       func() { g.set(t, "used", put(g, "other")); take("other"); g.set(t, "used", stands(g, "other")) },
		"an entry of other keys":   func() { g.set(t, "used", put(foreign, "used")) },
		"the plain value":          func() { g.set(t, "used", "of used") },
		"a bit of the mark":        func() { g.set(t, "used", string([]byte{used[0] ^ 1})+used[1:]) },
		"the mark, cut":            func() { g.set(t, "used", used[:len(used)-1]) },
		"the mark's head on value": func() { g.set(t, "used", used[:12]+fresh[12:]) },
		"nothing":                  func() { g.set(t, "used", "") },
		"something long":           func() { g.set(t, "used", fresh+string(make([]byte, 2*maxSealed))) },
	} {
		g.set(t, "used", used)
		forge()
		for range 2 {
			if take("used") {
				t.Errorf("%s makes it fresh again", name)
			}
		}
	}
	g.set(t, "used", used)
	if value, first, err := g.TakeAttempt(ctx, []byte("used")); string(value) != "of used" || first || err != nil {
		t.Errorf("used: %q, %v, %v", value, first, err)
	}
	// A mark of use cannot use up another attempt unseen: it is unknown then.
	put(g, "mine")
	g.set(t, "mine", used)
	if value, first, err := g.TakeAttempt(ctx, []byte("mine")); !errors.Is(err, ErrUnknown) || first || value != nil {
		t.Errorf("with another's mark: %q, %v, %v", value, first, err)
	}
}

// S21: who has read the fresh value is too late when another was faster, or the
// attempt was lost meanwhile; he brings nothing back.
func TestAttemptThatIsTakenMeanwhile(t *testing.T) {
	g := joinWell(t, testserver.SharedRedis(t).NewURL(t))
	for i, change := range []func(place string) error{
		func(place string) error { return g.client.Set(t.Context(), place, "used", time.Minute).Err() },
		func(place string) error { return g.client.Del(t.Context(), place).Err() },
	} {
		state := []byte{byte(i)}
		if err := g.PutAttempt(t.Context(), state, []byte("value"), time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		place := g.attempt(state)
		fresh := g.client.Get(t.Context(), place).Val()
		if err := change(place); err != nil {
			t.Fatal(err)
		}
		there := g.client.Get(t.Context(), place).Val()
		taken, err := g.client.Eval(t.Context(), takeAttempt, []string{place}, fresh, "mark").Int()
		if taken != 0 || err != nil || g.client.Get(t.Context(), place).Val() != there {
			t.Errorf("%d: taken %d, %v", i, taken, err)
		}
	}
}

// S21: Redis may have done what it answers too late. The caller is told that
// nobody can tell, for a take too: then there is no first any more.
func TestAttemptWithALateAnswer(t *testing.T) {
	server := testserver.SharedRedis(t)
	redisURL := server.NewURL(t)
	proxy := testserver.NewProxy(t, server.Address)
	slow, well := joinWell(t, testserver.Through(redisURL, proxy.Address)), joinWell(t, redisURL)
	stands := func(state string) string { return well.client.Get(t.Context(), well.attempt([]byte(state))).Val() }
	// late does something that Redis hears of and answers too late, unless there
	// was no connection to tell it over.
	late := func(what string, do func(state string) error, done func(state string) bool) (state string) {
		t.Helper()
		for try := range 20 {
			state = fmt.Sprintf("%s %d", what, try)
			slow.becomesHealthy(t)
			proxy.Latency(200 * time.Millisecond) // each way
			err := do(state)
			if !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrUnknown) {
				t.Errorf("%s: %v", what, err)
			}
			for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
				if done(state) {
					proxy.Heal()
					return state
				}
			}
			proxy.Heal()
		}
		t.Fatalf("%s: it is never done", what)
		return ""
	}
	put := late("put", func(state string) error {
		return slow.PutAttempt(t.Context(), []byte(state), []byte("value"), time.Now().Add(time.Minute))
	}, func(state string) bool { return stands(state) != "" })
	if _, first, err := well.TakeAttempt(t.Context(), []byte(put)); !first || err != nil {
		t.Errorf("what was kept: %v, %v", first, err)
	}
	var fresh string
	taken := late("take", func(state string) error {
		eventually(t, "there is one to take", func() bool {
			return well.PutAttempt(t.Context(), []byte(state), []byte("value"), time.Now().Add(time.Minute)) == nil
		})
		fresh = stands(state)
		// As TakeAttempt does when it has read.
		return slow.do(t.Context(), "attempt", func(ctx context.Context) error {
			used, err := slow.sealer.seal(slow.attempt([]byte(state))+usedAttempt, []byte("value"))
			if err != nil {
				t.Fatal(err)
			}
			return slow.client.Eval(ctx, takeAttempt, []string{slow.attempt([]byte(state))}, fresh, used).Err()
		})
	}, func(state string) bool { return stands(state) != fresh })
	if value, first, err := well.TakeAttempt(t.Context(), []byte(taken)); string(value) != "value" || first || err != nil {
		t.Errorf("what was taken: %q, %v, %v", value, first, err)
	}
}

// While Redis is away the caller is told, to go to the database.
func TestAttemptsWithoutRedis(t *testing.T) {
	server := testserver.Redis(t)
	g := joinWell(t, server.URL())
	server.Kill()
	for range 5 {
		if err := g.PutAttempt(t.Context(), []byte("state"), []byte("value"), time.Now()); !errors.Is(err, ErrUnavailable) {
			t.Errorf("putting: %v", err)
		}
		if _, first, err := g.TakeAttempt(t.Context(), []byte("state")); !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrUnknown) || first {
			t.Errorf("taking: %v, %v", first, err)
		}
	}
}
