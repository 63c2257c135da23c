package github

import (
	"fmt"
	"testing"

	"github.com/datahq/auth-gateway/providers/providertest/fakegithub"
)

// S27, O11: the original took the first address of the list that had an account
// already, with no look at "verified": whoever added the victim's address to an
// account of his own was the victim.
func TestEmail(t *testing.T) {
	type list = []fakegithub.Email
	tests := []struct {
		name   string
		emails list
		want   string
	}{
		{"primary and verified", list{{Email: "ada@example.com", Primary: true, Verified: true}}, "ada@example.com"},
		{"primary in the middle", list{
			{Email: "victim@example.com", Primary: false, Verified: true},
			{Email: "ada@example.com", Primary: true, Verified: true, Visibility: "private"},
			{Email: "1+ada@users.noreply.github.com", Primary: false, Verified: true},
		}, "ada@example.com"},
		{"victim's address, unverified, first", list{
			{Email: "victim@example.com", Primary: false, Verified: false},
			{Email: "mallory@example.com", Primary: true, Verified: true},
		}, "mallory@example.com"},
		{"victim's address, unverified, as the primary one", list{
			{Email: "victim@example.com", Primary: true, Verified: false},
			{Email: "mallory@example.com", Primary: false, Verified: true},
		}, ""},
		{"verified but not primary", list{{Email: "ada@example.com", Primary: false, Verified: true}}, ""},
		{"verified as a text", list{{Email: "ada@example.com", Primary: true, Verified: "true"}}, ""},
		{"verified as a number", list{{Email: "ada@example.com", Primary: true, Verified: 1}}, ""},
		{"verified not told", list{{Email: "ada@example.com", Primary: true}}, ""},
		{"primary as a text", list{{Email: "ada@example.com", Primary: "true", Verified: true}}, ""},
		{"primary not told", list{{Email: "ada@example.com", Verified: true}}, ""},
		{"none", nil, ""},
		{"two @", list{{Email: "ada@evil.example@example.com", Primary: true, Verified: true}}, ""},
		{"with a name", list{{Email: "Ada <ada@example.com>", Primary: true, Verified: true}}, ""},
		{"with a line break", list{{Email: "ada@example.com\nbcc: eve@example.com", Primary: true, Verified: true}}, ""},
		{"full-width letters", list{{Email: "ａda@example.com", Primary: true, Verified: true}}, ""},
		{"empty", list{{Email: "", Primary: true, Verified: true}}, ""},
		{"case is kept", list{{Email: "Ada@Example.COM", Primary: true, Verified: true}}, "Ada@Example.COM"},
	}
	w := newWorld(t, fakegithub.Config{})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			person := ada
			person.Emails = test.emails
			person.PublicEmail = "victim@example.com" // S27: on the profile page one may write what one likes
			who, err := w.signIn(t, person)
			if err != nil {
				t.Fatal(err)
			}
			if who.Email != test.want || who.EmailVerified != (test.want != "") {
				t.Errorf("got %q %v, want %q", who.Email, who.EmailVerified, test.want)
			}
			if who.Claims["email"] != nil {
				t.Error("the address of the profile is in Claims, past the checks")
			}
		})
	}
}

func TestManyAddresses(t *testing.T) {
	many := func(n, primary int) []fakegithub.Email {
		emails := make([]fakegithub.Email, n)
		for i := range emails {
			emails[i] = fakegithub.Email{Email: fmt.Sprintf("a%d@example.com", i), Primary: i == primary, Verified: true}
		}
		return emails
	}
	tests := []struct {
		n, primary int
		want       string
		requests   int
	}{
		{99, 98, "a98@example.com", 1},
		{100, 99, "a99@example.com", 1},
		{100, -1, "", 2},
		{150, 149, "a149@example.com", 2},
		{250, 20, "a20@example.com", 1},
		{1000, 999, "a999@example.com", 10},
		{1001, 1000, "", 10}, // somebody with a thousand addresses is not searched for ever
	}
	for _, test := range tests {
		w := newWorld(t, fakegithub.Config{})
		person := ada
		person.Emails = many(test.n, test.primary)
		who, err := w.signIn(t, person)
		if err != nil || who.Email != test.want {
			t.Errorf("%d addresses: %q, %v; want %q", test.n, who.Email, err, test.want)
		}
		if got := w.github.Requests(fakegithub.Emails); got != test.requests {
			t.Errorf("%d addresses: asked %d times, want %d", test.n, got, test.requests)
		}
	}
}
