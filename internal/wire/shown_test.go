package wire

import (
	"strings"
	"testing"
)

// S41: what may be a password or a token is not in an error, however broken the
// address is that has it.
func TestShownAddress(t *testing.T) {
	for text, want := range map[string]string{
		"https://app.example.com":               "https://app.example.com",
		"https://app.example.com:8443/a/b":      "https://app.example.com:8443/a/b",
		"http://localhost:*":                    "http://localhost:*",
		"https://[2001:db8::1]:8443/":           "https://[2001:db8::1]:8443/",
		"app.example.com:0443":                  "app.example.com:0443",
		"auth/":                                 "auth/",
		"":                                      "",
		"https://u:HUNTER2@x.example.com/a":     "https://…@x.example.com/a",
		"https://HUNTER2@x.example.com":         "https://…@x.example.com",
		"u:HUNTER2@x.example.com":               "…@x.example.com",
		"https://u:HUN%TER2@x.example.com":      "https://…@x.example.com",
		"https://u:HUN/TER2@x.example.com":      "https://…@x.example.com",
		"https://u:1/HUNTER2@x.example.com":     "https://…@x.example.com",
		"https://u:HUN@TER2@x.example.com":      "https://…@x.example.com",
		"https://u:HUN?TER2@x.example.com":      "https://…",
		"https://u:HUN#TER2@x.example.com":      "https://…",
		"https://u:HUNTER2":                     "https://…", // a blank has cut off the rest
		"u:HUNTER2":                             "…",
		"https://x.example.com?token=HUNTER2":   "https://x.example.com…",
		"https://x.example.com/a?jwt=HUNTER2#b": "https://x.example.com/a…",
		"https://x.example.com/#HUNTER2":        "https://x.example.com/…",
		"https://x.example.com?a=HUNTER2@b":     "https://…",
		"u:HUNTER2@h?x=://y":                    "…",
	} {
		if got := ShownAddress(text); got != want {
			t.Errorf("%q is shown as %q; expected %q", text, got, want)
		}
		for what, check := range map[string]func(string) error{
			"allow_next": CheckNextEntry, "external_address": func(text string) error { _, err := ParseExternalAddress(text); return err },
		} {
			if err := check(text); err != nil && (strings.Contains(err.Error(), "HUN") || strings.Contains(err.Error(), "TER2")) {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
}
