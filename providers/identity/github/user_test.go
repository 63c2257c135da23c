package github

import (
	"reflect"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/providers"
	"github.com/datahq/auth-gateway/providers/providertest/fakegithub"
)

// S27: the subject is the account key. What is not exactly GitHub's number is
// nobody's.
func TestSubject(t *testing.T) {
	w := newWorld(t, fakegithub.Config{})
	for _, wrong := range []any{
		"1234", nil, 0, -1, 1.5, true,
		[]int{1},
		map[string]any{},
		"", strings.Repeat("9", 30),
		jsonNumber("1e3"), jsonNumber("1234.0"), jsonNumber("-0"), jsonNumber(strings.Repeat("9", 20)),
	} {
		person := ada
		person.Extra = map[string]any{"id": wrong}
		if who, err := w.signIn(t, person); err == nil || !strings.Contains(err.Error(), "no id") {
			t.Errorf("id %v: %+v, %v", wrong, who, err)
		}
	}
	// Above 2^53 a float64 would make two people one.
	for _, right := range []string{"1", "9007199254740993", "9223372036854775807"} {
		person := ada
		person.Extra = map[string]any{"id": jsonNumber(right)}
		if who, err := w.signIn(t, person); err != nil || who.Subject != right {
			t.Errorf("id %s: %+v, %v", right, who, err)
		}
	}
}

// jsonNumber is written into JSON as it is.
type jsonNumber string

func (n jsonNumber) MarshalJSON() ([]byte, error) { return []byte(n), nil }

// encoding/json takes "ID" for a field "id".
func TestMemberNamesAreExact(t *testing.T) {
	w := newWorld(t, fakegithub.Config{})
	mallory := ada
	mallory.ID = 666
	mallory.Extra = map[string]any{"ID": 1234, "Id": 1234, "LOGIN": "root"}
	who, err := w.signIn(t, mallory)
	if err != nil || who.Subject != "666" || who.Username != "ada" {
		t.Errorf("got %+v, %v", who, err)
	}
}

func TestProfile(t *testing.T) {
	tests := []struct {
		name  string
		extra map[string]any
		field func(providers.Identity) any
		want  any
	}{
		{"no name", map[string]any{"name": nil}, name, "ada"},
		{"empty name", map[string]any{"name": ""}, name, "ada"},
		{"blank name", map[string]any{"name": " \t "}, name, "ada"},
		{"name of another type", map[string]any{"name": 7}, name, "ada"},
		{"control characters in a name", map[string]any{"name": " Ada\r\nLovelace\x00 "}, name, "AdaLovelace"},
		{"long name", map[string]any{"name": strings.Repeat("ä", 300)}, name, strings.Repeat("ä", 256)},
		{"picture", map[string]any{"avatar_url": "https://img.example/a"}, avatar, "https://img.example/a"},
		{"no picture", map[string]any{"avatar_url": nil}, avatar, ""},
		{"script for a picture", map[string]any{"avatar_url": "javascript:alert(1)"}, avatar, ""},
		{"long picture", map[string]any{"avatar_url": "https://img.example/" + strings.Repeat("a", 512)}, avatar, ""},
		{"login as it is written", map[string]any{"login": "Ada-Lovelace"}, username, "Ada-Lovelace"},
	}
	w := newWorld(t, fakegithub.Config{})
	for _, test := range tests {
		person := ada
		person.Extra = test.extra
		who, err := w.signIn(t, person)
		if got := test.field(who); err != nil || got != test.want {
			t.Errorf("%s: %v, %v; want %v", test.name, got, err, test.want)
		}
	}
	for _, login := range []any{nil, "", " ", 7} {
		person := ada
		person.Extra = map[string]any{"login": login}
		if who, err := w.signIn(t, person); err == nil || !strings.Contains(err.Error(), "no login") {
			t.Errorf("login %v: %+v, %v", login, who, err)
		}
	}
}

func name(who providers.Identity) any     { return who.Name }
func avatar(who providers.Identity) any   { return who.AvatarURL }
func username(who providers.Identity) any { return who.Username }

// S45: what only the token lets one read, and tokens themselves, are in nothing
// that is kept.
func TestClaimsArePublic(t *testing.T) {
	w := newWorld(t, fakegithub.Config{})
	person := ada
	person.PublicEmail = "shown@example.com"
	person.Extra = map[string]any{
		"company": "@analytical-engines", "bio": "Poetical science", "twitter_username": nil, "location": "",
		"two_factor_authentication": false, "plan": map[string]any{"name": "pro"}, "private_gists": 81,
		"access_token": "gho_x", "refresh_token": "ghr_x",
	}
	who, err := w.signIn(t, person)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"login": "ada", "html_url": w.github.URL() + "/ada", "type": "User", "site_admin": false,
		"created_at": "2008-01-14T04:33:35Z", "company": "@analytical-engines", "bio": "Poetical science",
	}
	if !reflect.DeepEqual(who.Claims, want) {
		t.Errorf("claims %v\nwant   %v", who.Claims, want)
	}
}
