package cache

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

// item is a value that says itself how long it lives.
type item struct {
	text string
	live time.Duration
}

func newNear(t testing.TB, size int) *Near[item] {
	t.Helper()
	n, err := NewNear(size, func(i item) time.Duration { return i.live })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
}

func key(i int) Key {
	return sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
}

// count is how many entries there really are once evictions have been done.
func count[V any](n *Near[V]) int {
	n.entries.CleanUp()
	found := 0
	for range n.entries.All() {
		found++
	}
	return found
}

func TestNearReplacesAndDeletes(t *testing.T) {
	n := newNear(t, 10)
	if got, found := n.Get(key(1)); found || got != (item{}) {
		t.Errorf("empty cache has %v", got)
	}
	n.Set(key(1), item{"one", time.Hour})
	n.Set(key(2), item{"two", time.Hour})
	n.Set(key(1), item{"uno", time.Hour})
	if got, found := n.Get(key(1)); !found || got.text != "uno" {
		t.Errorf("replaced entry is %v, %v", got, found)
	}
	n.Delete(key(1))
	n.Delete(key(3))
	if _, found := n.Get(key(1)); found {
		t.Error("a deleted entry is there")
	}
	if got, found := n.Get(key(2)); !found || got.text != "two" {
		t.Errorf("the other entry is %v, %v", got, found)
	}
}

// A10, D: whatever a flooder sends, memory is bounded.
func TestNearIsBounded(t *testing.T) {
	const size = 100
	n := newNear(t, size)
	for i := range 50 * size {
		n.Set(key(i), item{"x", time.Hour})
	}
	got := count(n)
	if got > size {
		t.Errorf("%d entries in a cache of %d", got, size)
	}
	if got < size/2 {
		t.Errorf("only %d entries in a cache of %d", got, size)
	}
	if n.Len() != got {
		t.Errorf("%d entries, but %d are held", got, n.Len())
	}
}

// A10, D: a flood of made-up credentials, each of which is remembered for a
// moment, must not push out what is asked for all the time.
func TestNearKeepsWhatIsUsed(t *testing.T) {
	const size, used = 1000, 100
	n := newNear(t, size)
	for range 10 {
		for i := range used {
			n.Set(key(i), item{"used", time.Hour})
			n.Get(key(i))
		}
		n.entries.CleanUp() // takes note of the reads
	}
	for i := range 20 * size {
		n.Set(key(used+i), item{"flood", time.Hour})
	}
	n.entries.CleanUp()
	kept := 0
	for i := range used {
		if _, found := n.Get(key(i)); found {
			kept++
		}
	}
	if kept < used*9/10 {
		t.Errorf("%d of %d used entries have survived the flood", kept, used)
	}
}

func TestNearExpiryIsTheEntrys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNear(t, 10)
		n.Set(key(1), item{"short", 5 * time.Second})
		n.Set(key(2), item{"long", time.Minute})
		n.Set(key(3), item{"short, then long", 5 * time.Second})
		n.Set(key(3), item{"short, then long", time.Minute})
		n.Set(key(4), item{"long, then short", time.Minute})
		n.Set(key(4), item{"long, then short", 5 * time.Second})
		there := func(want ...int) {
			t.Helper()
			for _, i := range want {
				if got, found := n.Get(key(max(i, -i))); found != (i > 0) {
					t.Errorf("entry %d is there: %v (%v)", max(i, -i), found, got)
				}
			}
		}
		there(1, 2, 3, 4)
		time.Sleep(5*time.Second - 1)
		there(1, 2, 3, 4)
		time.Sleep(time.Nanosecond)
		there(-1, 2, 3, -4)
		// To be read does not make an entry live longer.
		time.Sleep(55*time.Second - 1)
		there(2, 3)
		time.Sleep(time.Nanosecond)
		there(-1, -2, -3, -4)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := n.Len(); got != 0 {
			t.Errorf("%d expired entries are still held", got)
		}
	})
}

// What is over before it begins must not stay for ever, nor leave in place what
// it was to replace.
func TestNearKeepsNothingWithoutLifetime(t *testing.T) {
	for _, live := range []time.Duration{0, -1, -time.Hour} {
		n := newNear(t, 10)
		n.Set(key(1), item{"fresh", time.Hour})
		n.Set(key(1), item{"over", live})
		n.Set(key(2), item{"over", live})
		if got := count(n); got != 0 {
			t.Errorf("lifetime %s: %d entries are held", live, got)
		}
	}
}

func TestNewNearRefusesNoSize(t *testing.T) {
	// Zero would mean "without bounds" to the library.
	for _, size := range []int{0, -1} {
		n, err := NewNear(size, func(item) time.Duration { return time.Hour })
		if err == nil || !strings.Contains(err.Error(), "expected at least 1") {
			t.Errorf("size %d: %v, %v", size, n, err)
		}
	}
}

func TestNearCloseEndsItsGoroutines(t *testing.T) {
	others := goleak.IgnoreCurrent()
	n, err := NewNear(10, func(item) time.Duration { return time.Hour })
	if err != nil {
		t.Fatal(err)
	}
	if goleak.Find(others) == nil {
		t.Fatal("there is no goroutine to end: this test tests nothing")
	}
	n.Close()
	n.Close()
	if err := goleak.Find(others); err != nil {
		t.Error(err)
	}
	// Requests of an old configuration may still come.
	n.Set(key(1), item{"late", time.Hour})
	if _, found := n.Get(key(1)); !found {
		t.Error("a closed cache forgets")
	}
}

func BenchmarkNearGet(b *testing.B) {
	const entries = 1 << 10
	n := newNear(b, 2*entries)
	var keys [entries]Key
	for i := range keys {
		keys[i] = key(i)
		n.Set(keys[i], item{"x", time.Hour})
	}
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, found := n.Get(keys[i%entries]); !found {
				b.Fatal("not found")
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				if _, found := n.Get(keys[i%entries]); !found {
					b.Error("not found")
					return
				}
			}
		})
	})
}

func BenchmarkNearSet(b *testing.B) {
	n := newNear(b, 1<<10)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		n.Set(key(i), item{"x", time.Hour})
	}
}
