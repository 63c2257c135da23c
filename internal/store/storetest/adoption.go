package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/providers"
)

const (
	googleIssuer = "https://accounts.google.com"
	githubIssuer = "https://github.com"
)

// byGoogle and byGitHub are identities that have an address, verified.
func byGoogle(subject, email string) providers.Identity {
	return providers.Identity{Issuer: googleIssuer, Subject: subject, Email: email, EmailVerified: email != ""}
}

func byGitHub(subject, email string) providers.Identity {
	return providers.Identity{Issuer: githubIssuer, Subject: subject, Email: email, EmailVerified: email != "", Username: "gh" + subject}
}

// legacyOf is what the original called an issuer.
func legacyOf(issuer string) string {
	return map[string]string{googleIssuer: "google", githubIssuer: "github"}[issuer]
}

// reach signs in as the gateway does by Google and GitHub.
func reach(ctx context.Context, s Store, id providers.Identity) (providers.User, bool, error) {
	legacy := legacyOf(id.Issuer)
	provider := legacy
	if provider == "" {
		provider = "google" // ruling 12: an operator may call any provider so
	}
	return s.FindOrCreateUser(ctx, provider, id, "new-"+provider+"-"+id.Subject, true, legacy)
}

// wantReached demands that an identity leads to an account that was there, now
// and later, when only issuer and subject count.
func wantReached(t *testing.T, s Store, id providers.Identity, userID string) providers.User {
	t.Helper()
	user, created, err := reach(t.Context(), s, id)
	if err != nil || created || user.ID != userID {
		t.Errorf("%s %s reached %q, created %v, %v; want %q", id.Issuer, id.Subject, user.ID, created, err, userID)
		return user
	}
	bare := providers.Identity{Issuer: id.Issuer, Subject: id.Subject}
	if again, created, err := s.FindOrCreateUser(t.Context(), "x", bare, "never", false, ""); err != nil || created || again.ID != userID {
		t.Errorf("%s %s, once more, reached %q, created %v, %v; want %q", id.Issuer, id.Subject, again.ID, created, err, userID)
	}
	return user
}

// wantNew demands that an identity makes an account.
func wantNew(t *testing.T, s Store, id providers.Identity) providers.User {
	t.Helper()
	user, created, err := reach(t.Context(), s, id)
	if err != nil || !created {
		t.Errorf("%s %s reached %+v, created %v, %v; want a new account", id.Issuer, id.Subject, user, created, err)
	}
	return user
}

// wantRefused demands that an identity reaches nothing, however often it tries.
func wantRefused(t *testing.T, s Store, id providers.Identity) {
	t.Helper()
	for range 2 {
		user, _, err := reach(t.Context(), s, id)
		if !errors.Is(err, store.ErrAccountExists) || errors.Is(err, providers.ErrUnavailable) {
			t.Errorf("%s %s reached %+v, %v; want ErrAccountExists", id.Issuer, id.Subject, user, err)
		}
	}
}

var oldMoshe = originalUser{providerID: "google:1234", username: "moshe", email: "moshe@example.com"}

var adoptionTests = []adoptionTest{
	{"a sign-in finds its account by provider_id", func(t *testing.T, d Database) {
		d.makeUsers(t, false, oldMoshe)
		s := d.Open(t)
		id := byGoogle("1234", "moshe.cohen@example.org")
		id.Name, id.Username, id.AvatarURL = "Moshe Cohen", "cohen", "https://pictures.example/new.png"
		got := wantReached(t, s, id, md5ID("moshe@example.com"))
		// Contract 1.5 as amended by S28.
		want := providers.User{
			ID: md5ID("moshe@example.com"), ProviderID: "google:1234", Username: "moshe", Name: "Moshe Cohen",
			Email: "moshe@example.com", AvatarURL: "https://pictures.example/new.png", JoinDate: joined,
		}
		if got != want {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
		want.ProviderID = "x:1234" // by wantReached
		if read, err := s.User(t.Context(), want.ID); err != nil || read != want {
			t.Errorf("read back %+v, %v\nwant %+v", read, err, want)
		}
	}},
	{"ruling 12: a provider_id is found only by whom it is about", func(t *testing.T, d Database) {
		d.makeUsers(t, false, oldMoshe, originalUser{id: "blank", providerID: "google:", username: "blank"}, originalUser{id: "none", username: "none"})
		s := d.Open(t)
		// The attack: an operator's own provider is called google, and somebody
		// has a subject there that is Moshe's at Google.
		wantNew(t, s, providers.Identity{Issuer: "https://evil.example", Subject: "1234", Email: "eve@example.com", EmailVerified: true})
		wantNew(t, s, byGitHub("1234", ""))
		wantNew(t, s, byGoogle("12345", ""))
		wantNew(t, s, byGoogle("1234 ", ""))
		wantReached(t, s, byGoogle("1234", ""), md5ID("moshe@example.com"))
	}},
	{"ruling 12: what we write as provider_id is not believed", func(t *testing.T, d Database) {
		// The attack: sign in to one's own old account by the operator's provider
		// called google, as subject 666, and wait for Google's 666.
		d.makeUsers(t, false, originalUser{providerID: "github:5", username: "eve", email: "eve@example.com"})
		s := d.Open(t)
		eve := providers.Identity{Issuer: "https://evil.example", Subject: "666", Email: "eve@example.com", EmailVerified: true}
		if user, _, err := reach(t.Context(), s, eve); err != nil || user.ProviderID != "google:666" {
			t.Fatalf("the test itself: %+v, %v", user, err)
		}
		// After a restart as well, and when the row is read again since something
		// else in it has changed.
		for _, meanwhile := range []string{"", "UPDATE users SET email = 'eve@example.org' WHERE username = 'eve'", ""} {
			if meanwhile != "" {
				d.Exec(t, meanwhile)
				s = d.Open(t)
			}
			wantNew(t, s, byGoogle("666", ""))
			d.Exec(t, "DELETE FROM auth_identities WHERE subject = '666' AND issuer = '"+googleIssuer+"'")
			d.Exec(t, "DELETE FROM auth_accounts WHERE user_id = 'new-google-666'")
			d.Exec(t, "DELETE FROM auth_usernames WHERE user_id = 'new-google-666'")
			d.Exec(t, "DELETE FROM users WHERE id = 'new-google-666'")
			s = d.Open(t)
		}
		wantReached(t, s, byGitHub("5", ""), md5ID("eve@example.com"))
	}},
	{"of several rows with one provider_id, the address chooses, then age", func(t *testing.T, d Database) {
		d.makeUsers(t, false,
			originalUser{providerID: "google:1", username: "a", email: "a@example.com", joinDate: "2018-01-01 00:00:00.000000"},
			originalUser{providerID: "google:1", username: "b", email: "b@example.com", joinDate: "2017-01-01 00:00:00.000000"},
			originalUser{providerID: "google:1", username: "c", email: "c@example.com", joinDate: null},
			originalUser{providerID: "google:2", username: "d", email: "d@example.com", joinDate: "2018-01-01 00:00:00.000000"},
			originalUser{providerID: "google:2", username: "e", email: "E@example.com", joinDate: "2017-01-01 00:00:00.000000"},
			originalUser{providerID: "google:4", username: "h", email: "H@example.com", joinDate: "2017-01-01 00:00:00.000000"},
			originalUser{providerID: "google:4", username: "i", email: "h@example.com", joinDate: "2018-01-01 00:00:00.000000"},
			originalUser{id: "f", providerID: "google:3", username: "f", email: "f@example.com", joinDate: "2018-01-01 00:00:00.000000"},
			originalUser{id: "g", providerID: "google:3", username: "g", email: "G@example.com", joinDate: "2019-01-01 00:00:00.000000"},
		)
		s := d.Open(t)
		wantReached(t, s, byGoogle("1", "elsewhere@example.com"), md5ID("b@example.com"))
		wantReached(t, s, byGoogle("2", "d@example.com"), md5ID("d@example.com"))
		wantReached(t, s, byGoogle("3", "g@example.com"), "g")
		wantReached(t, s, byGoogle("4", "h@example.com"), md5ID("h@example.com"))
	}},
	{"S27: an identity that stays apart reaches no old row", func(t *testing.T, d Database) {
		d.makeUsers(t, false, oldMoshe)
		s := d.Open(t)
		// Ruling 16, with the old row's ID and name to boot.
		user, created, err := s.FindOrCreateUser(t.Context(), "google", byGoogle("1234", "moshe@example.com"), "apart", false, "google")
		if err != nil || !created || user.ID != "apart" {
			t.Errorf("got %+v, created %v, %v; want a new account", user, created, err)
		}
		_, _, err = s.FindOrCreateUser(t.Context(), "dev", byGoogle("9", "moshe@example.com"), md5ID("moshe@example.com"), false, "")
		if !errors.Is(err, store.ErrAccountExists) {
			t.Errorf("with the old row's ID: %v, want ErrAccountExists", err)
		}
	}},
	{"ruling 13: an ID made of the address may be an old row's", func(t *testing.T, d Database) {
		d.makeUsers(t, false, oldMoshe, originalUser{providerID: "github:5", username: "ruth", email: "ruth@example.com"})
		s := d.Open(t)
		for _, c := range []struct {
			id   providers.Identity
			want string
			err  error
		}{
			{byGoogle("1234", "moshe@example.com"), "moshe", nil},
			{byGoogle("77", "ruth@example.com"), "ruth", nil},
			{byGitHub("6", "ruth@example.com"), "", store.ErrAccountExists},
		} {
			user, created, err := s.FindOrCreateUser(t.Context(), "x", c.id, md5ID(c.id.Email), true, legacyOf(c.id.Issuer))
			if !errors.Is(err, c.err) || created || user.Username != c.want {
				t.Errorf("%+v reached %+v, created %v, %v; want %q, %v", c.id, user, created, err, c.want, c.err)
			}
		}
	}},
	{"a disabled user stays so", func(t *testing.T, d Database) {
		d.makeUsers(t, false, oldMoshe)
		s := d.Open(t)
		if err := s.SetDisabled(t.Context(), md5ID("moshe@example.com"), true); err != nil {
			t.Fatal(err)
		}
		if user := wantReached(t, s, byGoogle("1234", ""), md5ID("moshe@example.com")); !user.Disabled {
			t.Error("by provider_id he is not disabled")
		}
		if user := wantReached(t, s, byGitHub("5", "moshe@example.com"), md5ID("moshe@example.com")); !user.Disabled {
			t.Error("by address he is not disabled")
		}
	}},
	{"a deleted old row is gone", func(t *testing.T, d Database) {
		d.makeUsers(t, false, oldMoshe, originalUser{providerID: "github:5", username: "ruth", email: "ruth@example.com"})
		s := d.Open(t)
		wantReached(t, s, byGitHub("5", ""), md5ID("ruth@example.com"))
		d.Exec(t, "DELETE FROM users")
		wantNew(t, s, byGitHub("5", "ruth@example.com"))
		// Ruling 13: the address's next owner has its ID, and inherits nothing else.
		next, created, err := s.FindOrCreateUser(t.Context(), "google", byGoogle("5678", "moshe@example.com"), md5ID("moshe@example.com"), true, "google")
		if err != nil || !created || next.ID != md5ID("moshe@example.com") {
			t.Fatalf("got %+v, created %v, %v; want a new account", next, created, err)
		}
		wantNew(t, s, byGoogle("1234", ""))
	}},
	{"S29: first sign-ins at once reach the one old account", func(t *testing.T, d Database) {
		d.makeUsers(t, false, oldMoshe, originalUser{providerID: "github:5", username: "ruth", email: "ruth@example.com"})
		s := d.Open(t)
		together(func(i int) {
			id, want := byGoogle("1234", "moshe@example.com"), md5ID("moshe@example.com")
			switch i % 4 {
			case 1:
				id = byGitHub("9", "Moshe@example.com")
			case 2:
				id, want = byGitHub("5", "ruth@example.com"), md5ID("ruth@example.com")
			case 3:
				id, want = byGoogle("10", "RUTH@example.com"), md5ID("ruth@example.com")
			}
			if user, created, err := reach(t.Context(), s, id); err != nil || created || user.ID != want {
				t.Errorf("sign-in %d reached %q, created %v, %v; want %q", i, user.ID, created, err, want)
			}
		})
	}},
	{"S29: of two new subjects of one old address, one gets the account", func(t *testing.T, d Database) {
		d.makeUsers(t, false, originalUser{providerID: "github:5", username: "ruth", email: "ruth@example.com"})
		s := d.Open(t)
		var outcomes [crowd]outcome
		together(func(i int) {
			o := &outcomes[i]
			o.user, o.created, o.err = reach(t.Context(), s, byGoogle(fmt.Sprint(i%2), "ruth@example.com"))
		})
		var reached [2]bool
		for i, o := range outcomes {
			if o.err == nil && (o.created || o.user.ID != md5ID("ruth@example.com")) || o.err != nil && !errors.Is(o.err, store.ErrAccountExists) {
				t.Errorf("sign-in %d: %+v", i, o)
			}
			reached[i%2] = reached[i%2] || o.err == nil
		}
		if reached[0] == reached[1] {
			t.Errorf("the subjects reached the account: %v", reached)
		}
	}},
}
