package store

import (
	"reflect"
	"testing"

	"gorm.io/gorm"

	"github.com/datahq/auth-gateway/providers"
)

// A table that somebody made without its key takes grants all the same.
func TestGrantsInATableWithoutKey(t *testing.T) {
	path := tempFile(t)
	raw := openRaw(t, path)
	rawExec(t, raw, "CREATE TABLE permissions (userid VARCHAR, service VARCHAR, permissions VARCHAR)")
	s := openTest(t, path, options{})
	for _, permission := range []string{"read", "write"} {
		if err := s.SetGrant(t.Context(), "u1", "storage", permission, true); err != nil {
			t.Fatal(err)
		}
	}
	want := providers.Permissions{"read": true, "write": true}
	if got, err := s.Grants(t.Context(), "u1", "storage"); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	if got := dump(t, raw, "SELECT permissions FROM permissions"); len(got) != 1 {
		t.Errorf("rows: %q", got)
	}
}

// For databases whose writers overlap: if somebody has changed the row between
// our reading and our writing, we read it again.
func TestGrantLosesNoUpdateOfOthers(t *testing.T) {
	s := openTest(t, "sqlite://", options{})
	run(t, s, `INSERT INTO permissions VALUES ('u1', 'storage', '{"read": true}')`)
	updates := 0
	err := s.db.Callback().Update().Before("gorm:update").Register("test:meanwhile", func(tx *gorm.DB) {
		if updates++; updates == 1 {
			// In our own transaction, since SQLite has one writer: it goes with it.
			other := tx.Session(&gorm.Session{NewDB: true})
			_ = tx.AddError(other.Exec(`UPDATE permissions SET permissions = '{"read": false}'`).Error)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetGrant(t.Context(), "u1", "storage", "write", true); err != nil || updates != 2 {
		t.Errorf("granting: %v after %d updates, want a second one", err, updates)
	}
	want := providers.Permissions{"read": true, "write": true}
	if got, err := s.Grants(t.Context(), "u1", "storage"); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}
