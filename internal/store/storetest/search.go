package storetest

import (
	"errors"
	"slices"
	"testing"

	"github.com/datahq/auth-gateway/providers"
)

// wantUsers demands who is found by a text.
func wantUsers(t *testing.T, s Store, query string, limit int, want ...string) {
	t.Helper()
	users, err := s.Users(t.Context(), query, limit)
	if err != nil {
		t.Errorf("Users(%q): %v", query, err)
	}
	var got []string
	for _, user := range users {
		got = append(got, user.ID)
		if read, err := s.User(t.Context(), user.ID); err != nil || read != user {
			t.Errorf("Users(%q): %+v; User: %+v, %v", query, user, read, err)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("Users(%q, %d) = %v, want %v", query, limit, got, want)
	}
}

var searchTests = []test{
	{"users are found by what they are called", func(t *testing.T, s Store) {
		wantUsers(t, s, "", 0)
		signIn(t, s, "google", moshe(), "u1")
		signIn(t, s, "github", person("77", "ruth_l"), "u2")
		signIn(t, s, "github", person("78", "ruthxl"), "u3")
		if err := s.SetDisabled(t.Context(), "u3", true); err != nil {
			t.Fatal(err)
		}
		for query, want := range map[string][]string{
			"":            {"u1", "u2", "u3"},
			"u2":          {"u2"},
			"MOSHE":       {"u1"},
			"cohen":       {"u1"},
			"@example":    {"u1"},
			"google:1234": {"u1"},
			"github:":     {"u2", "u3"},
			"ruth_":       {"u2"}, // no pattern
			"%":           nil,
			"!":           nil,
			"x' OR '1":    nil,
			"\x00":        nil,
			"nobody":      nil,
		} {
			wantUsers(t, s, query, 0, want...)
		}
		wantUsers(t, s, "", 2, "u1", "u2")
		wantUsers(t, s, "ruth", 1, "u2")
		wantUsers(t, s, "", -1, "u1", "u2", "u3")
	}},
	{"a user is found by the verified address", func(t *testing.T, s Store) {
		want, _ := signIn(t, s, "google", moshe(), "u1")
		unverified := providers.Identity{Issuer: "https://github.com", Subject: "9", Email: "eve@example.com"}
		signIn(t, s, "github", unverified, "u2")
		for _, email := range []string{"Moshe@Example.com", "moshe@example.com", "MOSHE@EXAMPLE.COM"} {
			if user, err := s.UserByEmail(t.Context(), email); err != nil || user != want {
				t.Errorf("%q: %+v, %v", email, user, err)
			}
		}
		for _, email := range []string{"", "moshe", "eve@example.com", "moshe@example", "%@example.com", "moshe@example.com\n"} {
			if user, err := s.UserByEmail(t.Context(), email); !errors.Is(err, providers.ErrNotFound) {
				t.Errorf("%q: %+v, %v", email, user, err)
			}
		}
	}},
	// The attack: call oneself the boss at a provider whose addresses prove
	// nothing, and wait for an administrator to grant by address.
	{"an address that proves nothing leads to nobody", func(t *testing.T, s Store) {
		boss := providers.Identity{Issuer: "http://localhost/dev", Subject: "1", Email: "boss@example.com", EmailVerified: true}
		if _, _, err := s.FindOrCreateUser(t.Context(), "dev", boss, "u1", false, ""); err != nil {
			t.Fatal(err)
		}
		boss.Subject = "2"
		if _, _, err := s.FindOrCreateUser(t.Context(), "dev", boss, md5ID(boss.Email), false, ""); err != nil {
			t.Fatal(err)
		}
		if user, err := s.UserByEmail(t.Context(), "boss@example.com"); !errors.Is(err, providers.ErrNotFound) {
			t.Errorf("%+v, %v", user, err)
		}
	}},
}
