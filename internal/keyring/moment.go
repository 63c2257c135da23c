package keyring

import "time"

// Moment is a time as people read it, in UTC and to the minute; "" if it is zero.
func Moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04 MST")
}
