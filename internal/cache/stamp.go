package cache

import (
	"hash/maphash"
	"sync/atomic"
)

// stampSlots is how many counters stand for all names. Two names that share
// one only cost each other a reload.
const stampSlots = 1 << 14

// Stamps withdraw cache entries by what they belong to, without knowing which
// entries those are: every entry carries the stamps of its session and its
// user as they were when it was made, and is dead as soon as one has moved on.
// Memory is constant, and looking costs two loads of memory that hardly ever
// changes.
type Stamps struct {
	seed  maphash.Seed
	turn  atomic.Uint64
	all   atomic.Uint32
	slots [stampSlots]atomic.Uint32
}

// NewStamps makes a set in which everything is current.
func NewStamps() *Stamps { return &Stamps{seed: maphash.MakeSeed()} }

// Stamp is the state of two names at one moment.
type Stamp struct {
	all, first, second    uint32
	firstSlot, secondSlot uint32
}

// Take stamps an entry that belongs to two names.
func (s *Stamps) Take(first, second string) Stamp {
	a, b := s.slot(first), s.slot(second)
	return Stamp{
		all: s.all.Load(), firstSlot: a, secondSlot: b,
		first: s.slots[a].Load(), second: s.slots[b].Load(),
	}
}

// Current reports whether neither name has been withdrawn since.
func (s *Stamps) Current(stamp Stamp) bool {
	return s.slots[stamp.firstSlot].Load() == stamp.first &&
		s.slots[stamp.secondSlot].Load() == stamp.second &&
		s.all.Load() == stamp.all
}

// Withdraw ends every entry that belongs to the name.
func (s *Stamps) Withdraw(name string) {
	s.slots[s.slot(name)].Add(1)
	s.turn.Add(1)
}

// WithdrawAll ends every entry.
func (s *Stamps) WithdrawAll() {
	s.all.Add(1)
	s.turn.Add(1)
}

// Turn counts the withdrawals. What was read before a withdrawal must not be
// stamped after it: a loader compares the turn before and after.
func (s *Stamps) Turn() uint64 { return s.turn.Load() }

func (s *Stamps) slot(name string) uint32 {
	return uint32(maphash.String(s.seed, name) % stampSlots)
}
