package keyring

import (
	"slices"
	"time"
)

// grace is how much longer than its last token a key is accepted: for the leeway
// of verifiers, and for gateways whose clocks differ.
const grace = 10 * time.Minute

// Timeline is the keys of one kind in the order in which they sign.
type Timeline []Key

func (t Timeline) sort() {
	slices.SortStableFunc(t, func(a, b Key) int { return a.SignsFrom.Compare(b.SignsFrom) })
}

// active is the place of the key that signs; -1 if there are none. If the clock
// is before all of them, it is the first.
func (t Timeline) active(now time.Time) int {
	active := min(0, len(t)-1)
	for i := range t {
		if !t[i].SignsFrom.After(now) {
			active = i
		}
	}
	return active
}

// SignsUntil is when a key is followed by the next; zero if by none.
func (t Timeline) SignsUntil(i int) time.Time {
	if i+1 == len(t) {
		return time.Time{}
	}
	return t[i+1].SignsFrom
}

// AcceptedUntil is when the last token of a key has surely ended; zero for the
// last key, which signs until there is another.
func (t Timeline) AcceptedUntil(i int) time.Time {
	until := t.SignsUntil(i)
	if until.IsZero() {
		return until
	}
	return until.Add(time.Duration(t[i].TokenSeconds)*time.Second + grace)
}

// Live is the timeline without the keys whose time is over.
func (t Timeline) Live(now time.Time) Timeline {
	var live Timeline
	for i := range t {
		if until := t.AcceptedUntil(i); until.IsZero() || now.Before(until) {
			live = append(live, t[i])
		}
	}
	return live
}

// State is what a key is for now.
func (t Timeline) State(i int, now time.Time) string {
	switch active := t.active(now); {
	case i == active:
		return "active"
	case i > active:
		return "next"
	default:
		return "retired"
	}
}

// change is when the keys are for something else than now; zero if that is not
// known.
func (t Timeline) change(now time.Time) time.Time {
	var change time.Time
	for i := range t {
		for _, at := range []time.Time{t[i].SignsFrom, t.AcceptedUntil(i)} {
			if at.After(now) && (change.IsZero() || at.Before(change)) {
				change = at
			}
		}
	}
	return change
}

// prolong notes that gateways make tokens of this lifetime with the keys that
// sign, or will. It reports whether that is news.
func (t Timeline) prolong(lifetime time.Duration, now time.Time) bool {
	seconds, news := int64(lifetime/time.Second), false
	for i := max(0, t.active(now)); i < len(t); i++ {
		if t[i].TokenSeconds < seconds {
			t[i].TokenSeconds, news = seconds, true
		}
	}
	return news
}
