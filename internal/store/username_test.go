package store

import (
	"strconv"
	"strings"
	"testing"
)

func TestValidUsername(t *testing.T) {
	for name, want := range map[string]bool{
		"a": true, "0": true, "moshe": true, "a.b_c-d": true, "x--": true, strings.Repeat("x", 64): true, "admin1": true,
		"": false, strings.Repeat("x", 65): false, "-a": false, ".a": false, "_a": false, "Moshe": false, "a b": false,
		"a/b": false, "a@b": false, "josé": false, "ａ": false, "a\n": false, "a\x00": false,
		// S28: names that pass for the service or for nobody.
		"admin": false, "root": false, "auth": false, "api": false, "login": false, "logout": false, "system": false,
		"null": false, "undefined": false, "me": false, "self": false, "www": false, "support": false,
		"security": false, "anonymous": false, "guest": false, "everyone": false, "user": false,
	} {
		if got := ValidUsername(name); got != want {
			t.Errorf("ValidUsername(%q) = %v, want %v", name, got, want)
		}
	}
}

func TestFoldUsername(t *testing.T) {
	for in, want := range map[string]string{
		"Moshe":       "moshe",
		"ＭＯＳＨＥ":       "moshe",
		"ﬁsh":         "fish",
		"\u212Belvin": "\u00e5elvin", // ANGSTROM SIGN
		"e\u0301":     "\u00e9",
		"\u0130":      "i",
		"":            "",
	} {
		got := FoldUsername(in)
		if got != want {
			t.Errorf("FoldUsername(%q) = %q, want %q", in, got, want)
		}
		if again := FoldUsername(got); again != got {
			t.Errorf("FoldUsername(%q) is not stable: %q", got, again)
		}
	}
}

func TestUsernameCandidates(t *testing.T) {
	for _, base := range []string{"moshe", "admin", strings.Repeat("x", 64)} {
		seen := map[string]bool{}
		var order []string
		for candidate := range usernameCandidates(base) {
			if !ValidUsername(candidate) || seen[candidate] {
				t.Errorf("%s: candidate %q is invalid or comes again", base, candidate)
			}
			seen[candidate] = true
			order = append(order, candidate)
		}
		if len(order) < 100 || len(order) > 120 {
			t.Errorf("%s: %d candidates", base, len(order))
		}
		if base == "moshe" && strings.Join(order[:3], " ") != "moshe moshe1 moshe2" {
			t.Errorf("first candidates are %q", order[:3])
		}
		if base == "admin" && order[0] != "admin1" {
			t.Errorf("first candidate is %q", order[0])
		}
	}
}

// Contract 1.5: a username is shown to others. Providers give an address for
// one (Microsoft's preferred_username is), and that must not be read off it.
func TestUsernameOfAddress(t *testing.T) {
	for wish, want := range map[string]string{
		"bob@corp.example":         "bob",
		"Bob.Smith@corp.example":   "bob.smith",
		"bob+news@corp.example":    "bobnews",
		"bob@a@corp.example":       "bob",
		"bob＠corp.example":         "bob",
		"bob﹫corp.example":         "bob",
		"bob@":                     "bob",
		"bob":                      "bob",
		"@corp.example":            "user",
		"משה@corp.example":         "user",
		`"bob smith"@corp.example`: "bobsmith",
	} {
		if got := usernameBase(wish); got != want {
			t.Errorf("usernameBase(%q) = %q, want %q", wish, got, want)
		}
	}
	s := openTest(t, "sqlite://", options{})
	for i, want := range []string{"bob", "bob1"} {
		id := google(strconv.Itoa(i))
		id.Username, id.Email = "Bob@corp.example", ""
		user, _, err := s.FindOrCreateUser(t.Context(), "corp", id, want, true, "")
		if err != nil || user.Username != want {
			t.Errorf("got %q, %v; want %q", user.Username, err, want)
		}
	}
}

// Whatever a provider sends becomes a username that is valid, with a suffix if
// it is reserved, and has nothing of what follows an "@".
func FuzzUsernameBase(f *testing.F) {
	for _, wish := range []string{"", "Moshe", "משה", "İ", "\xff", "..", "admin", strings.Repeat("é", 99), "bob@corp.example", "bob＠b@c", "@"} {
		f.Add(wish)
	}
	f.Fuzz(func(t *testing.T, wish string) {
		base := usernameBase(wish)
		if !ValidUsername(base) && !ValidUsername(withSuffix(base, 1)) {
			t.Errorf("usernameBase(%q) = %q", wish, base)
		}
		if FoldUsername(base) != base {
			t.Errorf("usernameBase(%q) = %q is not in folded form", wish, base)
		}
		if local, _, _ := strings.Cut(wish, "@"); usernameBase(local) != base {
			t.Errorf("usernameBase(%q) = %q, but before the @ there is %q", wish, base, local)
		}
	})
}
