package store

import (
	"context"
	"database/sql/driver"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// joinDateText is how the original's SQLAlchemy keeps and reads a time on
// SQLite (contract 1.4): always six digits, no zone. Ours is in UTC.
const joinDateText = "2006-01-02 15:04:05.000000"

// joinDate is users.join_date. NULL, and what nobody can read, is the zero time.
type joinDate struct{ time.Time }

// Scan reads what the driver makes of the column: a time, if it understands
// the text, else the text.
func (d *joinDate) Scan(value any) error {
	d.Time = time.Time{}
	switch v := value.(type) {
	case time.Time:
		d.Time = v.UTC()
	case []byte:
		d.parse(string(v))
	case string:
		d.parse(v)
	}
	return nil
}

func (d *joinDate) parse(text string) {
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05", time.RFC3339, "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil { // a fraction may follow the seconds
			d.Time = t.UTC()
			return
		}
	}
}

// Value makes the type a column for gorm; GormValue says what is written.
func (d joinDate) Value() (driver.Value, error) {
	if d.IsZero() {
		return nil, nil
	}
	return d.UTC(), nil
}

// GormValue writes text on SQLite, since its driver would write a time with
// the name of its zone, and the time itself elsewhere.
func (d joinDate) GormValue(_ context.Context, db *gorm.DB) clause.Expr {
	switch {
	case d.IsZero():
		return clause.Expr{SQL: "?", Vars: []any{nil}}
	case db.Name() == "sqlite":
		return clause.Expr{SQL: "?", Vars: []any{d.UTC().Format(joinDateText)}}
	default:
		return clause.Expr{SQL: "?", Vars: []any{d.UTC()}}
	}
}
