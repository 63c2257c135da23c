package idp

import (
	"strings"
	"testing"
)

func TestValidEmail(t *testing.T) {
	for _, good := range []string{
		"a@b", "ada@example.com", "ada.lovelace+tag@mail.example.co.uk", "o'brien@example.com",
		strings.Repeat("a", 64) + "@example.com", "x@" + strings.Repeat("d.", 125) + "d",
	} {
		if !ValidEmail(good) {
			t.Errorf("%q is an address", good)
		}
	}
	for _, bad := range []string{
		"", "@", "a@", "@b", "a", "a@b@c", "a b@c", "a@b c", "a@b\n", " a@b", "a@b ", "a..b@c", ".a@b", "a.@b", "a@b.", "a@.b",
		`"a"@b`, "a@[127.0.0.1]", "a(c)@b", "a@b,c@d", "a@bücher.example", "а@example.com", "a\x00@b", "a@b_c",
		strings.Repeat("a", 65) + "@example.com", "x@" + strings.Repeat("d.", 126) + "d",
	} {
		if ValidEmail(bad) {
			t.Errorf("%q is no address", bad)
		}
	}
}
