package storetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/providers"
)

// wantName demands what is known of a user's name.
func wantName(t *testing.T, s Store, userID, username, display string, chosen bool) {
	t.Helper()
	gotDisplay, gotChosen, err := s.UsernameChosen(t.Context(), userID)
	if err != nil || gotDisplay != display || gotChosen != chosen {
		t.Errorf("UsernameChosen(%s) = %q, %v, %v; want %q, %v", userID, gotDisplay, gotChosen, err, display, chosen)
	}
	if user, err := s.User(t.Context(), userID); err != nil || user.Username != username {
		t.Errorf("%s is called %q, %v; want %q", userID, user.Username, err, username)
	}
	if username == "" {
		return
	}
	for _, name := range []string{username, display, strings.ToUpper(username)} {
		if user, err := s.UserByUsername(t.Context(), name); err != nil || user.ID != userID {
			t.Errorf("%q leads to %q, %v; want %s", name, user.ID, err, userID)
		}
	}
}

// choose chooses and demands an error, or none.
func choose(t *testing.T, s Store, userID, username string, keepCase bool, want error) {
	t.Helper()
	err := s.ChooseUsername(t.Context(), userID, username, keepCase)
	if !errors.Is(err, want) || want != nil && errors.Is(err, providers.ErrUnavailable) {
		t.Errorf("%s chooses %q: %v, want %v", userID, username, err, want)
	}
}

var choiceTests = []test{
	{"contract 1.2, update: a name made with the account counts as set", func(t *testing.T, s Store) {
		signIn(t, s, "google", moshe(), "u1")
		choose(t, s, "u1", "boss", false, store.ErrUsernameChosen)
		choose(t, s, "u1", "moshe", false, store.ErrUsernameChosen)
		wantName(t, s, "u1", "moshe", "moshe", false)
	}},
	{"ruling 14: os-conductor's users choose once, and their case is kept", func(t *testing.T, s Store) {
		signIn(t, s, "google", moshe(), "u1")
		wantName(t, s, "u1", "moshe", "moshe", false)
		choose(t, s, "u1", "New_Name", true, nil)
		wantName(t, s, "u1", "new_name", "New_Name", true)
		// S28: once, for good, in either dialect.
		for _, keepCase := range []bool{true, false} {
			for _, name := range []string{"other", "New_Name", "new_name", "", "!"} {
				choose(t, s, "u1", name, keepCase, store.ErrUsernameChosen)
			}
		}
		if user, _ := signIn(t, s, "google", moshe(), "u2"); user.Username != "new_name" {
			t.Errorf("S28: a sign-in has made the name %q", user.Username)
		}
		wantName(t, s, "u1", "new_name", "New_Name", true)
		// The name that was made is free for somebody else.
		if _, err := s.UserByUsername(t.Context(), "moshe"); !errors.Is(err, providers.ErrNotFound) {
			t.Errorf("the old name leads to somebody: %v", err)
		}
		if user, _ := signIn(t, s, "github", person("2", "Moshe"), "u2"); user.Username != "moshe" {
			t.Errorf("the next Moshe is called %q", user.Username)
		}
	}},
	{"S28: the name that was made may be chosen, too", func(t *testing.T, s Store) {
		signIn(t, s, "google", moshe(), "u1")
		choose(t, s, "u1", "Moshe", true, nil)
		wantName(t, s, "u1", "moshe", "Moshe", true)
		choose(t, s, "u1", "other", true, store.ErrUsernameChosen)
	}},
	{"S28: a name is somebody's whatever its case", func(t *testing.T, s Store) {
		signIn(t, s, "github", person("1", "moshe"), "u1")
		signIn(t, s, "github", person("2", "ruth"), "u2")
		// The attack: look like somebody else.
		for _, name := range []string{"moshe", "MOSHE", "ｍｏｓｈｅ", "Moshe"} {
			choose(t, s, "u2", name, true, store.ErrUsernameTaken)
		}
		wantName(t, s, "u2", "ruth", "ruth", false)
		choose(t, s, "u1", "Octo.Cat", true, nil)
		choose(t, s, "u2", "octo.cat", true, store.ErrUsernameTaken)
		choose(t, s, "u2", "moshe", true, nil) // now it is free
		wantName(t, s, "u2", "moshe", "moshe", true)
	}},
	{"S28: invalid and reserved names are refused", func(t *testing.T, s Store) {
		signIn(t, s, "google", moshe(), "u1")
		for _, name := range []string{
			"", " ", "admin", "Admin", "ＲＯＯＴ", "a b", " moshe", "moshe\n", "-x", ".", "a/b", "a@b", "josé", "мoshe", "a\x00", "\xff",
			strings.Repeat("x", 65), "x'; DROP TABLE users; --",
		} {
			choose(t, s, "u1", name, true, store.ErrUsernameInvalid)
		}
		wantName(t, s, "u1", "moshe", "moshe", false)
		choose(t, s, "u1", strings.Repeat("x", 64), true, nil)
	}},
	{"nothing but case is kept of what was typed", func(t *testing.T, s Store) {
		for i, c := range []struct{ typed, username, display string }{
			{"ＷｉＤＥ", "wide", "WiDE"},
			{"\u212Aelvin", "kelvin", "Kelvin"}, // KELVIN SIGN
			{"d\u0130sk", "disk", "disk"},       // no other letter that folds to an i
			{"A-b.C_1", "a-b.c_1", "A-b.C_1"},
		} {
			id := fmt.Sprintf("u%d", i)
			signIn(t, s, "github", person(id, "user"), id)
			choose(t, s, id, c.typed, true, nil)
			wantName(t, s, id, c.username, c.display, true)
		}
	}},
	{"nobody chooses nothing", func(t *testing.T, s Store) {
		for _, id := range []string{"", "nobody"} {
			choose(t, s, id, "moshe", true, providers.ErrNotFound)
			choose(t, s, id, "", false, providers.ErrNotFound)
			if _, _, err := s.UsernameChosen(t.Context(), id); !errors.Is(err, providers.ErrNotFound) {
				t.Errorf("UsernameChosen(%q): %v", id, err)
			}
		}
		if user, _ := signIn(t, s, "google", moshe(), "u1"); user.Username != "moshe" {
			t.Errorf("the name of nobody is taken: %q", user.Username)
		}
	}},
	{"S28: of many who choose one name at once, one has it", func(t *testing.T, s Store) {
		for i := range crowd {
			signIn(t, s, "github", person(fmt.Sprint(i), fmt.Sprintf("made%d", i)), fmt.Sprintf("u%d", i))
		}
		errs := make([]error, crowd)
		together(func(i int) {
			errs[i] = s.ChooseUsername(t.Context(), fmt.Sprintf("u%d", i), []string{"boss", "BOSS"}[i%2], true)
		})
		winners := 0
		for i, err := range errs {
			if err == nil {
				winners++
				wantName(t, s, fmt.Sprintf("u%d", i), "boss", []string{"boss", "BOSS"}[i%2], true)
			} else if !errors.Is(err, store.ErrUsernameTaken) {
				t.Errorf("choice %d: %v", i, err)
			}
		}
		if winners != 1 {
			t.Errorf("%d of %d have the name", winners, crowd)
		}
	}},
	{"S28: of many choices of one user at once, one counts", func(t *testing.T, s Store) {
		signIn(t, s, "google", moshe(), "u1")
		errs := make([]error, crowd)
		together(func(i int) { errs[i] = s.ChooseUsername(t.Context(), "u1", fmt.Sprintf("Name%d", i), true) })
		winner := -1
		for i, err := range errs {
			if err == nil && winner < 0 {
				winner = i
			} else if !errors.Is(err, store.ErrUsernameChosen) {
				t.Errorf("choice %d after %d: %v", i, winner, err)
			}
		}
		if winner < 0 {
			t.Fatal("no choice counted")
		}
		wantName(t, s, "u1", fmt.Sprintf("name%d", winner), fmt.Sprintf("Name%d", winner), true)
	}},
}
