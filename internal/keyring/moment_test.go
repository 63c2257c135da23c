package keyring

import (
	"testing"
	"time"
)

func TestMoment(t *testing.T) {
	east := time.FixedZone("east", 2*3600)
	for want, at := range map[string]time.Time{
		"":                     {},
		"2026-03-14 12:00 UTC": keyTime.Add(59 * time.Second),
		"2026-03-13 23:30 UTC": time.Date(2026, 3, 14, 1, 30, 0, 0, east),
	} {
		if got := Moment(at); got != want {
			t.Errorf("%s: got %q, want %q", at, got, want)
		}
	}
}
