package cache

import (
	"bytes"
	"errors"
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
	// It is kept for a while after its end, but not for ever.
	put("late")
	place, ticket := g.attempt([]byte("late"))
	for _, name := range []string{place, ticket} {
		if left := g.client.PTTL(t.Context(), name).Val(); left < 10*time.Minute || left > 11*time.Minute {
			t.Errorf("it is kept for %s; want 11 minutes", left)
		}
	}
	// S40: another attempt's value in its place is none.
	put("one")
	other, _ := g.attempt([]byte("soon"))
	one, _ := g.attempt([]byte("one"))
	if err := g.client.Set(t.Context(), one, g.client.Get(t.Context(), other).Val(), time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	unknown("one")
	// One that has lost its ticket, as in a Redis that evicts, is nobody's.
	if err := g.client.Del(t.Context(), ticket).Err(); err != nil {
		t.Fatal(err)
	}
	if value, first, err := g.TakeAttempt(t.Context(), []byte("late")); string(value) != "value" || first || err != nil {
		t.Errorf("without its ticket: %q, %v, %v", value, first, err)
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
