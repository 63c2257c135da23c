package storetest

import (
	"errors"
	"strconv"
	"testing"

	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/providers"
)

// byCorp is an identity that has an address, verified, at a provider that the
// original did not know.
func byCorp(subject, email string) providers.Identity {
	return providers.Identity{Issuer: "https://corp.example", Subject: subject, Email: email, EmailVerified: true}
}

var adoptedAddressTests = []adoptionTest{
	{"one verified address is one account, as before", func(t *testing.T, d Database) {
		d.makeUsers(t, false, oldMoshe)
		s := d.Open(t)
		user := wantReached(t, s, byGitHub("5", "moshe@example.com"), md5ID("moshe@example.com"))
		if user.Username != "moshe" || !user.JoinDate.Equal(joined) || user.Email != "moshe@example.com" || user.ProviderID != "github:5" {
			t.Errorf("%+v", user)
		}
		wantReached(t, s, byGoogle("1234", "moshe@example.com"), user.ID)
		wantReached(t, s, providers.Identity{Issuer: "https://corp.example", Subject: "x", Email: "Moshe@Example.com", EmailVerified: true}, user.ID)
	}},
	{"the address is compared folded, the old ID is of the address as it came", func(t *testing.T, d Database) {
		d.makeUsers(t, false,
			originalUser{providerID: "google:1", username: "a", email: "Ada@Example.com"},
			originalUser{id: md5ID("Bob@example.com"), providerID: "google:2", username: "b", email: null},
			originalUser{id: "c", username: "c", email: "carl@example.com"},
			originalUser{id: md5ID("Dan@example.com"), username: "d", email: null},
		)
		s := d.Open(t)
		wantReached(t, s, byGitHub("1", "ada@example.com"), md5ID("Ada@Example.com"))
		wantNew(t, s, byGitHub("2", "dan@example.com"))
		wantReached(t, s, byGitHub("3", "Bob@example.com"), md5ID("Bob@example.com"))
		wantReached(t, s, byGitHub("4", "CARL@EXAMPLE.COM"), "c")
	}},
	{"S27: an unverified or malformed address joins nothing", func(t *testing.T, d Database) {
		d.makeUsers(t, false, oldMoshe,
			originalUser{username: "two", email: "moshe@example.com@evil.example"},
			originalUser{username: "quoted", email: `"moshe"@example.com`},
			originalUser{id: md5ID(""), username: "none", email: null},
		)
		s := d.Open(t)
		for i, address := range []struct {
			text     string
			verified bool
		}{
			{"moshe@example.com", false},
			{"MOSHE@example.com", false},
			{"moshe@example.com@evil.example", true},
			{`"moshe"@example.com`, true},
			{"moshe@example.com\n", true},
			{"moshe@ｅxample.com", true},
			{"", true},
		} {
			id := providers.Identity{Issuer: githubIssuer, Subject: string(rune('a' + i)), Email: address.text, EmailVerified: address.verified}
			if user := wantNew(t, s, id); user.Email != "" {
				t.Errorf("address %q, verified %v, was kept", address.text, address.verified)
			}
		}
	}},
	{"a recycled address does not lead to its former owner's account", func(t *testing.T, d Database) {
		d.makeUsers(t, false, oldMoshe)
		s := d.Open(t)
		// Google's 5678 has got the address of Google's 1234 since.
		wantRefused(t, s, byGoogle("5678", "moshe@example.com"))
		wantRefused(t, s, byGoogle("5678", "Moshe@Example.com"))
		wantReached(t, s, byGitHub("5", "moshe@example.com"), md5ID("moshe@example.com"))
		// Now the address is in our table, and provider_id says github.
		s = d.Open(t)
		wantRefused(t, s, byGoogle("5678", "moshe@example.com"))
		wantRefused(t, s, byGitHub("6", "moshe@example.com"))
		wantReached(t, s, byGoogle("1234", ""), md5ID("moshe@example.com"))
	}},
	{"of several rows with one address, the old ID chooses, then age", func(t *testing.T, d Database) {
		d.makeUsers(t, false,
			originalUser{providerID: "google:1", username: "a", email: "ada@example.com", joinDate: "2018-01-01 00:00:00.000000"},
			originalUser{providerID: "google:2", username: "b", email: "ADA@example.com", joinDate: "2017-01-01 00:00:00.000000"},
			originalUser{providerID: "google:3", username: "c", email: "Ada@example.com", joinDate: null},
		)
		s := d.Open(t)
		wantReached(t, s, byGitHub("5", "aDa@example.com"), md5ID("ADA@example.com"))
		// From then on the address is that account's.
		wantRefused(t, s, byGitHub("6", "Ada@example.com"))
		wantReached(t, s, byGoogle("3", "aDa@example.com"), md5ID("Ada@example.com"))

		d.Exec(t, "DELETE FROM auth_emails")
		wantReached(t, s, providers.Identity{Issuer: "https://corp.example", Subject: "x", Email: "ada@example.com", EmailVerified: true}, md5ID("ada@example.com"))
	}},
	{"an address that was changed by hand counts as it is now", func(t *testing.T, d Database) {
		d.makeUsers(t, false, originalUser{id: "old", providerID: "google:1", username: "ada", email: "ada@example.com"})
		s := d.Open(t)
		d.Exec(t, "UPDATE users SET email = 'lovelace@example.com'")
		wantNew(t, s, byGitHub("5", "ada@example.com")) // at once
		s = d.Open(t)
		wantReached(t, s, byGitHub("6", "lovelace@example.com"), "old")
		d.Exec(t, "UPDATE users SET email = 'countess@example.com' WHERE id = 'old'")
		s = d.Open(t) // signed in by now: the address still is another program's
		wantReached(t, s, byGoogle("1", "countess@example.com"), "old")
		wantReached(t, s, providers.Identity{Issuer: "https://corp.example", Subject: "x", Email: "countess@example.com", EmailVerified: true}, "old")
	}},
	// The attack: get the address that somebody has given up, which an operator
	// has changed in users, and sign in by a provider that he did not use.
	{"S27: an address that was changed by hand is its next owner's", func(t *testing.T, d Database) {
		d.makeUsers(t, false, originalUser{id: "old", providerID: "google:1", username: "ruth", email: "ruth@example.com"})
		s := d.Open(t)
		ours := wantNew(t, s, byGoogle("2", "ada@example.com"))
		wantReached(t, s, byGitHub("2", "ADA@example.com"), ours.ID)
		wantReached(t, s, byGitHub("1", "ruth@example.com"), "old")
		d.Exec(t, "UPDATE users SET email = 'changed-' || email")

		for _, c := range []struct{ subject, email, old string }{{"2", "ada@example.com", ours.ID}, {"1", "Ruth@example.com", "old"}} {
			next := wantNew(t, s, byCorp("c"+c.subject, c.email))
			if next.Email != c.email {
				t.Errorf("the newcomer's address is %q", next.Email)
			}
			if user, err := s.UserByEmail(t.Context(), c.email); err != nil || user.ID != next.ID {
				t.Errorf("%s leads to %+v, %v; want the newcomer", c.email, user, err)
			}
			wantReached(t, s, byGitHub("8"+c.subject, c.email), next.ID)
			// Who was there before is known by issuer and subject, and takes nothing
			// back.
			wantReached(t, s, byGoogle(c.subject, c.email), c.old)
			wantReached(t, s, byGitHub(c.subject, c.email), c.old)
			wantRefused(t, s, byGitHub("9"+c.subject, c.email))
		}
	}},
	{"S27: a claim is lost only by an address changed by hand, and only to its next owner", func(t *testing.T, d Database) {
		s := d.Open(t)
		ada := wantNew(t, s, byGoogle("1", "Ada@example.com"))
		wantReached(t, s, byGitHub("1", "ada@example.com"), ada.ID)
		// At one of several providers the address is another since. That neither
		// gives the account an address nor takes one away.
		wantReached(t, s, byGitHub("1", "lovelace@example.com"), ada.ID)
		lovelace := wantNew(t, s, byCorp("lovelace", "lovelace@example.com"))
		wantReached(t, s, byGitHub("1", "lovelace@example.com"), ada.ID)
		wantReached(t, s, byGoogle("9", "lovelace@example.com"), lovelace.ID)

		for i, email := range []string{"NULL", "''", "'ADA@EXAMPLE.COM'"} {
			d.Exec(t, "UPDATE users SET email = "+email+" WHERE id = '"+ada.ID+"'")
			id := byCorp("1", "ada@example.com")
			id.Issuer += "/" + string(rune('a'+i))
			wantReached(t, s, id, ada.ID)
		}

		// Who has proved nothing, stays apart, or is refused, takes it from nobody.
		d.Exec(t, "UPDATE users SET email = 'countess@example.com' WHERE id = '"+ada.ID+"'")
		unverified := byCorp("2", "ada@example.com")
		unverified.EmailVerified = false
		wantNew(t, s, unverified)
		if _, created, err := s.FindOrCreateUser(t.Context(), "dev", byCorp("3", "ada@example.com"), "apart", false, ""); err != nil || !created {
			t.Errorf("who stays apart: created %v, %v", created, err)
		}
		// Ruling 13: the newcomer's ID, made of the address, is the account's.
		_, _, err := s.FindOrCreateUser(t.Context(), "corp", byCorp("4", "ada@example.com"), ada.ID, true, "")
		if !errors.Is(err, store.ErrAccountExists) {
			t.Errorf("with the account's ID: %v, want ErrAccountExists", err)
		}
		d.Exec(t, "UPDATE users SET email = 'ada@example.com' WHERE id = '"+ada.ID+"'")
		wantReached(t, s, byCorp("5", "ada@example.com"), ada.ID)
	}},
	{"S29: of those who find an address changed by hand, one makes an account", func(t *testing.T, d Database) {
		s := d.Open(t)
		wantNew(t, s, byGoogle("1", moshe().Email))
		d.Exec(t, "UPDATE users SET email = 'cohen@example.com'")
		wantOneAccount(t, s, signInTogether(t, s, func(i int) providers.Identity {
			id := moshe()
			id.Issuer = "https://idp" + strconv.Itoa(i) + ".example"
			return id
		}))
	}},
	{"S27: accounts that we made are never adopted", func(t *testing.T, d Database) {
		d.makeUsers(t, false)
		s := d.Open(t)
		// The attack: an account at a provider whose addresses prove nothing, with
		// the victim's address; then a restart.
		dev := providers.Identity{Issuer: "http://localhost/dev", Subject: "666", Email: "moshe@example.com", EmailVerified: true}
		if _, _, err := s.FindOrCreateUser(t.Context(), "google", dev, "attacker", false, ""); err != nil {
			t.Fatal(err)
		}
		if err := s.SetDisabled(t.Context(), "attacker", false); err != nil {
			t.Fatal(err)
		}
		s = d.Open(t)
		victim := wantNew(t, s, byGoogle("1234", "moshe@example.com"))
		wantNew(t, s, byGoogle("666", "")) // provider_id is google:666
		if user, err := s.UserByEmail(t.Context(), "moshe@example.com"); err != nil || user.ID != victim.ID {
			t.Errorf("the address leads to %+v, %v", user, err)
		}
	}},
	{"users are found by address and listed", func(t *testing.T, d Database) {
		d.makeUsers(t, true,
			originalUser{providerID: "google:1", username: "a", email: "Ada@Example.com", joinDate: "2018-01-01 00:00:00.000000"},
			originalUser{providerID: "google:2", email: "ada@example.com", joinDate: "2017-01-01 00:00:00.000000"},
			originalUser{id: "empty", name: null, avatarURL: null, joinDate: null},
		)
		s := d.Open(t)
		for email, want := range map[string]string{
			"Ada@Example.com": md5ID("Ada@Example.com"), "ada@example.com": md5ID("ada@example.com"), "ADA@example.com": md5ID("ada@example.com"),
		} {
			if user, err := s.UserByEmail(t.Context(), email); err != nil || user.ID != want {
				t.Errorf("%q leads to %+v, %v; want %s", email, user, err, want)
			}
		}
		if user, err := s.UserByEmail(t.Context(), "@"); !errors.Is(err, providers.ErrNotFound) {
			t.Errorf("no address leads to %+v, %v", user, err)
		}
		wantUsers(t, s, "", 0, md5ID("ada@example.com"), md5ID("Ada@Example.com"), "empty")
		wantUsers(t, s, "EMPTY", 0, "empty")
	}},
}
