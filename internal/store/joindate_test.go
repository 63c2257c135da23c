package store

import (
	"testing"
	"time"
)

// The original's SQLAlchemy reads exactly this form (contract 1.4).
func TestJoinDateText(t *testing.T) {
	s := openTest(t, "sqlite://", options{})
	for in, want := range map[time.Time]string{
		time.Date(2017, 7, 24, 12, 17, 50, 123456789, time.UTC):                     "2017-07-24 12:17:50.123456",
		time.Date(2017, 7, 24, 12, 17, 50, 0, time.UTC):                             "2017-07-24 12:17:50.000000",
		time.Date(2017, 7, 24, 1, 17, 50, 1000, time.FixedZone("", 3*3600)):         "2017-07-23 22:17:50.000001",
		time.Date(2017, 7, 24, 12, 17, 50, 100_000_000, time.FixedZone("x", -3600)): "2017-07-24 13:17:50.100000",
	} {
		run(t, s, "DELETE FROM users")
		username := "moshe"
		if err := s.db.Create(&userRow{ID: "u1", Username: &username, JoinDate: joinDate{in}}).Error; err != nil {
			t.Fatal(err)
		}
		var text, kind string
		if err := first(s.db, "SELECT CAST(join_date AS TEXT), typeof(join_date) FROM users", nil, &text, &kind); err != nil {
			t.Fatal(err)
		}
		if text != want || kind != "text" {
			t.Errorf("%v is stored as %s %q, want %q", in, kind, text, want)
		}
		user, err := s.User(t.Context(), "u1")
		if err != nil || !user.JoinDate.Equal(in.Truncate(time.Microsecond)) || user.JoinDate.Location() != time.UTC {
			t.Errorf("%v is read back as %v, %v", in, user.JoinDate, err)
		}
	}
}

// Whatever stands in an old row, the user can be read.
func TestJoinDateIsReadTolerantly(t *testing.T) {
	s := openTest(t, "sqlite://", options{})
	at := func(text string) time.Time {
		parsed, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	for _, c := range []struct {
		stored any
		want   time.Time
	}{
		{"2017-07-24 12:17:50.123456", at("2017-07-24T12:17:50.123456Z")},
		{"2017-07-24 12:17:50", at("2017-07-24T12:17:50Z")},
		{"2017-07-24T12:17:50.5", at("2017-07-24T12:17:50.5Z")},
		{"2017-07-24 12:17:50+02:00", at("2017-07-24T10:17:50Z")},
		{"2017-07-24", at("2017-07-24T00:00:00Z")},
		{[]byte("2017-07-24 12:17:50.123456"), at("2017-07-24T12:17:50.123456Z")},
		{nil, time.Time{}},
		{"", time.Time{}},
		{"yesterday", time.Time{}},
		{1500898670, time.Time{}},
		{2457959.5, time.Time{}},
	} {
		run(t, s, "DELETE FROM users")
		run(t, s, "INSERT INTO users (id, username, join_date) VALUES ('u1', 'moshe', ?)", c.stored)
		user, err := s.User(t.Context(), "u1")
		if err != nil || !user.JoinDate.Equal(c.want) || user.JoinDate.Location() != time.UTC {
			t.Errorf("%v (%T): %v, %v; want %v", c.stored, c.stored, user.JoinDate, err, c.want)
		}
	}
}
