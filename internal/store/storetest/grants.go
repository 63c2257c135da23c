package storetest

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"testing"

	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/providers"
)

// grant grants, which must succeed.
func grant(t *testing.T, s Store, userID, service, permission string, value any) {
	t.Helper()
	if err := s.SetGrant(t.Context(), userID, service, permission, value); err != nil {
		t.Fatalf("granting: %v", err)
	}
}

// wantGrants demands what a user has in a service.
func wantGrants(t *testing.T, s Store, userID, service string, want providers.Permissions) {
	t.Helper()
	got, err := s.Grants(t.Context(), userID, service)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s in %s: %v, %v; want %v", userID, service, got, err, want)
	}
}

var grantTests = []test{
	{"what is granted is read back", func(t *testing.T, s Store) {
		wantGrants(t, s, "u1", "storage", nil)
		grant(t, s, "u1", "storage", "read", true)
		grant(t, s, "u1", "storage", "quota", 50)
		grant(t, s, "u1", "storage", "roles", []string{"a<b>&c", "é"})
		grant(t, s, "u1", "storage", "read", false)
		grant(t, s, "u1", "Storage", "read", true)
		grant(t, s, providers.Everyone, "storage", "list", true)
		wantGrants(t, s, "u1", "storage", providers.Permissions{"read": false, "quota": 50.0, "roles": []any{"a<b>&c", "é"}})
		wantGrants(t, s, "u1", "Storage", providers.Permissions{"read": true})
		wantGrants(t, s, providers.Everyone, "storage", providers.Permissions{"list": true})
		for _, nobody := range []string{"", "u2", "U1", "u1 "} {
			wantGrants(t, s, nobody, "storage", nil)
		}
	}},
	{"what is revoked is gone, and nothing else", func(t *testing.T, s Store) {
		ctx := t.Context()
		for _, permission := range []string{"read", "write", "admin"} {
			grant(t, s, "u1", "storage", permission, true)
		}
		grant(t, s, "u1", "other", "read", true)
		grant(t, s, "u2", "storage", "read", true)
		if err := s.RemoveGrant(ctx, "u1", "storage", "admin"); err != nil {
			t.Error(err)
		}
		wantGrants(t, s, "u1", "storage", providers.Permissions{"read": true, "write": true})
		if err := s.RemoveGrant(ctx, "u1", "storage", ""); err != nil {
			t.Error(err)
		}
		wantGrants(t, s, "u1", "storage", nil)
		wantGrants(t, s, "u1", "other", providers.Permissions{"read": true})
		wantGrants(t, s, "u2", "storage", providers.Permissions{"read": true})
		if err := s.RemoveGrant(ctx, "u2", "storage", "read"); err != nil {
			t.Error(err)
		}
		wantGrants(t, s, "u2", "storage", nil)
		for _, c := range [][3]string{{"u1", "storage", "read"}, {"u1", "storage", ""}, {"u1", "other", "write"}, {"*", "storage", ""}, {"", "", ""}} {
			if err := s.RemoveGrant(ctx, c[0], c[1], c[2]); !errors.Is(err, providers.ErrNotFound) {
				t.Errorf("%q: %v, want ErrNotFound", c, err)
			}
		}
	}},
	{"grants are listed by service and user", func(t *testing.T, s Store) {
		grant(t, s, "u1", "storage", "read", true)
		grant(t, s, "u1", "billing", "read", true)
		grant(t, s, "*", "storage", "list", true)
		u1b := store.Grant{UserID: "u1", Service: "billing", Permissions: providers.Permissions{"read": true}}
		u1s := store.Grant{UserID: "u1", Service: "storage", Permissions: providers.Permissions{"read": true}}
		all := store.Grant{UserID: "*", Service: "storage", Permissions: providers.Permissions{"list": true}}
		for _, c := range []struct {
			userID, service string
			want            []store.Grant
		}{
			{"", "", []store.Grant{u1b, all, u1s}},
			{"u1", "", []store.Grant{u1b, u1s}},
			{"", "storage", []store.Grant{all, u1s}},
			{"*", "storage", []store.Grant{all}},
			{"u2", "", nil},
			{"", "nothing", nil},
		} {
			if got, err := s.ListGrants(t.Context(), c.userID, c.service); err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("ListGrants(%q, %q) = %+v, %v; want %+v", c.userID, c.service, got, err, c.want)
			}
		}
	}},
	{"an impossible grant is refused", func(t *testing.T, s Store) {
		for _, c := range []struct {
			userID, service, permission string
			value                       any
		}{
			{"", "storage", "read", true},
			{"u1", "", "read", true},
			{"u1", "storage", "", true},
			{"u1", "storage", "read", math.NaN()},
			{"u1", "storage", "read", func() {}},
		} {
			if err := s.SetGrant(t.Context(), c.userID, c.service, c.permission, c.value); err == nil || errors.Is(err, providers.ErrUnavailable) {
				t.Errorf("%+v: %v", c, err)
			}
		}
		if got, err := s.ListGrants(t.Context(), "", ""); err != nil || got != nil {
			t.Errorf("something is granted: %+v, %v", got, err)
		}
	}},
	{"parallel grants of one user are all there", func(t *testing.T, s Store) {
		want := make(providers.Permissions)
		for i := range crowd {
			want[fmt.Sprintf("p%d", i)] = true
		}
		together(func(i int) {
			if err := s.SetGrant(t.Context(), "u1", "storage", fmt.Sprintf("p%d", i), true); err != nil {
				t.Error(err)
			}
		})
		wantGrants(t, s, "u1", "storage", want)
	}},
}
