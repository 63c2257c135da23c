package storetest

import (
	"errors"
	"testing"

	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/providers"
)

// github is moshe's identity there: the same address in another spelling.
func github() providers.Identity {
	return providers.Identity{
		Issuer: "https://github.com", Subject: "99", Email: "moshe@example.COM", EmailVerified: true, Username: "moshe-dev",
	}
}

var linkTests = []test{
	{"one verified address is one account", func(t *testing.T, s Store) {
		first, _ := signIn(t, s, "google", moshe(), "u1")
		user, created := signIn(t, s, "github", github(), "u2")
		want := first
		want.ProviderID = "github:99" // name and picture stay: GitHub gave none
		if created || user != want {
			t.Errorf("got %+v, created %v; want %+v", user, created, want)
		}
		// From now on the identity stands for itself, whatever its address.
		later := github()
		later.Email, later.EmailVerified = "", false
		if user, created := signIn(t, s, "github", later, "u3"); created || user.ID != "u1" {
			t.Errorf("later sign-in reached %+v, created %v", user, created)
		}
	}},
	{"S27: an unverified or malformed address joins nothing and is not kept", func(t *testing.T, s Store) {
		signIn(t, s, "google", moshe(), "victim")
		// The attack: add the victim's address to an account elsewhere and sign in.
		for i, address := range []struct {
			text     string
			verified bool
		}{
			{"Moshe@Example.com", false},
			{"moshe@example.com@evil.example", true},
			{"moshe@example.com\n", true},
			{" moshe@example.com", true},
			{"\"moshe@example.com\"", true},
			{"<moshe@example.com>", true},
			{"moshe@ｅxample.com", true}, // full-width e: NFKC would make it the victim's
			{"mosh\u212A@example.com", true},
			{"moshe", true},
			{"@example.com", true},
			{"", true},
		} {
			id := providers.Identity{Issuer: "https://github.com", Subject: string(rune('a' + i)), Email: address.text, EmailVerified: address.verified}
			user, created := signIn(t, s, "github", id, "attacker"+id.Subject)
			if !created || user.ID == "victim" {
				t.Errorf("address %q, verified %v, reached %+v", address.text, address.verified, user)
			}
			if user.Email != "" {
				t.Errorf("address %q, verified %v, was kept", address.text, address.verified)
			}
		}
	}},
	{"S27: an account made by an unverified address is not joined by a verified one", func(t *testing.T, s Store) {
		// The attack: take the address before its owner comes.
		early := github()
		early.EmailVerified = false
		signIn(t, s, "github", early, "attacker")
		if user, created := signIn(t, s, "google", moshe(), "u1"); !created || user.ID != "u1" || user.Email != moshe().Email {
			t.Errorf("the owner reached %+v, created %v", user, created)
		}
	}},
	{"a recycled address does not lead to its former owner's account", func(t *testing.T, s Store) {
		signIn(t, s, "google", moshe(), "u1")
		successor := moshe()
		successor.Subject = "5678"
		for range 2 { // the refusal must leave nothing behind that a second try could use
			_, _, err := s.FindOrCreateUser(t.Context(), "google", successor, "u2", true, "")
			if !errors.Is(err, store.ErrAccountExists) || errors.Is(err, providers.ErrUnavailable) {
				t.Errorf("err = %v, want ErrAccountExists", err)
			}
		}
		if _, err := s.User(t.Context(), "u2"); !errors.Is(err, providers.ErrNotFound) {
			t.Errorf("an account was made all the same: %v", err)
		}
	}},
	{"ruling 16: an identity that stays apart neither finds nor is found", func(t *testing.T, s Store) {
		signIn(t, s, "google", moshe(), "u1")
		apart := moshe()
		apart.Issuer = "http://localhost/dev"
		user, created, err := s.FindOrCreateUser(t.Context(), "dev", apart, "u2", false, "")
		if err != nil || !created || user.ID != "u2" || user.Email != apart.Email {
			t.Fatalf("got %+v, created %v, %v", user, created, err)
		}
		other := providers.Identity{Issuer: "http://localhost/dev", Subject: "2", Email: "ruth@example.com", EmailVerified: true}
		if _, _, err := s.FindOrCreateUser(t.Context(), "dev", other, "u3", false, ""); err != nil {
			t.Fatal(err)
		}
		other.Issuer = "https://accounts.google.com"
		if user, created := signIn(t, s, "google", other, "u4"); !created || user.ID != "u4" {
			t.Errorf("the real owner reached %+v, created %v", user, created)
		}
	}},
	{"a new user's ID is never one that is taken", func(t *testing.T, s Store) {
		before, _ := signIn(t, s, "google", moshe(), "u1")
		_, _, err := s.FindOrCreateUser(t.Context(), "github", person("2", "eve"), "u1", true, "")
		if !errors.Is(err, store.ErrAccountExists) {
			t.Errorf("err = %v, want ErrAccountExists", err)
		}
		if after, err := s.User(t.Context(), "u1"); err != nil || after != before {
			t.Errorf("the account has become %+v, %v", after, err)
		}
	}},
}
