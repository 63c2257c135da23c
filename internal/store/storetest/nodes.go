package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/providers"
)

func node(id string) store.Node {
	return store.Node{ID: id, Name: "host-" + id, SigningKeys: []string{id + "1", id + "2"}, SessionKeys: []string{"k"}, Address: "https://app.example.com"}
}

// wantOthers demands whom a node sees.
func wantOthers(t *testing.T, s Store, n store.Node, ttl time.Duration, want ...store.Node) {
	t.Helper()
	others, err := s.Announce(t.Context(), n, ttl)
	same := slices.EqualFunc(others, want, func(a, b store.Node) bool { return fmt.Sprintf("%q", a) == fmt.Sprintf("%q", b) })
	if err != nil || !same {
		t.Errorf("%s sees %+v, %v; want %+v", n.ID, others, err, want)
	}
}

var nodeTests = []test{
	{"gateways see the others that live", func(t *testing.T, s Store) {
		a, b, c := node("a"), node("b"), node("c")
		wantOthers(t, s, a, time.Minute)
		wantOthers(t, s, b, time.Minute, a)
		a.SigningKeys, a.SessionKeys, a.Address = []string{"new", "a1"}, nil, "https://"+strings.Repeat("long.", 60)+"example.com:65535"
		wantOthers(t, s, a, time.Minute, b)
		wantOthers(t, s, c, time.Minute, a, b)
		if err := s.Leave(t.Context(), "b"); err != nil {
			t.Error(err)
		}
		if err := s.Leave(t.Context(), "b"); err != nil {
			t.Errorf("leaving again: %v", err)
		}
		wantOthers(t, s, c, time.Minute, a)
	}},
	{"a gateway of which nothing is heard is dead", func(t *testing.T, s Store) {
		wantOthers(t, s, node("a"), time.Minute)
		time.Sleep(20 * time.Millisecond)
		wantOthers(t, s, node("b"), 10*time.Millisecond)
		wantOthers(t, s, node("c"), time.Hour, node("a"), node("b"))
		wantOthers(t, s, node("a"), time.Hour, node("b"), node("c"))
	}},
	{"of gateways that start together each sees those before it", func(t *testing.T, s Store) {
		var (
			mu     sync.Mutex
			counts []int
		)
		together(func(i int) {
			others, err := s.Announce(t.Context(), node(fmt.Sprint(i)), time.Minute)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			counts = append(counts, len(others))
		})
		slices.Sort(counts)
		for i, n := range counts {
			if n != i {
				t.Fatalf("they saw %v others, want 0, 1, 2 and so on", counts)
			}
		}
	}},
	{"a node without an ID is refused", func(t *testing.T, s Store) {
		if _, err := s.Announce(t.Context(), store.Node{}, time.Minute); !errors.Is(err, providers.ErrUnavailable) {
			t.Error(err)
		}
	}},
}
