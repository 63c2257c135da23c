package keyring

import (
	"strings"
	"testing"
	"time"
)

// keyTime is the clock of these tests.
var keyTime = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// at makes a Timeline of session keys that sign from these hours on.
func at(t *testing.T, hours ...int) Timeline {
	t.Helper()
	var keys Timeline
	for _, hour := range hours {
		key, err := makeKey(Session, keyTime)
		if err != nil {
			t.Fatal(err)
		}
		key.SignsFrom, key.TokenSeconds = keyTime.Add(time.Duration(hour)*time.Hour), 3600
		keys = append(keys, key)
	}
	return keys
}

// What a key is for comes from the times alone.
func TestTimeline(t *testing.T) {
	for name, test := range map[string]struct {
		hours  []int
		states string // at keyTime, of the keys that are still there
		change time.Duration
	}{
		"one key":                      {[]int{-100}, "active", 0},
		"one key that begins":          {[]int{0}, "active", 0},
		"the clock has been set back":  {[]int{5}, "active", 5 * time.Hour},
		"a next key":                   {[]int{-100, 1}, "active next", time.Hour},
		"a retired key":                {[]int{-100, -1}, "retired active", grace},
		"a key that is over":           {[]int{-100, -2}, "active", 0},
		"all of them":                  {[]int{-100, -50, -1, 2, 5}, "retired active next next", grace},
		"a key that never signs":       {[]int{-100, 2, 2}, "active next next", 2 * time.Hour},
		"two keys of the same instant": {[]int{-100, 0, 0}, "retired retired active", time.Hour + grace},
	} {
		t.Run(name, func(t *testing.T) {
			keys := at(t, test.hours...).Live(keyTime)
			var states []string
			for i := range keys {
				states = append(states, keys.State(i, keyTime))
			}
			if got := strings.Join(states, " "); got != test.states {
				t.Errorf("got %s, want %s", got, test.states)
			}
			switch change := keys.change(keyTime); {
			case test.change == 0 && !change.IsZero():
				t.Errorf("a change at %s", change)
			case test.change != 0 && !change.Equal(keyTime.Add(test.change)):
				t.Errorf("the next change is at %s", change)
			}
		})
	}
}

// A retired key is accepted as long as the longest of its tokens lives, at
// whatever gateway that was made.
func TestTimelineProlong(t *testing.T) {
	keys := at(t, -100, -1, 5)
	if keys.prolong(time.Minute, keyTime) || !keys.prolong(10*time.Hour, keyTime) || keys.prolong(10*time.Hour, keyTime) {
		t.Error("news where there are none, or none where there are")
	}
	for i, want := range []int64{3600, 36000, 36000} {
		if keys[i].TokenSeconds != want {
			t.Errorf("key %d: %d seconds, want %d", i, keys[i].TokenSeconds, want)
		}
	}
	if want := keyTime.Add(15*time.Hour + grace); !keys.AcceptedUntil(1).Equal(want) {
		t.Errorf("accepted until %s, want %s", keys.AcceptedUntil(1), want)
	}
}
