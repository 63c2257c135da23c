package cache

import (
	"hash/maphash"
	"sync/atomic"
)

// stampSlots is how many slots stand for all names. Two names that share one
// only cost each other a reload.
const stampSlots = 1 << 14

// Stamps withdraw cache entries by what they belong to, without knowing which
// entries those are. Withdrawals are counted; every name has the number of its
// latest one, and every entry the count from before its data were read. An
// entry is dead as soon as one of its names has the higher number.
//
// Memory is constant, and looking costs three loads of memory that hardly ever
// changes.
type Stamps struct {
	seed  maphash.Seed
	turn  atomic.Uint64
	all   atomic.Uint64
	slots [stampSlots]atomic.Uint64
}

// NewStamps makes a set in which everything is current.
func NewStamps() *Stamps { return &Stamps{seed: maphash.MakeSeed()} }

// Stamp ties an entry to two names and to the moment before it was read.
type Stamp struct {
	turn          uint64
	first, second uint32
}

// Turn counts the withdrawals. A loader asks for it before it reads anything
// and stamps with it what it has read: data from before a withdrawal are then
// never taken for data from after it.
func (s *Stamps) Turn() uint64 { return s.turn.Load() }

// Stamp stamps an entry that belongs to two names and was read after turn.
func (s *Stamps) Stamp(turn uint64, first, second string) Stamp {
	return Stamp{turn: turn, first: s.slot(first), second: s.slot(second)}
}

// Current reports whether neither name has been withdrawn since.
func (s *Stamps) Current(stamp Stamp) bool {
	return s.slots[stamp.first].Load() <= stamp.turn &&
		s.slots[stamp.second].Load() <= stamp.turn &&
		s.all.Load() <= stamp.turn
}

// Withdraw ends every entry that belongs to the name. What is to be forgotten
// must have been changed at its source before.
func (s *Stamps) Withdraw(name string) { raise(&s.slots[s.slot(name)], s.turn.Add(1)) }

// WithdrawAll ends every entry.
func (s *Stamps) WithdrawAll() { raise(&s.all, s.turn.Add(1)) }

// raise sets the number of a withdrawal. The slot may have a higher one by now:
// between counting and setting others can have done both.
func raise(slot *atomic.Uint64, turn uint64) {
	for old := slot.Load(); old < turn; old = slot.Load() {
		if slot.CompareAndSwap(old, turn) {
			return
		}
	}
}

func (s *Stamps) slot(name string) uint32 {
	return uint32(maphash.String(s.seed, name) % stampSlots)
}
