package store

import (
	"strings"
	"testing"
)

func TestFoldEmail(t *testing.T) {
	for in, want := range map[string]string{
		"moshe@example.com":                       "moshe@example.com",
		"Moshe.Cohen+x@EXAMPLE.com":               "moshe.cohen+x@example.com",
		"o'neil@example.com":                      "o'neil@example.com",
		strings.Repeat("x", 242) + "@example.com": strings.Repeat("x", 242) + "@example.com",
		// S27: one "@", ASCII, no tricks with quoting.
		strings.Repeat("x", 243) + "@example.com": "",
		"":                            "",
		"@":                           "",
		"moshe":                       "",
		"moshe@":                      "",
		"@example.com":                "",
		"a@b@c":                       "",
		"a b@example.com":             "",
		"moshe@example.com ":          "",
		"moshe@example.com\x00":       "",
		"\"a@b\"@example.com":         "",
		"moshe@[127.0.0.1]":           "",
		"a@example.com,b@example.com": "",
		"Moshe <moshe@example.com>":   "",
		"moshé@example.com":           "",
		"moshe@exаmple.com":           "", // Cyrillic а
	} {
		got, ok := foldEmail(in)
		if got != want || ok != (want != "") {
			t.Errorf("foldEmail(%q) = %q, %v; want %q", in, got, ok, want)
		}
	}
}
