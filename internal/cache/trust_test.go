package cache

import (
	"testing"
	"testing/synctest"
	"time"
)

// S8: entries are believed only by those who have listened for as long as an
// entry lives, since these have heard of every withdrawal.
func TestTrust(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		trust := newTrust(time.Minute)
		check := func(when string, believes bool, turn uint64) {
			t.Helper()
			if trust.believes() != believes || trust.turn.Load() != turn {
				t.Errorf("%s: believes %v in turn %d; want %v in %d", when, trust.believes(), trust.turn.Load(), believes, turn)
			}
		}
		check("at the start", false, 0)
		time.Sleep(time.Hour)
		check("without ever listening", false, 0)
		trust.again()
		check("again without listening", false, 0)
		trust.begin()
		check("just listening", false, 1)
		time.Sleep(time.Minute - 1)
		check("almost", false, 1)
		time.Sleep(time.Nanosecond)
		check("after a minute", true, 1)
		if !trust.end() || trust.end() {
			t.Error("the period did not end once")
		}
		check("interrupted", false, 0)
		time.Sleep(time.Hour)
		check("long interrupted", false, 0)
		trust.begin()
		time.Sleep(time.Minute)
		check("back for a minute", true, 2)
		trust.again()
		check("told to forget everything", false, 3)
		time.Sleep(time.Minute)
		check("a minute later", true, 3)
	})
}

func TestTrustInNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		trust := newTrust(time.Minute)
		// Names may share a slot.
		other := "user:"
		for trust.slot(other) == trust.slot("user:1") || trust.slot(other) == trust.slot("user:2") {
			other += "3"
		}
		if trust.slot("user:1") == trust.slot("user:2") {
			return // once in 16,384 times
		}
		trust.withdraw([]string{"user:1", "user:2"})
		time.Sleep(time.Minute)
		trust.withdraw([]string{"user:2"})
		for _, name := range []string{"user:1", "user:2"} {
			if !trust.withdrawn([]string{other, name}) {
				t.Errorf("%s is not withdrawn", name)
			}
		}
		if trust.withdrawn([]string{other}) || trust.withdrawn(nil) {
			t.Error("somebody else is withdrawn")
		}
		time.Sleep(time.Minute)
		if trust.withdrawn([]string{"user:1"}) || !trust.withdrawn([]string{"user:2"}) {
			t.Error("withdrawals do not last two minutes from the last one")
		}
		time.Sleep(time.Minute)
		if trust.withdrawn([]string{"user:2"}) {
			t.Error("a withdrawal lasts longer than two minutes")
		}
	})
}
