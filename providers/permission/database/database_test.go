package database

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/datahq/auth-gateway/providers"
)

// table is a GrantStore in memory; a nil table is one that does not answer.
type table map[string]providers.Permissions

var errDown = errors.New("down")

func (t table) Grants(_ context.Context, userID, service string) (providers.Permissions, error) {
	if t == nil {
		return nil, errDown
	}
	return t[userID+" "+service], nil
}

// Contract, os-conductor differences: what the user has goes over what everyone
// has, top-level key by key.
func TestMerge(t *testing.T) {
	store := table{
		"* os.datastore":   {"datapackage-upload": true, "quota": 5.0},
		"ada os.datastore": {"quota": 50.0, "admin": true},
		"ada other":        {"read": true},
		"bob os.datastore": {"datapackage-upload": false},
	}
	p := new(Provider)
	p.UseGrantStore(store)
	for _, test := range []struct {
		user, service string
		want          providers.Permissions
	}{
		{"ada", "os.datastore", providers.Permissions{"datapackage-upload": true, "quota": 50.0, "admin": true}},
		{"bob", "os.datastore", providers.Permissions{"datapackage-upload": false, "quota": 5.0}},
		{"eve", "os.datastore", providers.Permissions{"datapackage-upload": true, "quota": 5.0}},
		{"*", "os.datastore", providers.Permissions{"datapackage-upload": true, "quota": 5.0}},
		{"ada", "other", providers.Permissions{"read": true}},
		{"eve", "other", nil},
	} {
		answer, err := p.Permissions(t.Context(), providers.User{ID: test.user}, test.service)
		if err != nil || !reflect.DeepEqual(answer.Permissions, test.want) {
			t.Errorf("%s in %s: %v, %v; want %v", test.user, test.service, answer.Permissions, err, test.want)
		}
		if answer.ValidFor == 0 {
			t.Error("the answer is valid for longer than another process's change may go unnoticed")
		}
	}
	if len(store["* os.datastore"]) != 2 {
		t.Error("merging has changed what the store returned")
	}
}

// S39: a database that does not answer grants nothing and refuses nothing.
func TestCannotTell(t *testing.T) {
	p := new(Provider)
	if _, err := p.Permissions(t.Context(), providers.User{ID: "ada"}, "x"); !errors.Is(err, providers.ErrUnavailable) {
		t.Errorf("without a database: %v", err)
	}
	p.UseGrantStore(table(nil))
	if _, err := p.Permissions(t.Context(), providers.User{ID: "ada"}, "x"); !errors.Is(err, errDown) {
		t.Errorf("with a dead database: %v", err)
	}
}

func TestCaddyfile(t *testing.T) {
	for text, ok := range map[string]bool{"database": true, "database x": false, "database {\n x\n}": false} {
		if err := new(Provider).UnmarshalCaddyfile(caddyfile.NewTestDispenser(text)); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}
