package fakeidp

import (
	"strconv"
	"testing"
	"time"
)

// TestGrantsAreBounded: somebody who only ever begins sign-ins fills no memory.
func TestGrantsAreBounded(t *testing.T) {
	now := time.Unix(1000, 0)
	g := newGrants(time.Minute, 3)
	for i := range 100 {
		g.put(strconv.Itoa(i), grant{}, now)
	}
	if g.len() != 3 || g.order.Len() != 3 {
		t.Errorf("%d grants and %d places, want 3", g.len(), g.order.Len())
	}
	if _, ok := g.take("96", now); ok {
		t.Error("the oldest was kept")
	}
	if _, ok := g.take("99", now); !ok {
		t.Error("the newest was dropped")
	}
	g.put("later", grant{}, now.Add(time.Minute))
	if g.len() != 1 {
		t.Errorf("%d grants, want the dead ones gone", g.len())
	}
}

func TestGrantsTakenLeaveNothing(t *testing.T) {
	now := time.Unix(1000, 0)
	g := newGrants(time.Minute, 3)
	for i := range 100 {
		key := strconv.Itoa(i)
		g.put(key, grant{sid: key}, now)
		if held, ok := g.get(key, now); !ok || held.sid != key {
			t.Fatalf("get %s: %v %v", key, held, ok)
		}
		if held, ok := g.take(key, now); !ok || held.sid != key {
			t.Fatalf("take %s: %v %v", key, held, ok)
		}
		if _, ok := g.take(key, now); ok {
			t.Fatalf("%s taken twice", key)
		}
	}
	if g.len() != 0 || g.order.Len() != 0 {
		t.Errorf("%d grants and %d places left", g.len(), g.order.Len())
	}
}
