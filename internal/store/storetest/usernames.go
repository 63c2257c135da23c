package storetest

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/providers"
)

var usernameTests = []test{
	{"S28: a wish is made valid", func(t *testing.T, s Store) {
		for i, c := range []struct{ username, email, want string }{
			{"Octocat", "", "octocat"},
			{"octo-cat_1.x", "", "octo-cat_1.x"},
			{"", "Ruth.Levi@example.com", "ruth.levi"},
			{"", "avi+news@example.com", "avinews"},
			{"José García", "", "josegarcia"},
			{"ＷＩＤＥ", "", "wide"},
			{"-._dash", "", "dash"},
			{"משה", "", "user1"}, // "user" is reserved
			{"", "", "user2"},
			{"Root", "", "root1"},
			{"ROOT", "", "root2"},
			{"../../etc/passwd", "", "etcpasswd"},
			{"a<script>", "", "ascript"},
			{strings.Repeat("x", 100), "", strings.Repeat("x", 64)},
			{strings.Repeat("x", 100), "", strings.Repeat("x", 63) + "1"},
		} {
			id := person(strconv.Itoa(i), c.username)
			id.Email, id.EmailVerified = c.email, true
			if user, _ := signIn(t, s, "github", id, strconv.Itoa(i)); user.Username != c.want {
				t.Errorf("wish %q, address %q: username %q, want %q", c.username, c.email, user.Username, c.want)
			}
		}
	}},
	{"taken names get 1, 2, 3", func(t *testing.T, s Store) {
		for i, want := range []string{"moshe", "moshe1", "moshe2", "moshe3"} {
			wish := []string{"moshe", "MOSHE", "Moshe", "ｍoshe"}[i]
			if user, _ := signIn(t, s, "github", person(want, wish), want); user.Username != want {
				t.Errorf("wish %q: username %q, want %q", wish, user.Username, want)
			}
		}
	}},
	{"users are found by username, whatever its case", func(t *testing.T, s Store) {
		want, _ := signIn(t, s, "github", person("1", "Octo.Cat"), "u1")
		for _, name := range []string{"octo.cat", "OCTO.CAT", "Octo.Cat", "ｏcto.cat"} {
			if user, err := s.UserByUsername(t.Context(), name); err != nil || user != want {
				t.Errorf("%q: %+v, %v", name, user, err)
			}
		}
		for _, name := range []string{"octo_cat", "octo%", "octo.cat ", "octo"} {
			if user, err := s.UserByUsername(t.Context(), name); !errors.Is(err, providers.ErrNotFound) {
				t.Errorf("%q: %+v, %v; want not found", name, user, err)
			}
		}
	}},
}
