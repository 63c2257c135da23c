package storetest

import (
	"errors"
	"testing"

	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/providers"
)

var adoptedNameTests = []adoptionTest{
	{"ruling 14: adopted names stay as they are and count as chosen", func(t *testing.T, d Database) {
		d.makeUsers(t, false,
			originalUser{id: "u1", providerID: "github:1", username: "moshe1"},
			originalUser{id: "u2", providerID: "github:2", username: "Old Name ü"}, // nobody could get it today
		)
		s := d.Open(t)
		for userID, name := range map[string]string{"u1": "moshe1", "u2": "Old Name ü"} {
			wantName(t, s, userID, name, name, true)
			for _, keepCase := range []bool{true, false} {
				choose(t, s, userID, "other", keepCase, store.ErrUsernameChosen)
			}
		}
		// The original would make it moshe, and then moshe1 again.
		id := byGitHub("1", "")
		id.Username = "moshe"
		if user := wantReached(t, s, id, "u1"); user.Username != "moshe1" {
			t.Errorf("S28: a sign-in has made the name %q", user.Username)
		}
		wantName(t, s, "u1", "moshe1", "moshe1", true)
	}},
	{"a user of 2017 without a name signs in without and chooses one", func(t *testing.T, d Database) {
		d.makeUsers(t, true,
			originalUser{id: "u1", providerID: "github:1", name: null, avatarURL: null, joinDate: null},
			originalUser{id: "u2", providerID: "github:2"},
			originalUser{id: "u3", providerID: "github:3", username: "Taken"},
			originalUser{id: "u4", providerID: "github:4"},
		)
		s := d.Open(t)
		user := wantReached(t, s, byGitHub("1", "u1@example.com"), "u1")
		want := providers.User{ID: "u1", ProviderID: "github:1"}
		if user != want {
			t.Errorf("got %+v, want %+v", user, want)
		}
		wantName(t, s, "u1", "", "", false)
		for _, keepCase := range []bool{true, false} {
			choose(t, s, "u1", "taken", keepCase, store.ErrUsernameTaken)
			choose(t, s, "u1", "no name", keepCase, store.ErrUsernameInvalid)
		}
		choose(t, s, "u1", "New_Name", true, nil)
		wantName(t, s, "u1", "new_name", "New_Name", true)
		choose(t, s, "u2", "NEW_name", false, store.ErrUsernameTaken)
		choose(t, s, "u2", "Moshe", false, nil) // contract 1.5: stored lower-cased
		wantName(t, s, "u2", "moshe", "moshe", true)
		for _, userID := range []string{"u1", "u2"} {
			choose(t, s, userID, "third", true, store.ErrUsernameChosen)
			choose(t, s, userID, "third", false, store.ErrUsernameChosen)
		}
		s = d.Open(t)
		wantName(t, s, "u1", "new_name", "New_Name", true)
		wantName(t, s, "u4", "", "", false)
	}},
	{"S28: of many who choose one name at once, one has it", func(t *testing.T, d Database) {
		var users []originalUser
		for i := range crowd {
			users = append(users, originalUser{id: string(rune('A' + i))})
		}
		d.makeUsers(t, true, users...)
		s := d.Open(t)
		errs := make([]error, crowd)
		together(func(i int) { errs[i] = s.ChooseUsername(t.Context(), users[i].id, "boss", false) })
		winners := 0
		for i, err := range errs {
			if err == nil {
				winners++
				wantName(t, s, users[i].id, "boss", "boss", true)
			} else {
				wantName(t, s, users[i].id, "", "", false)
				if !errors.Is(err, store.ErrUsernameTaken) {
					t.Errorf("choice %d: %v", i, err)
				}
			}
		}
		if winners != 1 {
			t.Errorf("%d of %d have the name", winners, crowd)
		}
	}},
	{"one folded name of several rows is the oldest's", func(t *testing.T, d Database) {
		d.makeUsers(t, true,
			originalUser{id: "u1", providerID: "github:1", username: "Ruth", joinDate: "2018-01-01 00:00:00.000000"},
			originalUser{id: "u2", providerID: "github:2", username: "ＲＵＴＨ", joinDate: "2017-01-01 00:00:00.000000"},
			originalUser{id: "u3", providerID: "github:3", username: "ruth", joinDate: null},
		)
		s := d.Open(t)
		wantName(t, s, "u2", "ＲＵＴＨ", "ＲＵＴＨ", true)
		for userID, name := range map[string]string{"u1": "Ruth", "u3": "ruth"} {
			display, chosen, err := s.UsernameChosen(t.Context(), userID)
			if err != nil || display != name || !chosen {
				t.Errorf("%s is called %q, chosen %v, %v", userID, display, chosen, err)
			}
			choose(t, s, userID, "other", true, store.ErrUsernameChosen)
		}
	}},
	{"S28: new names stay clear of old ones", func(t *testing.T, d Database) {
		d.makeUsers(t, true, originalUser{id: "u1", username: "Ruth"}, originalUser{id: "u2", username: "moshe"})
		s := d.Open(t)
		for i, want := range []string{"ruth1", "moshe1", "ruth2"} {
			id := byGitHub("new"+want, "")
			id.Username = []string{"ruth", "moshe", "Ruth"}[i]
			if user := wantNew(t, s, id); user.Username != want {
				t.Errorf("the new user is called %q, want %q", user.Username, want)
			}
		}
	}},
	{"a name that was taken away by hand may be chosen again", func(t *testing.T, d Database) {
		d.makeUsers(t, true, originalUser{id: "u1", username: "rude"}, originalUser{id: "u2"})
		s := d.Open(t)
		choose(t, s, "u2", "ruder", false, nil)
		d.Exec(t, "UPDATE users SET username = NULL")
		wantName(t, s, "u1", "", "", false) // at once
		choose(t, s, "u1", "polite", false, nil)
		wantName(t, s, "u1", "polite", "polite", true)
		s = d.Open(t)
		wantName(t, s, "u2", "", "", false)
		if user, err := s.UserByUsername(t.Context(), "ruder"); !errors.Is(err, providers.ErrNotFound) {
			t.Errorf("the name leads to %+v, %v", user, err)
		}
	}},
}
