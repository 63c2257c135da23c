package cache

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// now stamps an entry that has been read just now.
func (s *Stamps) now(first, second string) Stamp { return s.Stamp(s.Turn(), first, second) }

func TestWithdrawEndsWhatBelongsToTheName(t *testing.T) {
	for _, c := range []struct {
		name     string
		withdraw func(*Stamps)
	}{
		{"the first name", func(s *Stamps) { s.Withdraw("session:1") }},
		{"the second name", func(s *Stamps) { s.Withdraw("user:1") }},
		{"everything", func(s *Stamps) { s.WithdrawAll() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := NewStamps()
			old := s.now("session:1", "user:1")
			if !s.Current(old) {
				t.Fatal("dead from the start")
			}
			c.withdraw(s)
			if s.Current(old) {
				t.Error("still current")
			}
			fresh := s.now("session:1", "user:1")
			if !s.Current(fresh) {
				t.Error("what is read afterwards is dead too")
			}
			c.withdraw(s)
			if s.Current(fresh) || s.Current(old) {
				t.Error("current after the second withdrawal")
			}
		})
	}
}

// Names share slots, so a withdrawal may hit others: but hardly any.
func TestWithdrawLeavesOthers(t *testing.T) {
	const others = 10_000
	s := NewStamps()
	stamps := make([]Stamp, others)
	for i := range stamps {
		stamps[i] = s.now(fmt.Sprint("session:", i), fmt.Sprint("user:", i))
	}
	s.Withdraw("session:somebody else's")
	dead := 0
	for _, stamp := range stamps {
		if !s.Current(stamp) {
			dead++
		}
	}
	// 2 x 10,000 / 16,384 = 1.2 are to be expected; 20 in no run ever.
	if dead > 20 {
		t.Errorf("one withdrawal has ended %d of %d others", dead, others)
	}
	seen := make(map[uint32]bool)
	for _, stamp := range stamps {
		seen[stamp.first] = true
	}
	// Of 16,384 slots, 10,000 names take 7,500 if they are spread evenly.
	if len(seen) < 7000 {
		t.Errorf("%d names share %d slots", others, len(seen))
	}
}

func TestTurnCountsWithdrawals(t *testing.T) {
	s := NewStamps()
	if s.Turn() != 0 {
		t.Errorf("turn %d at the start", s.Turn())
	}
	s.Withdraw("a")
	s.Withdraw("a")
	s.WithdrawAll()
	if s.Turn() != 3 {
		t.Errorf("turn %d after three withdrawals", s.Turn())
	}
}

// S8: a look-up that begins before a logout and ends after it brings back the
// session as it was. It is stamped late, and must be dead all the same.
func TestStampOfALateReaderIsDead(t *testing.T) {
	for name, withdraw := range map[string]func(*Stamps){
		"by name":    func(s *Stamps) { s.Withdraw("session:1") },
		"everything": func(s *Stamps) { s.WithdrawAll() },
	} {
		s := NewStamps()
		turn := s.Turn()
		withdraw(s)
		if s.Current(s.Stamp(turn, "session:1", "user:1")) {
			t.Errorf("%s: data from before the withdrawal count as current", name)
		}
		if name == "by name" && !s.Current(s.Stamp(turn, "session:2", "user:2")) && s.slot("session:2") != s.slot("session:1") && s.slot("user:2") != s.slot("session:1") {
			t.Error("and so do a bystander's")
		}
	}
}

// S8: whatever the order in which goroutines get on, an entry whose data were
// read before the source changed is dead once Withdraw has returned.
func TestStampsRace(t *testing.T) {
	const writers, readers, rounds = 4, 4, 5000
	s := NewStamps()
	// version is the truth; a writer changes it and then withdraws. settled is a
	// version whose withdrawal is known to be over.
	var version, settled atomic.Int64
	var writing, reading sync.WaitGroup
	var done atomic.Bool
	for range writers {
		writing.Go(func() {
			for i := range rounds {
				mine := version.Add(1)
				if i%100 == 0 {
					s.WithdrawAll()
				} else {
					s.Withdraw("user:1")
				}
				for old := settled.Load(); old < mine && !settled.CompareAndSwap(old, mine); old = settled.Load() {
					continue
				}
			}
		})
	}
	for range readers {
		reading.Go(func() {
			for !done.Load() {
				turn := s.Turn()
				read := version.Load()
				stamp := s.Stamp(turn, "session:1", "user:1")
				over := settled.Load()
				if current := s.Current(stamp); current && read < over {
					t.Errorf("an entry of version %d is current although version %d has been withdrawn for", read, over)
					return
				}
			}
		})
	}
	writing.Wait()
	done.Store(true)
	reading.Wait()
	if got := s.Turn(); got != writers*rounds {
		t.Errorf("turn %d after %d withdrawals", got, writers*rounds)
	}
	if !s.Current(s.now("session:1", "user:1")) {
		t.Error("nothing is current any more")
	}
}

// Of two withdrawals the later one may be set first.
func TestRaiseNeverLowers(t *testing.T) {
	var slot atomic.Uint64
	for _, turn := range []uint64{5, 3, 5, 6, 1} {
		raise(&slot, turn)
	}
	if slot.Load() != 6 {
		t.Errorf("the slot has %d", slot.Load())
	}
}

// S8: two logouts at the same moment. The one that is counted first may be
// written down last, and must not undo the other.
func TestWithdrawalsAtTheSameTime(t *testing.T) {
	const rounds = 50_000
	for name, withdraw := range map[string]func(*Stamps){
		"by name":    func(s *Stamps) { s.Withdraw("user:1") },
		"everything": func(s *Stamps) { s.WithdrawAll() },
	} {
		s := NewStamps()
		var begun, ended atomic.Int64
		go func() {
			for round := range int64(rounds) {
				for begun.Load() <= round {
					runtime.Gosched()
				}
				withdraw(s)
				ended.Store(round + 1)
			}
		}()
		lost := 0
		for round := range int64(rounds) {
			begun.Store(round + 1)
			withdraw(s)
			for ended.Load() <= round {
				runtime.Gosched()
			}
			if s.Current(s.Stamp(s.Turn()-1, "session:1", "user:1")) {
				lost++
			}
		}
		if lost > 0 {
			t.Errorf("%s: %d of %d last withdrawals lost", name, lost, rounds)
		}
	}
}

func BenchmarkStampsCurrent(b *testing.B) {
	const entries = 1 << 10
	s := NewStamps()
	var stamps [entries]Stamp
	for i := range stamps {
		stamps[i] = s.now(fmt.Sprint("session:", i), fmt.Sprint("user:", i))
	}
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if !s.Current(stamps[i%entries]) {
				b.Fatal("dead")
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				if !s.Current(stamps[i%entries]) {
					b.Error("dead")
					return
				}
			}
		})
	})
}

func BenchmarkStampsWithdraw(b *testing.B) {
	s := NewStamps()
	b.ReportAllocs()
	for b.Loop() {
		s.Withdraw("session:1")
	}
}
