package storetest

import (
	"errors"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/providers"
)

var sharedTests = []adoptionTest{
	// Somebody tries the gateway, goes back to the original, and returns.
	{"names that the original has changed are followed at the next start", func(t *testing.T, d Database) {
		d.makeUsers(t, false, originalUser{id: "u1", username: "moshe1"}, originalUser{id: "u2", username: "ruth"})
		d.Open(t)
		d.Exec(t, "UPDATE users SET username = 'moshe' WHERE id = 'u1'")
		d.Exec(t, "UPDATE users SET username = 'moshe1' WHERE id = 'u2'") // they swap, nearly
		s := d.Open(t)
		wantName(t, s, "u1", "moshe", "moshe", true)
		wantName(t, s, "u2", "moshe1", "moshe1", true)
		if user, err := s.UserByUsername(t.Context(), "ruth"); !errors.Is(err, providers.ErrNotFound) {
			t.Errorf("the old name leads to %+v, %v", user, err)
		}
	}},
	{"a name that another program has given counts as chosen at once", func(t *testing.T, d Database) {
		s := d.Open(t)
		user := wantNew(t, s, byGitHub("1", ""))
		d.Exec(t, "UPDATE users SET username = 'Another'")
		if display, chosen, err := s.UsernameChosen(t.Context(), user.ID); err != nil || display != "Another" || !chosen {
			t.Errorf("%q, chosen %v, %v", display, chosen, err)
		}
		choose(t, s, user.ID, "third", true, store.ErrUsernameChosen)
	}},
	{"users whom an original makes meanwhile are found", func(t *testing.T, d Database) {
		d.makeUsers(t, false)
		s := d.Open(t)
		d.insert(t, originalUser{providerID: "google:1", username: "ada", email: "ada@example.com"})
		d.insert(t, originalUser{providerID: "google:2", username: "ruth", email: "Ruth@example.com"})
		d.insert(t, originalUser{providerID: "google:3", username: "eve", email: "eve@example.com"})
		d.insert(t, originalUser{providerID: "google:4", username: "avi", email: "avi@example.com"})
		// By the old ID, at once.
		if user, err := s.UserByEmail(t.Context(), "ada@example.com"); err != nil || user.ID != md5ID("ada@example.com") {
			t.Errorf("the address leads to %+v, %v", user, err)
		}
		if err := s.SetDisabled(t.Context(), md5ID("avi@example.com"), true); err != nil {
			t.Fatal(err)
		}
		wantRefused(t, s, byGoogle("9", "ada@example.com"))
		wantReached(t, s, byGoogle("1", "ada@example.com"), md5ID("ada@example.com"))
		wantReached(t, s, byGitHub("4", "avi@example.com"), md5ID("avi@example.com"))
		// By everything else, after a start.
		s = d.Open(t)
		wantReached(t, s, byGitHub("2", "ruth@example.com"), md5ID("Ruth@example.com"))
		wantReached(t, s, byGoogle("3", ""), md5ID("eve@example.com"))
		wantReached(t, s, byGoogle("4", ""), md5ID("avi@example.com"))
		wantName(t, s, md5ID("eve@example.com"), "eve", "eve", true)
	}},
	{"the provider_id of somebody who has not come yet is followed", func(t *testing.T, d Database) {
		d.makeUsers(t, false, oldMoshe)
		d.Open(t)
		d.Exec(t, "UPDATE users SET provider_id = 'github:5'")
		s := d.Open(t)
		wantReached(t, s, byGitHub("5", ""), md5ID("moshe@example.com"))
		wantReached(t, s, byGoogle("77", "moshe@example.com"), md5ID("moshe@example.com"))
	}},
	{"an address of ours comes before an old row that comes later", func(t *testing.T, d Database) {
		d.makeUsers(t, false)
		s := d.Open(t)
		ours := wantNew(t, s, byGoogle("1", "ada@example.com"))
		d.insert(t, originalUser{providerID: "github:5", username: "ada2", email: "ada@example.com"})
		s = d.Open(t)
		wantReached(t, s, providers.Identity{Issuer: "https://corp.example", Subject: "x", Email: "ada@example.com", EmailVerified: true}, ours.ID)
		wantReached(t, s, byGitHub("5", ""), md5ID("ada@example.com"))
	}},
	{"services that write permissions themselves keep working", func(t *testing.T, d Database) {
		s := d.Open(t)
		ctx := t.Context()
		// As Python's json.dumps writes (contract 1.2, os-conductor's fixtures).
		d.Exec(t, `INSERT INTO permissions (userid, service, permissions) VALUES ('*', 'os.datastore', '{"datapackage-upload": true}')`)
		d.Exec(t, `INSERT INTO permissions (userid, service, permissions) VALUES ('u1', 'os.datastore', '{"max": 12345678901234567890, "who": "\u05de<b>", "a": {"b": [1.10]}}')`)
		wantGrants(t, s, "*", "os.datastore", providers.Permissions{"datapackage-upload": true})
		grant(t, s, "u1", "os.datastore", "admin", true)
		want := providers.Permissions{"max": 12345678901234567890.0, "who": "מ<b>", "a": map[string]any{"b": []any{1.1}}, "admin": true}
		wantGrants(t, s, "u1", "os.datastore", want)
		// What we did not change stands there letter for letter, big numbers too.
		d.Exec(t, `UPDATE permissions SET permissions = '{"found": true}' WHERE permissions = '{"a":{"b":[1.10]},"admin":true,"max":12345678901234567890,"who":"\u05de<b>"}'`)
		wantGrants(t, s, "u1", "os.datastore", providers.Permissions{"found": true})
		if err := s.RemoveGrant(ctx, "u1", "os.datastore", "found"); err != nil {
			t.Error(err)
		}
		d.Exec(t, `INSERT INTO permissions (userid, service, permissions) VALUES ('u1', 'os.datastore', NULL)`)
		d.Exec(t, `INSERT INTO permissions (userid, service, permissions) VALUES ('u2', 'os.datastore', 'null')`)
		d.Exec(t, `INSERT INTO permissions (userid, service, permissions) VALUES ('u3', 'os.datastore', '')`)
		for _, userID := range []string{"u1", "u2", "u3"} {
			wantGrants(t, s, userID, "os.datastore", nil)
			if err := s.RemoveGrant(ctx, userID, "os.datastore", "x"); !errors.Is(err, providers.ErrNotFound) {
				t.Errorf("revoking of nothing: %v", err)
			}
			grant(t, s, userID, "os.datastore", "x", true)
			wantGrants(t, s, userID, "os.datastore", providers.Permissions{"x": true})
		}
	}},
	{"S39: malformed permissions are neither nothing nor repeated", func(t *testing.T, d Database) {
		s := d.Open(t)
		ctx := t.Context()
		for _, text := range []string{`{"secret": tru`, `{"secret":1} x`, `["secret"]`, `"secret"`, `secret`, `{"secret": 1e999}`, `{"secret": NaN}`, ` `} {
			d.Exec(t, `DELETE FROM permissions`)
			d.Exec(t, `INSERT INTO permissions (userid, service, permissions) VALUES ('user-7', 'storage', '`+text+`')`)
			_, grants := s.Grants(ctx, "user-7", "storage")
			_, list := s.ListGrants(ctx, "", "")
			errs := map[string]error{"Grants": grants, "ListGrants": list}
			if text != `{"secret": 1e999}` { // which can be kept as it is written
				errs["SetGrant"] = s.SetGrant(ctx, "user-7", "storage", "read", true)
				errs["RemoveGrant"] = s.RemoveGrant(ctx, "user-7", "storage", "secret")
			}
			wantUnavailable(t, errs)
			for name, err := range errs {
				if !errors.Is(err, store.ErrGrant) {
					t.Errorf("%s of %s: %v, want ErrGrant", name, text, err)
					continue
				}
				for _, want := range []string{`"user-7"`, `"storage"`} {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("%s of %s: %v does not name the row", name, text, err)
					}
				}
			}
			// Others are not affected, and the entry can be got rid of.
			wantGrants(t, s, "user-8", "storage", nil)
			if err := s.RemoveGrant(ctx, "user-7", "storage", ""); err != nil {
				t.Error(err)
			}
			wantGrants(t, s, "user-7", "storage", nil)
		}
	}},
}
