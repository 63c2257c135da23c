package caddymodule

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// keyTime is the clock of these tests.
var keyTime = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// at makes a timeline of session keys that sign from these hours on.
func at(t *testing.T, hours ...int) timeline {
	t.Helper()
	var keys timeline
	for _, hour := range hours {
		key, err := makeKey(sessionKeys, keyTime)
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
		"a retired key":                {[]int{-100, -1}, "retired active", keyGrace},
		"a key that is over":           {[]int{-100, -2}, "active", 0},
		"all of them":                  {[]int{-100, -50, -1, 2, 5}, "retired active next next", keyGrace},
		"a key that never signs":       {[]int{-100, 2, 2}, "active next next", 2 * time.Hour},
		"two keys of the same instant": {[]int{-100, 0, 0}, "retired retired active", time.Hour + keyGrace},
	} {
		t.Run(name, func(t *testing.T) {
			keys := at(t, test.hours...).live(keyTime)
			var states []string
			for i := range keys {
				states = append(states, keys.state(i, keyTime))
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
	if want := keyTime.Add(15*time.Hour + keyGrace); !keys.acceptedUntil(1).Equal(want) {
		t.Errorf("accepted until %s, want %s", keys.acceptedUntil(1), want)
	}
}

// What cannot be read is refused, and the error tells nothing of it (S43).
func TestParseKeyFile(t *testing.T) {
	good := newKeyFile()
	good.Session = at(t, 0, -1)
	text, err := json.Marshal(good)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parseKeyFile(text)
	if err != nil || len(f.Session) != 2 || !f.Session[0].SignsFrom.Before(f.Session[1].SignsFrom) || f.Session[0].session == nil {
		t.Errorf("%+v, %v", f, err)
	}
	for name, bad := range map[string]string{
		"nothing":          ``,
		"cut":              string(text[:len(text)/2]),
		"another form":     `["secret"]`,
		"a later version":  `{"version": 2}`,
		"no version":       `{"session": []}`,
		"no key":           `{"version": 1, "session": [{"id": "x"}]}`,
		"a broken PEM":     `{"version": 1, "signing": [{"key": "-----BEGIN PRIVATE KEY-----\nsecret"}]}`,
		"a wrong kind":     `{"version": 1, "signing": [{"key": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U"}]}`,
		"a time as number": `{"version": 1, "session": [{"signs_from": 1}]}`,
	} {
		if f, err := parseKeyFile([]byte(bad)); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
}
