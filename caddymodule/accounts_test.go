package caddymodule_test

import (
	"crypto/md5"
	"database/sql"
	"encoding/hex"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/providers/providertest/fakegithub"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

// Contract 1.5, S27 to S29, rulings 12 to 15, at today's Google and at the
// original's own paths.
func TestAccountRules(t *testing.T) {
	t.Run("google", func(t *testing.T) { accountRules(t, newAccounts(t, nil, gatewaytest.Config{})) })
	t.Run("the original's google", func(t *testing.T) {
		google, asked := originalGoogle(t)
		a := newAccounts(t, google, gatewaytest.Config{})
		a.habits = []fakeidp.Fault{fakeidp.EmailInUserinfo}
		accountRules(t, a)
		for _, path := range []string{"/o/oauth2/auth", "/o/oauth2/token", "/oauth2/v1/userinfo"} {
			if asked(path) < 5 {
				t.Errorf("%s was asked %d times only", path, asked(path))
			}
		}
	})
}

func accountRules(t *testing.T, a *accounts) {
	t.Run("unverified addresses", func(t *testing.T) { unverifiedAddresses(t, a) })
	t.Run("second address", func(t *testing.T) { secondAddress(t, a) })
	t.Run("two providers, one person", func(t *testing.T) {
		first := a.byGitHub(t, fakegithub.Person{ID: 31, Login: "ruth-dev", Emails: fakegithub.Verified("ruth@example.com")})
		second := a.byGoogle(t, fakeidp.Person{Subject: "31", Email: "ruth@example.com", EmailVerified: true})
		if second.ID != first.ID || second.Username != "ruth-dev" || second.JoinDate != first.JoinDate {
			t.Errorf("by GitHub %+v\nby Google %+v", first, second)
		}
		if first.ProviderID != "github:31" || second.ProviderID != "google:31" {
			t.Errorf("provider_id is %q, then %q", first.ProviderID, second.ProviderID)
		}
		// Then the key is issuer and subject: the address may change.
		moved := a.byGoogle(t, fakeidp.Person{Subject: "31", Email: "ruth@moved.example", EmailVerified: true})
		if moved.ID != first.ID || moved.Email != "ruth@example.com" {
			t.Errorf("with another address: %+v, was %+v", moved, first)
		}
	})
	t.Run("usernames", func(t *testing.T) { usernames(t, a) })
}

// S27, the attack (O11): say that somebody's address is one's own.
func unverifiedAddresses(t *testing.T, a *accounts) {
	victim := a.byGoogle(t, fakeidp.Person{Subject: "1", Email: "ada@example.com", EmailVerified: true})
	if victim.Email != "ada@example.com" {
		t.Fatalf("the victim is %+v", victim)
	}
	for _, verified := range []any{false, nil, "true", 1} {
		a.google.Next(fakeidp.Person{Subject: "666", Email: "ada@example.com", EmailVerified: verified}, a.habits...)
		b, callback := a.callback(t, "google")
		wantFailure(t, a.Gateway, b, b.Navigate(callback), http.StatusForbidden, "email_unverified")
	}
	for name, emails := range map[string][]fakegithub.Email{
		"unverified": {{Email: "ada@example.com", Primary: true, Verified: false}},
		"text":       {{Email: "ada@example.com", Primary: true, Verified: "true"}},
		// The verified one is not what the person goes by.
		"verified second": {{Email: "eve@example.com", Primary: true, Verified: false}, {Email: "ada@example.com", Primary: false, Verified: true}},
		"none":            nil,
	} {
		a.github.Next(fakegithub.Person{ID: 666, Login: "eve", PublicEmail: "ada@example.com", Emails: emails})
		b, callback := a.callback(t, "github")
		answer := b.Navigate(callback)
		if answer.Status != http.StatusForbidden {
			t.Errorf("%s:", name)
		}
		wantFailure(t, a.Gateway, b, answer, http.StatusForbidden, "email_unverified")
	}
	// Nothing has stuck: once verified, eve is somebody of her own.
	eve := a.byGitHub(t, fakegithub.Person{ID: 666, Login: "eve", Emails: fakegithub.Verified("eve@example.com")})
	if eve.ID == victim.ID || eve.Username != "eve" {
		t.Errorf("eve is %+v", eve)
	}
}

// S27, O11: the original took the first address at GitHub that had an account.
func secondAddress(t *testing.T, a *accounts) {
	victim := a.byGoogle(t, fakeidp.Person{Subject: "21", Email: "bob@example.com", EmailVerified: true})
	emails := []fakegithub.Email{
		{Email: "bob@example.com", Primary: false, Verified: true},
		{Email: "mallory@example.com", Primary: true, Verified: true},
	}
	mallory := a.byGitHub(t, fakegithub.Person{ID: 21, Login: "mallory", PublicEmail: "bob@example.com", Emails: emails})
	if mallory.ID == victim.ID || mallory.Email != "mallory@example.com" {
		t.Errorf("mallory is %+v, the victim %+v", mallory, victim)
	}
	bob := a.byGitHub(t, fakegithub.Person{ID: 22, Login: "bobby", Emails: fakegithub.Verified("bob@example.com", "mallory@example.com")})
	if bob.ID != victim.ID || bob.Username != victim.Username {
		t.Errorf("with the primary address: %+v, want %+v", bob, victim)
	}
}

// S28: the original gave another name at each login (O13).
func usernames(t *testing.T, a *accounts) {
	moshe := fakegithub.Person{ID: 41, Login: "Moshe", Name: "Moshe", AvatarURL: "https://pictures.example/1.png", Emails: fakegithub.Verified("m@example.com")}
	first := a.byGitHub(t, moshe)
	other := a.byGoogle(t, fakeidp.Person{Subject: "42", Email: "moshe@example.org", EmailVerified: true})
	third := a.byGitHub(t, fakegithub.Person{ID: 43, Login: "MOSHE", Emails: fakegithub.Verified("m3@example.com")})
	if first.Username != "moshe" || other.Username != "moshe1" || third.Username != "moshe2" {
		t.Errorf("the usernames are %q, %q and %q", first.Username, other.Username, third.Username)
	}
	for _, login := range []string{"Moshe", "moshe-cohen", "Moshe"} {
		moshe.Login, moshe.Name, moshe.AvatarURL = login, "Moshe Cohen", "https://pictures.example/2.png"
		again := a.byGitHub(t, moshe)
		want := first
		want.Name, want.AvatarURL = moshe.Name, moshe.AvatarURL
		if again != want {
			t.Errorf("as %s:\ngot  %+v\nwant %+v", login, again, want)
		}
	}
	for username, id := range map[string]any{"moshe": first.ID, "MoShE1": other.ID, "moshe-cohen": nil} {
		var found map[string]any
		if parse(t, call(t, a.Gateway, "/auth/resolve?username="+username), &found); found["userid"] != id {
			t.Errorf("%s is %v, want %v", username, found["userid"], id)
		}
	}
}

// Ruling 13, contract 1.5: the ID is the MD5 of the address as the provider
// wrote it.
func TestMD5UserIDs(t *testing.T) {
	a := newAccounts(t, nil, gatewaytest.Config{Auth: "user_ids md5_email"})
	sum := md5.Sum([]byte("Ada.Lovelace@Example.com"))
	id := hex.EncodeToString(sum[:])
	user := a.byGoogle(t, fakeidp.Person{Subject: "1", Email: "Ada.Lovelace@Example.com", EmailVerified: true})
	if user.ID != id || user.Email != "Ada.Lovelace@Example.com" {
		t.Errorf("%+v, want the ID %s", user, id)
	}
	again := a.byGitHub(t, fakegithub.Person{ID: 1, Login: "ada", Emails: fakegithub.Verified("ada.lovelace@example.com")})
	if again.ID != id {
		t.Errorf("in another spelling: %s, want %s", again.ID, id)
	}
}

// S29, O13: of several first logins at once, one makes the account and the
// others find it.
func TestFirstLoginsAtOnce(t *testing.T) {
	for _, userIDs := range []string{"", "user_ids md5_email"} {
		a := newAccounts(t, nil, gatewaytest.Config{Auth: userIDs})
		for round := range 4 {
			address := fmt.Sprintf("one%d@example.com", round)
			google := fakeidp.Person{Subject: fmt.Sprint(round + 1), Email: address, EmailVerified: true}
			github := fakegithub.Person{ID: int64(round + 1), Login: fmt.Sprintf("other%d", round), Emails: fakegithub.Verified(address)}
			logins := []string{"google", "google", "google", "google", "google", "google"} // the same identity
			if round%2 == 1 {
				logins = []string{"google", "github", "google", "github", "google", "github"} // the same address
			}
			ids := atOnce(t, a, logins, google, github)
			if len(ids) != 1 {
				t.Errorf("%v at once are %d users: %v", logins, len(ids), ids)
			}
		}
		database, err := sql.Open("sqlite", filepath.Join(a.State, "data", "caddy", "auth", "auth.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer database.Close()
		var users int
		if err := database.QueryRow("SELECT COUNT(*) FROM users").Scan(&users); err != nil || users != 4 {
			t.Errorf("%d users, %v; want 4", users, err)
		}
	}
}

// atOnce lets several browsers come back from their providers at the same
// moment, and returns who they are.
func atOnce(t *testing.T, a *accounts, logins []string, google fakeidp.Person, github fakegithub.Person) map[account]bool {
	t.Helper()
	locations := make([]string, len(logins))
	begin := make(chan struct{})
	var all sync.WaitGroup
	for i, provider := range logins {
		a.google.Always(google)
		a.github.Always(github)
		b, callback := a.callback(t, provider)
		all.Go(func() {
			<-begin
			answer, err := b.Get(callback)
			if err != nil {
				t.Error(err)
				return
			}
			defer answer.Body.Close()
			if locations[i] = answer.Header.Get("Location"); answer.StatusCode != http.StatusFound {
				t.Errorf("%s at once: %d to %q", provider, answer.StatusCode, locations[i])
			}
		})
	}
	close(begin)
	all.Wait()
	users := make(map[account]bool)
	for _, location := range locations {
		if location == "" {
			continue
		}
		user := a.check(t, delivered(t, location))
		user.ProviderID, user.Name = "", "" // of the last one
		users[user] = true
	}
	return users
}
